// Sections of an index, appended to in parts, cut into shards with a checksum each.

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeader, HEADER_BYTES, hex32, type SectionManifest, SHARD_BYTES } from '../../src/index/format.ts';
import { native } from '../../src/native.ts';
import { changing, writeAt } from './disk.ts';

/** Writes one whole section; it is on disk when this returns. */
export function writeSection(directory: string, name: string, bytes: Uint8Array): SectionManifest {
  const section = new SectionWriter(directory, name, bytes.length);
  try {
    section.append(bytes);
    return section.finish();
  } finally {
    section.close();
  }
}

/** A section whose size is known before its bytes are: the header of every shard says how many shards there are. */
export class SectionWriter {
  readonly #directory: string;
  readonly #name: string;
  readonly #bytes: number;
  readonly #count: number;
  readonly #shards: SectionManifest['shards'] = [];
  #file: number | null = null;
  #path = '';
  #written = 0;
  #crc = 0;

  constructor(directory: string, name: string, bytes: number) {
    this.#directory = directory;
    this.#name = name;
    this.#bytes = bytes;
    this.#count = Math.max(1, Math.ceil(bytes / SHARD_BYTES));
    this.#open();
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#written === SHARD_BYTES) {
        this.#seal();
        this.#open();
      }
      const part = bytes.subarray(at, at + SHARD_BYTES - this.#written);
      const file = this.#file as number;
      changing(this.#path, () => writeAt(file, part, HEADER_BYTES + this.#written));
      this.#crc = native.crc32c(this.#crc, part);
      this.#written += part.length;
      at += part.length;
    }
  }

  finish(): SectionManifest {
    this.#seal();
    const bytes = this.#shards.reduce((sum, shard) => sum + shard.bytes, 0);
    if (bytes !== this.#bytes) throw new RangeError(`section ${this.#name}: ${bytes} bytes of ${this.#bytes}`);
    return { name: this.#name, bytes, shards: this.#shards };
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #open(): void {
    this.#path = join(this.#directory, `${this.#name}.${this.#shards.length}`);
    this.#file = changing(this.#path, () => openSync(this.#path, 'w'));
    this.#written = 0;
    this.#crc = 0;
  }

  /** The header comes last: a shard without one is not finished. */
  #seal(): void {
    const shard = this.#shards.length;
    const header = { section: this.#name, shard, shards: this.#count, payloadBytes: this.#written };
    const file = this.#file as number;
    changing(this.#path, () => {
      writeAt(file, encodeHeader({ ...header, payloadCrc: this.#crc }), 0);
      fsyncSync(file);
    });
    this.close();
    this.#shards.push({ file: `${this.#name}.${shard}`, bytes: this.#written, crc32c: hex32(this.#crc) });
  }
}
