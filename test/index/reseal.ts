// Rewrites sections of an index with valid headers, checksums and manifest: damage that only its meaning gives away.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeader, encodeManifest, hex32, type Manifest, type SectionManifest } from '../../src/index/format.ts';
import { readManifest } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';

/** The payload of a section of one shard. */
export function payloadOf(directory: string, name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(directory, `${name}.0`)).subarray(4096));
}

/** The payload as 32-bit words that can be changed. */
export function wordsOf(directory: string, name: string): Uint32Array {
  return new Uint32Array(payloadOf(directory, name).buffer);
}

/** Replaces the payload of a section, in shards of `shardBytes` (whole pages). */
export function resealSection(directory: string, name: string, payload: Uint8Array, shardBytes = 1 << 30): void {
  const manifest = readManifest(directory);
  const old = manifest.sections.find((section) => section.name === name);
  if (old === undefined) throw new RangeError(`no section ${name}`);
  for (const { file } of old.shards) rmSync(join(directory, file));
  const count = Math.max(1, Math.ceil(payload.length / shardBytes));
  const shards = Array.from({ length: count }, (_, shard): SectionManifest['shards'][number] => {
    const part = payload.subarray(shard * shardBytes, (shard + 1) * shardBytes);
    const crc = native.crc32c(0, part);
    const header = { section: name, shard, shards: count, payloadBytes: part.length, payloadCrc: crc };
    writeFileSync(join(directory, `${name}.${shard}`), Buffer.concat([encodeHeader(header), part]));
    return { file: `${name}.${shard}`, bytes: part.length, crc32c: hex32(crc) };
  });
  const section = { name, bytes: payload.length, shards };
  resealManifest(directory, {
    sections: manifest.sections.map((other) => (other.name === name ? section : other)),
  });
}

/** Changes fields of the manifest. */
export function resealManifest(directory: string, change: Partial<Manifest>): void {
  const { checksum: _, ...body } = readManifest(directory);
  writeFileSync(join(directory, 'manifest.json'), encodeManifest({ ...body, ...change }));
}
