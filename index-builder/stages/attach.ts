// What belongs to items besides vectors: keys, metadata and thumbnails, as record sections.

import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IndexError, type SectionManifest } from '../../src/index/format.ts';
import { tableFormat } from '../readers/tables/open-table.ts';
import { linesOf } from '../readers/text-lines.ts';
import { writeKeys } from './keys.ts';
import { writeMetadata } from './metadata.ts';
import { offsetsOf } from './records.ts';
import { SectionWriter, writeSection } from './write.ts';

export interface Attachments {
  /** A text file, one key a line; or FILE,column=NAME of a file that metadata may be in. */
  readonly ids?: string;
  /** CSV or TSV with a header line, JSON Lines with an object a line, Parquet or Arrow. */
  readonly metadata?: string;
  /** A text file, one picture path a line relative to it; an empty line for none. */
  readonly thumbnails?: string;
}

/** What they hold is kept in memory until it is written. */
const MAX_FILE_BYTES = 2 ** 31;
/** Memory per byte of a file and per item that is read from it: what it is cut or parsed into, the section. */
const HELD_OF_LINES = { byte: 4, item: 200 } as const;
const HELD_OF_OBJECTS = { byte: 8, item: 400 } as const;
/** Columns compress about four times. */
const HELD_OF_COMPRESSED = { byte: 32, item: 400 } as const;
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
  const keys = ids === undefined ? undefined : parseColumn(ids);
  const files = [
    [keys?.path, keys?.column === undefined ? HELD_OF_LINES : HELD_OF_OBJECTS],
    [metadata, HELD_OF_OBJECTS],
    [thumbnails, HELD_OF_LINES],
  ] as const;
  return files.flatMap(([path, plain]) => {
    if (path === undefined) return [];
    const bytes = bytesOf(path);
    if (bytes > MAX_FILE_BYTES) {
      throw new IndexError(
        `${path}: ${bytes} bytes; keys, metadata and lists of pictures are held in memory, of files up to ` +
          `${MAX_FILE_BYTES} bytes; shorten them, or build without it`,
      );
    }
    const compressed = plain === HELD_OF_OBJECTS && tableFormat(path).compressed;
    const { byte, item } = compressed ? HELD_OF_COMPRESSED : plain;
    return [{ path, held: byte * bytes + item * items, kept: (compressed ? 4 : 1) * bytes + KEPT_BYTES * items }];
  });
}

/** FILE or FILE,column=NAME. */
export function parseColumn(text: string): { readonly path: string; readonly column?: string } {
  const at = text.lastIndexOf(',column=');
  return at < 0 ? { path: text } : { path: text.slice(0, at), column: text.slice(at + ',column='.length) };
}

export async function writeAttachments(
  directory: string,
  { ids, metadata, thumbnails }: Attachments,
  items: number,
): Promise<SectionManifest[]> {
  const sections: SectionManifest[] = [];
  if (ids !== undefined) sections.push(...(await writeKeys(directory, parseColumn(ids), items)));
  if (metadata !== undefined) sections.push(...(await writeMetadata(directory, metadata, items)));
  if (thumbnails !== undefined) sections.push(...writeThumbnails(directory, thumbnails, items));
  return sections;
}

/** Pictures one after the other, however large they are together. */
function writeThumbnails(directory: string, path: string, items: number): SectionManifest[] {
  const folder = dirname(resolve(path));
  const pictures = requireLines(path, [...linesOf(path)], items, 'thumbnail').map((line) =>
    line === '' ? null : join(folder, line),
  );
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

/** A line for each item. */
function requireLines(path: string, lines: readonly string[], items: number, what: string): readonly string[] {
  if (lines.length === items) return lines;
  throw new IndexError(`${path}: ${lines.length} lines; the vectors have ${items} items, one ${what} each is expected`);
}
