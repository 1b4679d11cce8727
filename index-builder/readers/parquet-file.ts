// A Parquet file page by page: hyparquet reads the metadata and decodes values; levels are decoded here (parquet-page.ts),
// so that a page gives flat arrays, a whole row group is never in memory and damage cannot make it loop.

import { type ColumnMetaData, parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { decoding } from './decoding.ts';
import { InputFile } from './input-file.ts';
import { decodeDictionary, decodePage, type Page, type PageColumn, type Values } from './parquet-page.ts';
import { InputError } from './reader.ts';

export const PARQUET = 'Parquet';
const MAGIC = 'PAR1';
const TAIL_BYTES = 8;
/** Footers of a thousand columns and ten thousand row groups are smaller. */
const MAX_METADATA_BYTES = 2 ** 28;
/** A page header is some tens of bytes, and more when it has statistics of long strings. */
const HEADER_BYTES = [2 ** 9, 2 ** 14, 2 ** 20] as const;
const MAX_PAGE_BYTES = 2 ** 30;

export interface ParquetColumn extends PageColumn {
  /** Of the column at the top of the schema. */
  readonly name: string;
  /** A value, or a list of values, or deeper. */
  readonly nesting: 'value' | 'list' | 'deeper';
  readonly path: string;
  /** The definition level from which on a list has the element; 0 outside lists. */
  readonly listDefinition: number;
}

export class ParquetFile {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly rows: number;
  readonly groups: readonly RowGroup[];
  readonly columns: readonly ParquetColumn[];
  readonly #file: InputFile;

  constructor(path: string) {
    const file = new InputFile(path);
    try {
      const metadata = decoding(path, PARQUET, () => parquetMetadata(readTail(file), { geoparquet: false }));
      this.columns = decoding(path, PARQUET, () => parquetSchema(metadata).children.flatMap(leavesOf));
      this.groups = metadata.row_groups;
      this.rows = decoding(path, PARQUET, () => countRows(metadata.row_groups));
    } catch (error) {
      file.close();
      throw error;
    }
    this.path = path;
    this.size = file.size;
    this.#file = file;
  }

  /** The pages of a column in one row group, in order. */
  *pages(column: ParquetColumn, group: number): Generator<Page> {
    const place = `${this.path} column '${column.name}', row group ${group}`;
    const chunk = decoding(place, PARQUET, () => chunkOf(this.groups[group] as RowGroup, column));
    const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
    const total = Number(chunk.num_values);
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= MAGIC.length && end >= start && end <= this.#file.size)) {
      throw new InputError(
        place,
        `is said to be bytes ${start} to ${end}`,
        `expected it within the ${this.#file.size} bytes of the file`,
        'copy or write the file again',
      );
    }
    let dictionary: Values | null = null;
    let seen = 0;
    for (let at = start; seen < total; ) {
      const { header, length } = decoding(place, PARQUET, () => this.#header(at, end));
      const size = header.compressed_page_size;
      at += length;
      if (
        !(size >= 0 && size <= MAX_PAGE_BYTES && header.uncompressed_page_size <= MAX_PAGE_BYTES) ||
        at + size > end
      ) {
        throw damaged(place, `a page of ${size} bytes at byte ${at}`, `at most ${Math.min(MAX_PAGE_BYTES, end - at)}`);
      }
      const bytes = new Uint8Array(size);
      this.#file.read(at, bytes);
      at += size;
      if (header.type === 'DICTIONARY_PAGE') {
        dictionary = decoding(place, PARQUET, () => decodeDictionary(bytes, header, chunk.codec, column));
        continue;
      }
      if (header.type !== 'DATA_PAGE' && header.type !== 'DATA_PAGE_V2') continue;
      const before: Values | null = dictionary;
      const page = decoding(place, PARQUET, () => decodePage(bytes, header, chunk.codec, column, before, total - seen));
      seen += page.levels;
      yield page;
    }
  }

  close(): void {
    this.#file.close();
  }

  #header(at: number, end: number) {
    for (const bytes of HEADER_BYTES) {
      const part = new Uint8Array(Math.min(bytes, end - at));
      this.#file.read(at, part);
      const reader = { view: new DataView(part.buffer), offset: 0 };
      try {
        return { header: parquetHeader(reader), length: reader.offset };
      } catch (error) {
        // A header that is longer than what was read of it ends in a read behind the end.
        if (!(error instanceof RangeError) || part.length < bytes) throw error;
      }
    }
    throw new Error(`the page header at byte ${at} is longer than ${HEADER_BYTES.at(-1)} bytes`);
  }
}

function readTail(file: InputFile): Uint8Array {
  const { path, size } = file;
  const tail = Buffer.alloc(TAIL_BYTES);
  if (size >= TAIL_BYTES + MAGIC.length) file.read(size - TAIL_BYTES, tail);
  const length = tail.readUInt32LE();
  if (tail.toString('latin1', 4) !== MAGIC || length > Math.min(MAX_METADATA_BYTES, size - TAIL_BYTES)) {
    throw new InputError(
      path,
      `does not end as a Parquet file does (…${tail.toString('hex')})`,
      `expected its metadata and ${MAGIC} at the end`,
      'copy or write the file again; encrypted files are not read',
    );
  }
  const metadata = new Uint8Array(length + TAIL_BYTES);
  file.read(size - metadata.length, metadata);
  return metadata;
}

function countRows(groups: readonly RowGroup[]): number {
  const rows = groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (!Number.isSafeInteger(rows) || groups.some((group) => Number(group.num_rows) < 0)) {
    throw new Error(`row groups of ${rows} rows`);
  }
  return rows;
}

function leavesOf(top: SchemaTree): ParquetColumn[] {
  const walk = (node: SchemaTree, above: readonly SchemaTree[]): ParquetColumn[] => {
    const path = [...above, node];
    if (node.children.length > 0) return node.children.flatMap((child) => walk(child, path));
    // The functions of the library want the root as the first.
    const schemaPath = [{ ...top, element: { name: 'root' } } as SchemaTree, ...path];
    const lists = getMaxRepetitionLevel(schemaPath);
    const listEnd = schemaPath.findLastIndex(({ element }) => element.repetition_type === 'REPEATED') + 1;
    const groups = path.filter(({ children }) => children.length > 1).length;
    return [
      {
        name: top.element.name,
        path: node.path.join('.'),
        element: node.element,
        schemaPath,
        maxDefinition: getMaxDefinitionLevel(schemaPath),
        maxRepetition: lists,
        listDefinition: lists === 0 ? 0 : getMaxDefinitionLevel(schemaPath.slice(0, listEnd)),
        nesting:
          groups > 0 || lists > 1 || (lists === 0 && path.length > 1) ? 'deeper' : lists === 1 ? 'list' : 'value',
      },
    ];
  };
  return walk(top, []);
}

function chunkOf(group: RowGroup, column: ParquetColumn): ColumnMetaData {
  const chunk = group.columns.find(({ meta_data: data }) => data?.path_in_schema.join('.') === column.path);
  if (chunk?.meta_data === undefined) throw new Error('the row group does not have the column');
  if (chunk.file_path) throw new Error(`its data is in another file, ${chunk.file_path}`);
  return chunk.meta_data;
}

function damaged(place: string, found: string, expected: string): InputError {
  return new InputError(place, `has ${found}`, `expected ${expected}`, 'copy or write the file again');
}
