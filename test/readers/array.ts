// The array of test/fixtures/readers (see generate.py there), and the same array in the formats written here.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';

export const ROWS = 97;
export const COLUMNS = 6;

/** Whole 1/64ths, which float16 and float64 hold exactly. */
export const array = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => (((at * 7919) % 3105) - 1552) / 64);
export const ids = Int32Array.from(array, (_, at) => (at * 31) % 200);
/** What a byte can hold. */
export const small = Uint8Array.from(array, (_, at) => at % 251);
export const signed = Int8Array.from(array, (_, at) => (at % 251) - 125);

/** A file of one of the formats, and the keys of --modality that read `array` from it. */
export interface Written {
  readonly file: string;
  readonly options?: Readonly<Record<string, string>>;
}

const fixtures = fileURLToPath(new URL('../../../test/fixtures/readers', import.meta.url));

/** All of them in a folder of the test: tests that damage a file do it to a copy. */
export function writeFormats(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(fixtures, folder, { recursive: true });
  const bytes = Buffer.from(array.buffer);
  const write = (name: string, ...parts: readonly Uint8Array[]) =>
    writeFileSync(join(folder, name), Buffer.concat(parts));
  write('c.npy', npyHeader('f4', [ROWS, COLUMNS]), bytes);
  write('double.npy', npyHeader('f8', [ROWS, COLUMNS]), Buffer.from(Float64Array.from(array).buffer));
  write('a.fvecs', ...rowsOf(bytes, 4).map((row) => Buffer.concat([int32s(COLUMNS), row])));
  write('a.fbin', int32s(ROWS, COLUMNS), bytes);
  const idBytes = Buffer.from(ids.buffer);
  write('ids.ivecs', ...rowsOf(idBytes, 4).map((row) => Buffer.concat([int32s(COLUMNS), row])));
  write('ids.ibin', int32s(ROWS, COLUMNS), idBytes);
  write('a.bvecs', ...rowsOf(Buffer.from(small), 1).map((row) => Buffer.concat([int32s(COLUMNS), row])));
  write('a.u8bin', int32s(ROWS, COLUMNS), small);
  write('a.i8bin', int32s(ROWS, COLUMNS), new Uint8Array(signed.buffer));
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'pt' },
      weights: { dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8] },
    }),
  );
  write('bfloat.safetensors', int32s(header.length, 0), header, Buffer.from('803f00c0004080ff', 'hex'));
  const lines = (line: (values: readonly number[], row: number) => string): Buffer =>
    Buffer.from(
      rowNumbers()
        .map((values, row) => `${line(values, row)}\n`)
        .join(''),
    );
  const names = Array.from({ length: COLUMNS }, (_, column) => `f${column}`);
  write(
    'a.csv',
    lines((values) => values.join(',')),
  );
  write(
    'named.csv',
    Buffer.from(`\ufeff${names.join(',')}\r\n`),
    lines((values) => `"${values.join('","')}"\r`),
  );
  write(
    'a.tsv',
    lines((values) => values.map((value) => value.toExponential()).join('\t')),
  );
  write(
    'column.csv',
    Buffer.from('name,vector\n'),
    lines((values, row) => `"a, ${row}","[${values.join(' ')}]"`),
  );
  write(
    'json-column.csv',
    Buffer.from('name,vector\n'),
    lines((values, row) => `${row},"${JSON.stringify(values)}"`),
  );
  write(
    'a.jsonl',
    lines((values) => JSON.stringify(values)),
  );
  write(
    'one.jsonl',
    lines((values, row) => JSON.stringify({ key: `k${row}`, vector: values, tags: ['a'] })),
  );
  write(
    'two.jsonl',
    lines((values, row) => JSON.stringify({ vector: values, other: [row] })),
  );
}

/** Every form of `array` that float32 holds exactly. */
export const WRITTEN: readonly Written[] = [
  { file: 'c.npy' },
  { file: 'double.npy' },
  { file: 'stored.npz' },
  { file: 'deflated.npz' },
  { file: 'columns.npz' },
  { file: 'many.npz', options: { array: 'half' } },
  { file: 'many.npz', options: { array: 'big' } },
  { file: 'a.fvecs' },
  { file: 'a.fbin' },
  { file: 'many.safetensors', options: { tensor: 'features' } },
  { file: 'many.safetensors', options: { tensor: 'half' } },
  { file: 'types.safetensors', options: { tensor: 'double' } },
  { file: 'one.h5' },
  { file: 'user-block.h5' },
  { file: 'many.h5', options: { dataset: 'plain' } },
  { file: 'many.h5', options: { dataset: '/group/chunked' } },
  { file: 'many.h5', options: { dataset: 'half' } },
  { file: 'many.h5', options: { dataset: 'big-endian' } },
  { file: 'types.h5', options: { dataset: 'double' } },
  ...['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'].map((name) => ({ file: `${name}.parquet` })),
  { file: 'pages.parquet', options: { column: 'embedding' } },
  { file: 'split.parquet' },
  { file: 'half.parquet' },
  { file: 'double.parquet' },
  { file: 'uncompressed.arrow' },
  { file: 'lz4.arrow' },
  { file: 'zstd.arrow' },
  { file: 'types.arrow', options: { column: 'half' } },
  { file: 'types.arrow', options: { column: 'double' } },
  { file: 'stream.arrows', options: { column: 'v' } },
  { file: 'a.csv' },
  { file: 'named.csv' },
  { file: 'a.tsv' },
  { file: 'column.csv', options: { column: 'vector' } },
  { file: 'json-column.csv', options: { column: 'vector' } },
  { file: 'a.jsonl' },
  { file: 'one.jsonl' },
  { file: 'two.jsonl', options: { column: 'vector' } },
];

function rowNumbers(): readonly (readonly number[])[] {
  return Array.from({ length: ROWS }, (_, row) => [...array.subarray(row * COLUMNS, (row + 1) * COLUMNS)]);
}

function rowsOf(bytes: Buffer, size: number): readonly Buffer[] {
  const length = COLUMNS * size;
  return Array.from({ length: ROWS }, (_, row) => bytes.subarray(row * length, (row + 1) * length));
}

function int32s(...values: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(values).buffer);
}
