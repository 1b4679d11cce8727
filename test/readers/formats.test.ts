// One array in every format reads as the same bits, from its start and from any row on.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { DenseChunk, SparseChunk, VectorReader } from '../../index-builder/readers/reader.ts';
import { openIndex } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { build } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { array, COLUMNS, ids, ROWS, signed, small, WRITTEN, writeFormats } from './array.ts';

const folder = temporaryFolder(t);
writeFormats(folder);

for (const { file, options = {} } of WRITTEN) {
  const title = [file, ...Object.entries(options).map(([key, value]) => `${key}=${value}`)].join();
  t.test(`${title} reads bit for bit`, async (t) => {
    const reader = await open(file, options);
    t.strictSame([reader.kind, reader.rows, reader.dims, reader.perRow], ['dense', ROWS, COLUMNS, COLUMNS]);
    t.strictSame(reader.files, [join(folder, file)]);
    for (const rowsPerChunk of [1, 7, 40, ROWS, 1000]) {
      t.ok(await sameBits(reader, rowsPerChunk, 0, array), `${rowsPerChunk} rows at a time`);
    }
    for (const first of [1, 39, 40, 41, 80, ROWS - 1, ROWS]) {
      t.ok(await sameBits(reader, 30, first, array.subarray(first * COLUMNS)), `from row ${first} on`);
    }
    t.match(reader.locate(41), `${join(folder, file)} row 41`);
    reader.close();
    reader.close();
  });
}

t.test('bytes of either sign are numbers in every format', async (t) => {
  const files: [file: string, options: Readonly<Record<string, string>>, values: Uint8Array | Int8Array][] = [
    ['a.bvecs', {}, small],
    ['a.u8bin', {}, small],
    ['a.i8bin', {}, signed],
    ['bytes.parquet', {}, small],
    ['many.h5', { dataset: 'small' }, small],
  ];
  for (const [file, key] of [
    ['types.npz', 'array'],
    ['types-deflated.npz', 'array'],
    ['types.safetensors', 'tensor'],
    ['types.h5', 'dataset'],
    ['types.parquet', 'column'],
    ['types.arrow', 'column'],
  ] as const) {
    files.push([file, { [key]: 'small' }, small], [file, { [key]: 'signed' }, signed]);
  }
  for (const [file, options, values] of files) {
    const reader = await open(file, options);
    t.ok(await sameBits(reader, 33, 0, Float32Array.from(values)), `${file} ${JSON.stringify(options)}`);
    reader.close();
  }
  const bfloat = await open('bfloat.safetensors', {});
  t.ok(await sameBits(bfloat, 1, 0, Float32Array.of(1, -2, 2, Number.NEGATIVE_INFINITY)));
  bfloat.close();
});

t.test('decimal text is rounded as NumPy rounds float64 to float32', async (t) => {
  const values = Array.from({ length: 3000 }, (_, at) => Math.sin(at) * 10 ** ((at % 60) - 30));
  const path = join(folder, 'text.csv');
  writeFileSync(path, values.map((value) => `${value}, ${Math.fround(value)}\n`).join(''));
  const reader = await open('text.csv', {});
  const expected = Float32Array.from(values.flatMap((value) => [value, value]));
  t.ok(await sameBits(reader, 1000, 0, expected));
  reader.close();
});

t.test('blocks of LZ4 that refer to the ones before are put together', async (t) => {
  const reader = await open('blocks.arrow', {});
  t.equal(reader.rows, 15_000);
  const expected = Float32Array.from({ length: 90_000 }, (_, at) => at % 1000);
  t.ok(await sameBits(reader, 4096, 0, expected));
  reader.close();
});

t.test('scores and ids of a sparse pair come from any two formats, or from two arrays of one file', async (t) => {
  const pairs: readonly [file: string, idsFile: string, options: Readonly<Record<string, string>>][] = [
    ['c.npy', 'many.npz', { ids_array: 'ids' }],
    ['a.fvecs', 'pages.parquet', { ids_column: 'ids' }],
    ['pages.parquet', 'pages.parquet', { column: 'embedding', ids_column: 'ids' }],
    ['many.h5', 'many.h5', { dataset: 'plain', ids_dataset: 'ids' }],
    ['many.safetensors', 'many.safetensors', { tensor: 'half', ids_tensor: 'ids' }],
    ['stream.arrows', 'stream.arrows', { column: 'v', ids_column: 'ids' }],
    ['a.csv', 'ids.csv', {}],
    ['a.fvecs', 'ids.ivecs', {}],
    ['a.fbin', 'ids.ibin', {}],
    ['one.jsonl', 'ids.csv', {}],
  ];
  const rows = Array.from({ length: ROWS }, (_, row) => ids.subarray(row * COLUMNS, (row + 1) * COLUMNS).join(','));
  writeFileSync(join(folder, 'ids.csv'), rows.join('\n'));
  const expected = ids.map((id, at) => (array[at] === 0 ? 0 : id));
  for (const [file, idsFile, keys] of pairs) {
    const reader = await open(file, { ...keys, ids: join(folder, idsFile) });
    t.strictSame([reader.kind, reader.rows, reader.perRow, reader.dims], ['sparse', ROWS, COLUMNS, 200]);
    const found: number[] = [];
    const values: number[] = [];
    for await (const chunk of reader.chunks(25, 0)) {
      found.push(...(chunk as SparseChunk).ids);
      values.push(...chunk.values);
    }
    t.strictSame(found, [...expected], `${file} and ${idsFile}`);
    t.strictSame(values, [...array]);
    reader.close();
  }
});

t.test('a build from any of them has the same sections', async (t) => {
  const out = join(folder, 'index');
  let first: unknown;
  for (const { file, options = {} } of WRITTEN) {
    const { sections } = await build(out, { a: [join(folder, file), { codec: 'sq8', ...options }] });
    first ??= sections;
    t.strictSame(sections, first, `${file} ${JSON.stringify(options)}: the same names, bytes and checksums`);
  }
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);
  t.equal(openIndex(out).items, ROWS);
});

t.test('a file that is named for another format is read for what it is', async (t) => {
  for (const { file } of WRITTEN.filter(({ file, options }) => options === undefined && !/^a\.|csv|jsonl/.test(file))) {
    const path = join(folder, 'renamed.fvecs');
    writeFileSync(path, readFileSync(join(folder, file)));
    const reader = await open('renamed.fvecs', {});
    t.ok(await sameBits(reader, 50, 0, array), file);
    reader.close();
  }
});

async function open(file: string, options: Readonly<Record<string, string>>): Promise<VectorReader> {
  return (await openReader(join(folder, file), new Map(Object.entries(options)))).reader;
}

/** Whether the rows from `first` on are `expected`, to the bit, in chunks that follow one another. */
async function sameBits(
  reader: VectorReader,
  rowsPerChunk: number,
  first: number,
  expected: Float32Array,
): Promise<boolean> {
  const bits = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
  let row = first;
  for await (const chunk of reader.chunks(rowsPerChunk, first)) {
    const { values } = chunk as DenseChunk;
    const found = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const from = (chunk.firstRow - first) * reader.dims;
    if (chunk.firstRow !== row || chunk.rows < 1 || chunk.rows > rowsPerChunk) return false;
    if (found.some((value, at) => value !== bits[from + at])) return false;
    row += chunk.rows;
  }
  return row === reader.rows && (row - first) * reader.dims === expected.length;
}
