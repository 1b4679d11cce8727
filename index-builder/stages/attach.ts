// What belongs to items besides vectors: keys, metadata and thumbnails, as record sections.

import { constants } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { IndexError, type SectionManifest } from '../../src/index/format.ts';
import { native } from '../../src/native.ts';
import { SectionWriter, writeSection } from './write.ts';

export interface Attachments {
  /** A text file, one key a line. */
  readonly ids?: string;
  /** CSV with a header line, or JSON Lines with an object a line. */
  readonly metadata?: string;
  /** A text file, one picture path a line relative to it; an empty line for none. */
  readonly thumbnails?: string;
}

const MAX_KEY_BYTES = 1024;
const MAX_RECORD_BYTES = 1 << 20;
/** A file is read as one string. */
const MAX_TEXT_BYTES = constants.MAX_STRING_LENGTH;
/** Memory per byte of a file and per item that is read from it: the text, what it is cut or parsed into, the section. */
const HELD_OF_LINES = { byte: 4, item: 200 } as const;
const HELD_OF_OBJECTS = { byte: 12, item: 400 } as const;
/** Bytes per item of the index beside the records: offsets, and of keys a table at most half full. */
const KEPT_BYTES = 24;

/** What a file given with the vectors takes: in memory while it is read, and in the index. */
export interface AttachedBytes {
  readonly path: string;
  readonly held: number;
  readonly kept: number;
}

/** Throws IndexError for a file that is not there or too long to be read; pictures are counted when they are read. */
export function attachedBytes({ ids, metadata, thumbnails }: Attachments, items: number): AttachedBytes[] {
  const files = [
    [ids, HELD_OF_LINES],
    [metadata, HELD_OF_OBJECTS],
    [thumbnails, HELD_OF_LINES],
  ] as const;
  return files.flatMap(([path, { byte, item }]) => {
    if (path === undefined) return [];
    const bytes = bytesOf(path);
    if (bytes > MAX_TEXT_BYTES) {
      throw new IndexError(
        `${path}: ${bytes} bytes; keys, metadata and lists of pictures are read whole, up to ${MAX_TEXT_BYTES} bytes; ` +
          'shorten them, or build without it',
      );
    }
    return [{ path, held: byte * bytes + item * items, kept: bytes + KEPT_BYTES * items }];
  });
}

/** Takes the sections as they are written. */
type Write = (name: string, bytes: Uint8Array) => void;

export function writeAttachments(directory: string, attachments: Attachments, items: number): SectionManifest[] {
  const sections: SectionManifest[] = [];
  const write: Write = (name, bytes) => void sections.push(writeSection(directory, name, bytes));
  if (attachments.ids !== undefined) writeKeys(write, attachments.ids, items);
  if (attachments.metadata !== undefined) {
    writeRecords(write, 'metadata', metadataRecords(attachments.metadata, items));
  }
  if (attachments.thumbnails !== undefined) {
    sections.push(...writeThumbnails(directory, attachments.thumbnails, items));
  }
  return sections;
}

function writeKeys(write: Write, path: string, items: number): void {
  const keys = linesOf(path, items, 'key');
  const records = keys.map((key, i) => {
    const bytes = Buffer.from(key);
    if (bytes.length === 0 || bytes.length > MAX_KEY_BYTES) {
      throw new IndexError(`${path} line ${i + 1}: a key of ${bytes.length} bytes; expected 1 to ${MAX_KEY_BYTES}`);
    }
    return bytes;
  });
  const { offsets, bytes } = writeRecords(write, 'keys', records);
  const table = new Uint32Array(native.keyTableSize(items));
  const duplicate = native.buildKeyTable(offsets, bytes, table);
  if (duplicate !== null) {
    const [first, second] = duplicate[0] < duplicate[1] ? duplicate : [duplicate[1], duplicate[0]];
    throw new IndexError(
      `${path} line ${second + 1}: the key ${JSON.stringify(keys[second])} is also on line ${first + 1}; keys are unique`,
    );
  }
  write('keys.table', new Uint8Array(table.buffer));
}

function metadataRecords(path: string, items: number): Uint8Array[] {
  const objects = extname(path) === '.csv' ? csvObjects(path) : jsonLines(path);
  if (objects.length !== items) {
    throw new IndexError(
      `${path}: metadata of ${objects.length} items; the vectors have ${items}, one each is expected`,
    );
  }
  return objects.map((object, i) => {
    const bytes = Buffer.from(JSON.stringify(object));
    if (bytes.length > MAX_RECORD_BYTES) {
      throw new IndexError(
        `${path} item ${i}: ${bytes.length} bytes of metadata; at most ${MAX_RECORD_BYTES} are kept`,
      );
    }
    return bytes;
  });
}

/** Rows as objects by column name; numbers stay numbers where a cell reads back as the same text. */
function csvObjects(path: string): unknown[] {
  const cast = (cell: string): string | number | null => {
    if (cell === '') return null;
    return String(Number(cell)) === cell ? Number(cell) : cell;
  };
  try {
    return parseCsv(readText(path), {
      columns: true,
      bom: true,
      cast: (cell, { header }) => (header ? cell : cast(cell)),
    });
  } catch (error) {
    throw new IndexError(`${path}: not readable as CSV (${(error as Error).message})`);
  }
}

function jsonLines(path: string): unknown[] {
  const lines = readText(path).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new IndexError(`${path} line ${i + 1}: not JSON (${(error as Error).message})`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new IndexError(`${path} line ${i + 1}: expected a JSON object`);
    }
    return value;
  });
}

/** Pictures one after the other, however large they are together. */
function writeThumbnails(directory: string, path: string, items: number): SectionManifest[] {
  const folder = dirname(resolve(path));
  const pictures = linesOf(path, items, 'thumbnail').map((line) => (line === '' ? null : join(folder, line)));
  const offsets = offsetsOf(
    pictures.map((picture, i) => (picture === null ? 0 : bytesOf(picture, `${path} line ${i + 1}: `))),
  );
  const all = new SectionWriter(directory, 'thumbnails.bytes', Number(offsets[items]));
  try {
    pictures.forEach((picture, i) => {
      if (picture === null) return;
      const bytes = readFileSync(picture);
      if (BigInt(bytes.length) !== (offsets[i + 1] as bigint) - (offsets[i] as bigint)) {
        throw new IndexError(`${picture}: changed during the build; start it again`);
      }
      all.append(bytes);
    });
    return [writeSection(directory, 'thumbnails.offsets', new Uint8Array(offsets.buffer)), all.finish()];
  } finally {
    all.close();
  }
}

function linesOf(path: string, items: number, what: string): string[] {
  const lines = readText(path).replaceAll('\r\n', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length !== items) {
    throw new IndexError(
      `${path}: ${lines.length} lines; the vectors have ${items} items, one ${what} each is expected`,
    );
  }
  return lines;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function bytesOf(path: string, place = ''): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw unreadable(`${place}${path}`, error);
  }
}

function unreadable(what: string, error: unknown): IndexError {
  return new IndexError(`${what}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
}

/** Where each of records of these lengths begins, and where the last one ends. */
function offsetsOf(lengths: readonly number[]): BigUint64Array {
  const offsets = new BigUint64Array(lengths.length + 1);
  let total = 0;
  lengths.forEach((length, i) => {
    total += length;
    offsets[i + 1] = BigInt(total);
  });
  return offsets;
}

/** Records one behind the other, and where each begins. */
function writeRecords(
  write: Write,
  name: string,
  records: readonly Uint8Array[],
): { offsets: BigUint64Array; bytes: Uint8Array } {
  const offsets = offsetsOf(records.map(({ length }) => length));
  const bytes = Buffer.concat(records);
  write(`${name}.offsets`, new Uint8Array(offsets.buffer));
  write(`${name}.bytes`, bytes);
  return { offsets, bytes };
}
