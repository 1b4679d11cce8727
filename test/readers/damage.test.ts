// Files that are cut off, hold the wrong thing or are damaged: an error with the file and the row or field, never a crash,
// a hang or silence.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import t from 'tap';
import { ArrowFile } from '../../index-builder/readers/arrow-file.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { InputError } from '../../index-builder/readers/reader.ts';
import { seededRandom } from '../../src/random.ts';
import { build } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { COLUMNS, ROWS, WRITTEN, writeFormats } from './array.ts';

const folder = temporaryFolder(t);
writeFormats(folder);
const empty = { dtype: 'F32', shape: [0, 4], data_offsets: [0, 0] };

/** What is wrong, a file to write or that is there, keys, and the message. */
const refusals: readonly [string, string | Uint8Array, Readonly<Record<string, string>>, RegExp][] = [
  [
    'two arrays, no name',
    'many.npz',
    {},
    /many\.npz: has 4 of them: 'half', 'big', 'columns', 'ids'; .*add array=NAME/,
  ],
  ['two tensors, no name', 'many.safetensors', {}, /has 3 of them: .*'features'.*; .*add tensor=NAME/],
  ['two datasets, no name', 'many.h5', {}, /has 7 of them: .*'plain'.*; .*add dataset=NAME/],
  ['two columns, no name', 'pages.parquet', {}, /has 2 of them: 'embedding', 'ids'; .*add column=NAME/],
  ['two columns of an Arrow stream', 'stream.arrows', {}, /has 2 of them: 'v', 'ids'; .*add column=NAME/],
  ['two fields, no name', 'two.jsonl', {}, /two\.jsonl line 1: has 2 of them: 'vector', 'other'; .*add column=NAME/],
  ['no such array', 'many.npz', { array: 'x' }, /has no array 'x'; expected one of 'half', 'big', 'columns', 'ids'/],
  ['no such tensor', 'many.safetensors', { tensor: 'x' }, /has no tensor 'x'; expected one of /],
  ['no such dataset', 'many.h5', { dataset: 'group' }, /has no dataset 'group'; expected one of .*'group\/chunked'/],
  ['no such column', 'zstd.parquet', { column: 'x' }, /has no column 'x'; expected one of 'key', 'year', /],
  ['no such column of an Arrow file', 'lz4.arrow', { column: 'x' }, /has no column 'x'; expected one of 'key', /],
  ['no such CSV column', 'column.csv', { column: 'x' }, /has no column 'x'; its first line names name, vector/],
  ['no such field', 'one.jsonl', { column: 'x' }, /one\.jsonl line 1: has no column 'x'; expected one of 'key', /],
  ['a key of another format', 'one.h5', { tensor: 'x' }, /does not use tensor/],
  ['integers in .ivecs', 'ids.ivecs', {}, /ids\.ivecs: has elements of \.ivecs; expected float32, /],
  ['integers in a .npz', 'many.npz', { array: 'ids' }, /array 'ids': has dtype <i4; expected float32, /],
  ['integer tensors', 'many.safetensors', { tensor: 'ids' }, /tensor 'ids': has dtype I32; expected float32/],
  [
    'integer datasets',
    'many.h5',
    { dataset: 'ids' },
    /dataset 'ids': has signed integers of 4 bytes; expected float32/,
  ],
  ['datasets of text', 'many.h5', { dataset: 'names' }, /dataset 'names': has elements of HDF5 class 3/],
  ['integer lists', 'pages.parquet', { column: 'ids' }, /column 'ids': has lists of .*int.*; expected float32/],
  ['integer lists in Arrow', 'stream.arrows', { column: 'ids' }, /column 'ids': has lists of Int32; expected float32/],
  ['single values', 'zstd.parquet', { column: 'price' }, /column 'price': holds single values/],
  ['single values in Arrow', 'lz4.arrow', { column: 'price' }, /column 'price': holds Float64; expected a list/],
  ['lists of text', 'zstd.parquet', { column: 'tags' }, /column 'tags': has lists of .*; expected float32/],
  [
    'a tensor of one dimension',
    'many.safetensors',
    { tensor: 'flat' },
    /tensor 'flat': has 1 dimensions, shape \(582,\)/,
  ],
  ['a dataset of one dimension', 'many.h5', { dataset: 'flat' }, /dataset 'flat': has 1 dimensions, shape \(582,\)/],
  [
    'an unknown compression in zip',
    'bzip2.npz',
    {},
    /is encrypted or compressed by method 12; expected stored or deflated/,
  ],
  ['deflated columns', 'many.npz', { array: 'columns' }, /Fortran \(column\) order and deflated/],
  [
    'a filter that is not there',
    'many.h5',
    { dataset: 'lzf' },
    /dataset 'lzf': is compressed with the filter 'lzf' \(32000\); expected gzip/,
  ],
  ['ragged Parquet', 'ragged.parquet', {}, /ragged\.parquet row 50: column 'v' has 5 values; expected 6/],
  ['a null list in Parquet', 'null-row.parquet', {}, /null-row\.parquet row 60: column 'v' is null or empty/],
  ['a null in a list in Parquet', 'null-value.parquet', {}, /null-value\.parquet row 7: column 'v' has a null at 2/],
  ['ragged Arrow', 'ragged.arrow', {}, /ragged\.arrow row 50: column 'v' has 5 values; expected 6/],
  ['a null list in Arrow', 'null-row.arrow', {}, /null-row\.arrow row 60: column 'v' is null/],
  ['no rows of Parquet', 'empty.parquet', {}, /has no rows/],
  ['no rows of a tensor', safetensors({ a: empty }), {}, /tensor 'a': has no rows/],
  ['a tensor longer than it says', safetensors({ a: { ...empty, shape: [1, 4] } }, 8), {}, /tensor 'a': is truncated/],
  [
    'a tensor past the end',
    safetensors({ a: { ...empty, shape: [1, 4], data_offsets: [0, 16] } }, 8),
    {},
    /tensor 'a': is truncated: 8 bytes of data, which end in row 0; expected 16 for 1 x 4 float32/,
  ],
  [
    'a tensor without a shape',
    safetensors({ a: { dtype: 'F32' } }),
    {},
    /tensor 'a' without dtype, shape and data_off/,
  ],
  ['no tensors', safetensors({}), {}, /has no tensor; /],
  ['ragged CSV', Buffer.from('1,2\n3,4\n5\n'), {}, /x\.csv line 3: is not CSV/],
  ['ragged CSV vectors', Buffer.from('v\n1 2\n3\n'), { column: 'v' }, /x\.csv line 3: has 1 values; expected 2/],
  ['a word in CSV', Buffer.from('1,2\n3,x\n'), {}, /x\.csv line 2: has 'x' in column 1; expected a number/],
  ['a named word in CSV', Buffer.from('a,b\n3,x\n'), {}, /x\.csv line 2: has 'x' in column 'b'; expected a number/],
  ['an empty cell', Buffer.from('1,2\n3,\n'), {}, /x\.csv line 2: has '' in column 1/],
  ['a header alone', Buffer.from('a,b\n'), { column: 'b' }, /has no rows/],
  ['text that is not UTF-8', Buffer.from('1,2\n3,\xe9\n', 'latin1'), {}, /x\.csv line 2: is not UTF-8/],
  ['ragged JSON Lines', Buffer.from('[1,2]\n[3]\n'), {}, /line 2: has 1 values; expected 2/],
  ['JSON Lines cut off', Buffer.from('[1,2]\n[3,'), {}, /line 2: is not JSON/],
  ['null in JSON Lines', Buffer.from('[1,2]\n[3,null]\n'), {}, /line 2: has null at 1; expected an array of numbers/],
  ['a line without the field', Buffer.from('{"v":[1]}\n{"w":[1]}\n'), {}, /line 2: has no 'v'/],
  ['a blank line', Buffer.from('[1]\n\n[2]\n'), {}, /line 2: is not JSON/],
  ['a list after objects', Buffer.from('{"v":[1]}\n[1]\n'), {}, /line 2: is no object|column/],
];

for (const [title, content, options, message] of refusals) {
  t.test(`refused: ${title}`, async (t) => {
    const name = typeof content === 'string' ? content : 'x.csv';
    const path = join(folder, name);
    if (typeof content !== 'string') writeFileSync(path, content);
    const out = join(folder, 'out');
    await t.rejects(() => build(out, { a: [path, options] }), { name: 'InputError', message });
    await t.rejects(
      () => build(out, { a: [path, options] }),
      { message: /[^;]+; [^;]+; [^;]+/ },
      'fault, expectation, remedy',
    );
    t.notOk(existsSync(out));
    t.notOk(existsSync(`${out}.building`));
  });
}

t.test('rows of .fvecs that begin with another length are refused by number', async (t) => {
  const whole = readFileSync(join(folder, 'a.fvecs'));
  whole.writeInt32LE(5, 41 * 4 * (COLUMNS + 1));
  const path = join(folder, 'damaged.fvecs');
  writeFileSync(path, whole);
  await t.rejects(() => drain(path, {}), { message: /damaged\.fvecs row 41: has 5 dims; expected 6 as in row 0/ });
  whole.writeInt32LE(0, 0);
  writeFileSync(path, whole);
  await t.rejects(() => drain(path, {}), { message: /row 0 has 0 dims; expected at least 1/ });
});

t.test('an array that is cut off is refused with the row in which it ends', async (t) => {
  const rowBytes = 4 * COLUMNS;
  const header = { a: { dtype: 'F32', shape: [ROWS, COLUMNS], data_offsets: [0, ROWS * rowBytes] } };
  writeFileSync(join(folder, 'whole.safetensors'), safetensors(header, ROWS * rowBytes));
  const files = ['c.npy', 'a.fbin', 'whole.safetensors', 'a.fvecs'];
  for (const file of files) {
    const whole = readFileSync(join(folder, file));
    const path = join(folder, `row-41${extname(file)}`);
    for (const part of [0, 5]) {
      const bytes = file.endsWith('vecs') ? rowBytes + 4 : rowBytes;
      writeFileSync(path, whole.subarray(0, whole.length - (ROWS - 41) * bytes + part));
      const cut = { name: 'InputError', message: /is truncated.* bytes.* end in row 41; expected / };
      // Rows of .fvecs say no number of rows, so whole ones are a whole file.
      if (file.endsWith('vecs') && part === 0) t.equal(await drain(path, {}), 41);
      else await t.rejects(drain(path, {}), cut, `${file} and ${part} bytes`);
    }
  }
});

t.test('NaN and infinities in any format are refused by the build with file and row', async (t) => {
  for (const [name, text] of [
    ['nan.csv', '1,2\n3,nan\n'],
    ['inf.tsv', '1\t2\n-inf\t3\n'],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, text);
    await t.rejects(() => build(join(folder, 'out'), { a: [path, { codec: 'sq8' }] }), {
      name: 'CodecError',
      message: new RegExp(`${name} row 1`),
    });
  }
});

t.test('a file cut off anywhere is an error, or holds whole rows of what it held', async (t) => {
  for (const { file, options = {} } of WRITTEN) {
    const whole = readFileSync(join(folder, file));
    const random = seededRandom(1, `cuts of ${file}`);
    const cuts = [0, 1, 7, 8, 9, whole.length - 1, whole.length - 4, whole.length - 9];
    for (let i = 0; i < 12; i++) cuts.push(random.below(whole.length));
    for (const [i, cut] of cuts.entries()) {
      const path = join(folder, `cut-${i}${extname(file)}`);
      writeFileSync(path, whole.subarray(0, cut));
      const rows = await outcome(path, options);
      rmSync(path);
      // Text may end behind any number, and a stream of Arrow behind any batch: shorter, but nothing that was not there.
      if (typeof rows === 'number' && !/csv|tsv|jsonl|arrows$/.test(file)) t.fail(`${file} cut at ${cut}: ${rows}`);
      if (typeof rows === 'number' && rows > ROWS) t.fail(`${file} cut at ${cut} has ${rows} rows`);
      if (rows instanceof Error && !(rows instanceof InputError)) throw rows;
    }
    t.pass(`${file} ${JSON.stringify(options)}`);
  }
});

t.test('an Arrow file that ends exactly behind a batch is an error, not a shorter collection', async (t) => {
  const whole = readFileSync(join(folder, 'uncompressed.arrow'));
  const arrow = new ArrowFile(join(folder, 'uncompressed.arrow'));
  arrow.close();
  t.equal(arrow.batches.length, 3);
  for (const { at, bytes, firstRow, rows } of arrow.batches) {
    const path = join(folder, 'behind-batch.arrow');
    writeFileSync(path, whole.subarray(0, at + bytes));
    const expected = { name: 'InputError', message: /no footer: the file does not end in ARROW1; expected a whole, / };
    await t.rejects(drain(path, {}), expected, `${firstRow + rows} rows`);
    writeFileSync(path, whole.subarray(0, at + bytes - 1));
    const within = { name: 'InputError', message: new RegExp(`is truncated: .* the batches of ${firstRow} rows; exp`) };
    await t.rejects(drain(path, {}), within, `${firstRow} rows and a part`);
  }
});

t.test('flipped bytes anywhere are an error or other numbers', async (t) => {
  const seen = new Map<string, [refused: number, read: number]>();
  const kept: string[] = [];
  for (const { file, options = {} } of WRITTEN) {
    const whole = readFileSync(join(folder, file));
    const random = seededRandom(2, `flips of ${file}`);
    const counts = seen.get(extname(file)) ?? [0, 0];
    for (let i = 0; i < FLIPS; i++) {
      const bytes = Buffer.from(whole);
      for (let flips = random.below(3) + 1; flips > 0; flips--) {
        // The structure is at the ends of most formats.
        const near = random.below(3);
        const at = near === 0 ? random.below(Math.min(256, bytes.length)) : random.below(bytes.length);
        bytes[near === 1 ? bytes.length - 1 - (at % Math.min(2048, bytes.length)) : at] = random.below(256);
      }
      // A name of its own: the HDF5 library keeps open what it could not read, and knows files by device and inode.
      const path = join(folder, `flipped-${i}${extname(file)}`);
      writeFileSync(path, bytes);
      const found = await outcome(path, options);
      kept.push(path);
      if (found instanceof Error && !(found instanceof InputError)) {
        t.fail(`${file} flip ${i}: ${found.stack}`);
      }
      counts[found instanceof Error ? 0 : 1]++;
    }
    seen.set(extname(file), counts);
    for (const path of kept.splice(0)) rmSync(path);
  }
  for (const [extension, [refused, read]] of seen)
    t.ok(refused + read > 0, `${extension}: ${refused} refused, ${read} read`);
});

t.test('no format leaves a file open', async (t) => {
  const before = openFiles();
  for (const { file, options = {} } of WRITTEN) {
    await drain(join(folder, file), options);
    await drain(join(folder, file), { ...options, [Object.keys(options)[0] ?? 'column']: 'nothing' }).catch(() => {});
  }
  t.strictSame(openFiles(), before);
});

const FLIPS = 60;

/** Rows read, or the error. */
async function outcome(path: string, options: Readonly<Record<string, string>>): Promise<number | Error> {
  try {
    return await drain(path, options);
  } catch (error) {
    return error as Error;
  }
}

async function drain(path: string, options: Readonly<Record<string, string>>): Promise<number> {
  const { reader } = await openReader(path, new Map(Object.entries(options)));
  let rows = 0;
  try {
    for await (const chunk of reader.chunks(64)) rows += chunk.rows;
  } finally {
    reader.close();
  }
  return rows;
}

function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').filter((fd) => Number(fd) > 2 && basename(fd) !== '');
}

function safetensors(header: unknown, dataBytes = 0): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}
