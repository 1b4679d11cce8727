// One page of a Parquet column as flat arrays: levels and values.
// https://parquet.apache.org/docs/file-format/data-pages/

import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { CompressionCodec, Compressors, DecodedArray, PageHeader, SchemaElement, SchemaTree } from 'hyparquet';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { compressors, decompressZstd } from 'hyparquet-compressors';
import { readLevels, readRuns, readSizedLevels } from './parquet-levels.ts';

export type Values = DecodedArray;

export interface PageColumn {
  readonly element: SchemaElement;
  readonly schemaPath: SchemaTree[];
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

export interface Page {
  /** Values, with those that are null and lists that are empty. */
  readonly levels: number;
  /** Null when all are the highest: no nulls, no empty lists. */
  readonly definition: Uint8Array | null;
  /** 0 begins a row; null outside lists. */
  readonly repetition: Uint8Array | null;
  /** As they are stored, without the nulls. */
  readonly values: Values;
  /** Bytes before and after decompression. */
  readonly bytes: number;
}

/** A page of more is damage: writers make pages of some megabytes. */
const MAX_PAGE_VALUES = 2 ** 27;

const DECOMPRESSORS: Compressors = {
  ...compressors,
  // Node's own are several times as fast.
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

export function decodeDictionary(
  bytes: Uint8Array,
  header: PageHeader,
  codec: CompressionCodec,
  { element }: PageColumn,
): Values {
  const count = header.dictionary_page_header?.num_values ?? -1;
  const page = decompressPage(bytes, header.uncompressed_page_size, codec, DECOMPRESSORS);
  requireCount(count, 8 * page.length);
  return readPlain(readerOf(page, 0), typeOf(element), count, element.type_length);
}

/** `left` are the levels that the column chunk still has. */
export function decodePage(
  bytes: Uint8Array,
  header: PageHeader,
  codec: CompressionCodec,
  column: PageColumn,
  dictionary: Values | null,
  left: number,
): Page {
  const v2 = header.data_page_header_v2;
  const v1 = header.data_page_header;
  const levels = (v2 ?? v1)?.num_values ?? -1;
  requireCount(levels, left);
  const { maxDefinition, maxRepetition } = column;
  let page: Uint8Array;
  let at = 0;
  let repetition: Uint8Array | null = null;
  let definition: Uint8Array | null = null;
  if (v2 !== undefined) {
    const repetitionEnd = v2.repetition_levels_byte_length;
    const valuesFrom = repetitionEnd + v2.definition_levels_byte_length;
    if (!(repetitionEnd >= 0 && valuesFrom >= repetitionEnd && valuesFrom <= bytes.length)) {
      throw new Error('levels that are longer than their page');
    }
    if (maxRepetition > 0) repetition = readLevels(bytes, 0, repetitionEnd, maxRepetition, levels);
    if (maxDefinition > 0) definition = readLevels(bytes, repetitionEnd, valuesFrom, maxDefinition, levels);
    const rest = bytes.subarray(valuesFrom);
    const size = header.uncompressed_page_size - valuesFrom;
    page = v2.is_compressed === false || rest.length === 0 ? rest : decompressPage(rest, size, codec, DECOMPRESSORS);
  } else {
    page = decompressPage(bytes, header.uncompressed_page_size, codec, DECOMPRESSORS);
    if (maxRepetition > 0) [repetition, at] = readSizedLevels(page, at, maxRepetition, levels);
    if (maxDefinition > 0) [definition, at] = readSizedLevels(page, at, maxDefinition, levels);
  }
  const present = definition === null ? levels : countOf(definition, maxDefinition);
  const values = readValues(page, at, (v2 ?? v1)?.encoding, present, column, dictionary);
  return {
    levels,
    definition: present === levels ? null : definition,
    repetition,
    values,
    bytes: bytes.length + header.uncompressed_page_size,
  };
}

/** Stored values as what they stand for: strings, dates, decimals. */
export function convertValues(values: Values, { element, schemaPath }: PageColumn): Values {
  const parsers = {
    ...DEFAULT_PARSERS,
    stringFromBytes: (bytes: Uint8Array) => text.decode(bytes),
    dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
    timestampFromMilliseconds: (millis: bigint) => new Date(Number(millis)).toISOString(),
    timestampFromMicroseconds: (micros: bigint) => new Date(Number(micros / 1000n)).toISOString(),
    timestampFromNanoseconds: (nanos: bigint) => new Date(Number(nanos / 1_000_000n)).toISOString(),
  };
  const plain = Array.isArray(values) ? values : Array.from(values as ArrayLike<unknown>);
  return convert(plain, { element, schemaPath, parsers, utf8: true } as unknown as Parameters<typeof convert>[1]);
}

const text = new TextDecoder('utf-8', { fatal: true });

function readValues(
  page: Uint8Array,
  at: number,
  encoding: string | undefined,
  count: number,
  { element }: PageColumn,
  dictionary: Values | null,
): Values {
  const type = typeOf(element);
  if (count === 0) return [];
  if (encoding === 'PLAIN') return readPlain(readerOf(page, at), type, count, element.type_length);
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (dictionary === null) throw new Error('values of a dictionary without one');
    const places = new Uint32Array(count);
    readRuns(page, at + 1, page.length, page[at] ?? 0, places);
    return lookUp(dictionary, places);
  }
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    const [bits] = readSizedLevels(page, at, 1, count);
    return Array.from(bits, Boolean);
  }
  // These read a value after the other from the page, so more values than bits are damage.
  requireCount(count, 8 * page.length * MOST_VALUES_PER_BIT);
  const reader = readerOf(page, at);
  if (encoding === 'BYTE_STREAM_SPLIT') return byteStreamSplit(reader, count, type, element.type_length);
  if (encoding === 'DELTA_BINARY_PACKED') {
    const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
    deltaBinaryUnpack(reader, count, values);
    return values;
  }
  const strings: Uint8Array[] = new Array(count);
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') deltaLengthByteArray(reader, count, strings);
  else if (encoding === 'DELTA_BYTE_ARRAY') deltaByteArray(reader, count, strings);
  else throw new Error(`values in the unknown encoding ${encoding}`);
  return strings;
}

/** A miniblock of equal differences takes no bits of its own: 32 values and more for a byte of its header. */
const MOST_VALUES_PER_BIT = 2 ** 10;

function lookUp(dictionary: Values, places: Uint32Array): Values {
  const { length } = dictionary;
  const out = Array.isArray(dictionary)
    ? new Array(places.length)
    : new (dictionary.constructor as Float32ArrayConstructor)(places.length);
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place >= length) throw new Error(`value ${place} of a dictionary of ${length}`);
    out[i] = dictionary[place];
  }
  return out;
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++;
  return count;
}

function requireCount(count: number, most: number): void {
  if (count >= 0 && count <= Math.min(most, MAX_PAGE_VALUES)) return;
  throw new Error(`a page of ${count} values, at most ${Math.min(most, MAX_PAGE_VALUES)} are possible`);
}

function typeOf(element: SchemaElement): NonNullable<SchemaElement['type']> {
  if (element.type === undefined) throw new Error('a column without a type');
  return element.type;
}

function readerOf(page: Uint8Array, offset: number): { view: DataView; offset: number } {
  return { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset };
}
