// Sections of an index directory, mapped: every shard's header is checked against the manifest, payloads are not read.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../native.ts';
import type { SectionHandle } from '../native-types.ts';
import {
  decodeHeader,
  HEADER_BYTES,
  hex32,
  IndexError,
  type Manifest,
  type SectionManifest,
  type ShardHeader,
} from './format.ts';

/** Read at a time where nothing is kept. */
const READ_THROUGH_BYTES = 1 << 20;

/** The section mapped read-only. Throws IndexError that names the shard file that is missing, cut or another. */
export function mapSection(directory: string, section: SectionManifest): SectionHandle {
  const paths = section.shards.map((shard) => join(directory, shard.file));
  section.shards.forEach((_, number) => void checkShard(directory, section, number));
  return native.mapSection(
    paths,
    section.shards.map((shard) => shard.bytes),
  );
}

/** Checks one shard file's size and header against the manifest. */
export function checkShard(directory: string, section: SectionManifest, number: number): ShardHeader {
  const shard = section.shards[number];
  if (shard === undefined) throw new RangeError(`section ${section.name} has no shard ${number}`);
  const path = join(directory, shard.file);
  const { page, bytes } = readHeaderPage(path);
  if (bytes !== HEADER_BYTES + shard.bytes) {
    throw new IndexError(
      `${path}: section ${section.name} should be ${HEADER_BYTES + shard.bytes} bytes, the file has ${bytes}; ` +
        'it is truncated or another index’s, restore or rebuild it',
    );
  }
  const header = decodeHeader(page, path);
  const expected = [section.name, number, section.shards.length, shard.bytes, shard.crc32c].join(' ');
  const found = [header.section, header.shard, header.shards, header.payloadBytes, hex32(header.payloadCrc)].join(' ');
  if (found !== expected) {
    throw new IndexError(`${path}: holds "${found}", the manifest lists "${expected}"; the index is mixed up, rebuild`);
  }
  return header;
}

/** A whole section of words. */
export function readWords(directory: string, manifest: Manifest, name: string): Uint32Array {
  const bytes = readSection(directory, manifest, name);
  return new Uint32Array(bytes.buffer, 0, bytes.length / 4);
}

/** A whole section of one packed item or slot number an item. */
export function readItemNumbers(directory: string, manifest: Manifest, name: string): Uint32Array {
  return readNumbers(directory, manifest, name, manifest.items);
}

/** A whole section of one packed number an item, all below `limit`. */
export function readNumbers(directory: string, manifest: Manifest, name: string, limit: number): Uint32Array {
  const numbers = new Uint32Array(manifest.items);
  native.unpackNumbers(readSection(directory, manifest, name), limit, numbers);
  return numbers;
}

function sectionNamed(directory: string, manifest: Manifest, name: string): SectionManifest {
  const section = manifest.sections.find((candidate) => candidate.name === name);
  if (section === undefined) throw new IndexError(`${directory}: section ${name} is missing`);
  return section;
}

function readSection(directory: string, manifest: Manifest, name: string): Uint8Array<ArrayBuffer> {
  const section = sectionNamed(directory, manifest, name);
  const bytes = new Uint8Array(section.bytes);
  let at = 0;
  for (const [number, shard] of section.shards.entries()) {
    checkShard(directory, section, number);
    const file = openSync(join(directory, shard.file), 'r');
    try {
      readFully(file, bytes.subarray(at, at + shard.bytes), HEADER_BYTES);
    } finally {
      closeSync(file);
    }
    at += shard.bytes;
  }
  return bytes;
}

/** Reads a section's files from beginning to end and keeps nothing; yields the bytes of each step. Throws IndexError. */
export function* readThrough(directory: string, manifest: Manifest, name: string): Generator<number> {
  const read = new Uint8Array(READ_THROUGH_BYTES);
  for (const { file: path, bytes } of sectionNamed(directory, manifest, name).shards) {
    const file = openSync(join(directory, path), 'r');
    try {
      for (let at = 0; at < bytes; at += read.length) {
        const step = Math.min(read.length, bytes - at);
        readFully(file, read.subarray(0, step), HEADER_BYTES + at);
        yield step;
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Fills `into` from a position of a file. Throws IndexError when the file ends first. */
export function readFully(file: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(file, into, done, into.length - done, position + done);
    if (read === 0) throw new IndexError('the file ends early; it is truncated');
    done += read;
  }
}

function readHeaderPage(path: string): { page: Uint8Array; bytes: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const page = new Uint8Array(HEADER_BYTES);
    const read = readSync(file, page, 0, HEADER_BYTES, 0);
    return { page: page.subarray(0, read), bytes: fstatSync(file).size };
  } catch (error) {
    throw new IndexError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); restore or rebuild it`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
