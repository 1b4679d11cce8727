// Arrays and tables at the edges of their formats: large, many, of rare types, empty, closed, or of the wrong kind.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { File, ready } from 'h5wasm/node';
import t from 'tap';
import { inBlocks } from '../../index-builder/readers/arrays/blocks.ts';
import { InputFile } from '../../index-builder/readers/input-file.ts';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { DenseChunk, SparseChunk, VectorReader } from '../../index-builder/readers/reader.ts';
import { build } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { ROWS, writeFormats } from './array.ts';
import { collect } from './collect.ts';
import { type ZipEntry, zipOf } from './zip.ts';

const folder = temporaryFolder(t);
writeFormats(folder);

t.test('a deflated array of any byte order is read beyond what its header is looked for in', async (t) => {
  const rows = 700;
  for (const type of ['f2', 'f4', 'f8', 'i1'] as const) {
    const size = Number(type.slice(1));
    const values = Array.from({ length: rows * 10 }, (_, at) => (at * 37) % 100);
    for (const order of type === 'i1' ? ['|'] : ['<', '>']) {
      const data = Buffer.alloc(values.length * size);
      values.forEach((value, at) => {
        if (type === 'i1') data.writeInt8(value, at);
        else if (type === 'f2') data.writeUInt16LE(halfOf(value), 2 * at);
        else if (type === 'f4') data.writeFloatLE(value, 4 * at);
        else data.writeDoubleLE(value, 8 * at);
      });
      if (order === '>') turned(data, size);
      write('a.npz', zipOf([{ name: 'v.npy', bytes: npy(type, [rows, 10], data, order), deflated: true }]));
      const reader = await open('a.npz');
      t.strictSame(await valuesOf(reader), values, `${order}${type}`);
      reader.close();
      await t.rejects(collect(reader.chunks(10)), /a\.npz is closed/);
    }
  }
});

const zips: readonly [string, readonly ZipEntry[], Readonly<Record<string, string>>, RegExp][] = [
  ['no array', [{ name: 'readme.txt', bytes: Buffer.from('x') }], {}, /a\.npz: has no array; expected a array with a/],
  [
    'none of a name',
    [{ name: 'readme.txt', bytes: Buffer.from('x') }],
    { array: 'v' },
    /has no array 'v'; expected one of nothing; correct array=/,
  ],
  [
    'many arrays',
    Array.from({ length: 14 }, (_, at) => ({ name: `v${at}.npy`, bytes: Buffer.from('x') })),
    {},
    /has 14 of them: 'v0', .*'v9' and 4 more; expected to be told which/,
  ],
  [
    'more entries than any archive of arrays',
    Array.from({ length: 10_001 }, (_, at) => ({ name: `${at}`, bytes: new Uint8Array(0) })),
    {},
    /more than 10000 entries/,
  ],
  ['an array behind the end', [{ name: 'v.npy', bytes: Buffer.from('x'), size: 10 ** 8 }], {}, /is truncated|overflow/],
];

for (const [title, entries, options, message] of zips) {
  t.test(`refused: a .npz with ${title}`, async (t) => {
    write('a.npz', zipOf(entries));
    await t.rejects(open('a.npz', options), { name: 'InputError', message });
  });
}

t.test('headers of .npy lack nothing, and quote their keys in either way', async (t) => {
  const headers: readonly [string, RegExp | null][] = [
    [`{"descr": "<f4", "fortran_order": False, "shape": (1, 1)}`, null],
    ["{'fortran_order': False, 'shape': (1, 1)}", /no key 'descr' near/],
    ["{'descr': '<f4', 'fortran_order': False}", /no key 'shape' near/],
    ["{'descr': '', 'fortran_order': False, 'shape': (1, 1)}", /has dtype ; expected float32/],
    ["{descr: '<f4'}", /no string near byte 1/],
  ];
  for (const [text, message] of headers) {
    const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length, 0]);
    write('h.npy', Buffer.concat([head, Buffer.from(text), Buffer.from(Float32Array.of(7).buffer)]));
    if (message === null) t.strictSame(await valuesOf(await open('h.npy')), [7]);
    else await t.rejects(open('h.npy'), { name: 'InputError', message });
  }
  write('h.npy', Buffer.from([0x93, ...Buffer.from('NUMPY'), 2, 0, 9, 0, 0]));
  await t.rejects(open('h.npy'), /is truncated in its header: 11 bytes in all; expected 12 before the data/);
});

t.test('HDF5 of fixed texts is no array, and one that is closed is not read', async (t) => {
  await ready;
  const file = new File(join(folder, 'texts.h5'), 'w');
  file.create_dataset({ name: 'texts', data: ['ab', 'cd'], shape: [2, 1], dtype: 'S2' });
  file.close();
  await t.rejects(open('texts.h5'), /dataset 'texts': has elements of HDF5 class 3; expected float32/);
  for (const [name, options] of [
    ['many.h5', { dataset: 'plain' }],
    ['none.parquet', {}],
    ['c.npy', {}],
  ] as const) {
    const reader = await open(name, options);
    reader.close();
    await t.rejects(collect(reader.chunks(10)), / is closed/, name);
  }
});

t.test('text of numbers is read in all its spellings, and refused by column', async (t) => {
  write('inf.csv', Buffer.from('1,2\ninf,-Infinity\n NaN ,1e-3\n'));
  t.strictSame(await valuesOf(await open('inf.csv')), [1, 2, Infinity, -Infinity, Number.NaN, Math.fround(1e-3)]);
  write('ids.csv', Buffer.from('1,2\n3,2.5\n'));
  write('s2.npy', npy('f4', [2, 2], Buffer.alloc(16, 0x3f)));
  await t.rejects(open('s2.npy', { ids: join(folder, 'ids.csv') }), /ids\.csv.*: has 2\.5 in column 1; expected whole/);
  write('v.jsonl', Buffer.from('{"v":[1]}\n{"v":"x"}\n'));
  const message = /line 2.*: has no array of numbers; expected an array of numbers/;
  await t.rejects(open('v.jsonl', { column: 'v' }), { message });
  write('long.jsonl', Buffer.concat([Buffer.from('[1]\n[1'), Buffer.alloc(2 ** 26 + 2 ** 20, ',1')]));
  await t.rejects(open('long.jsonl'), { message: /line 2: is longer than 67108864 bytes; expected a line per item/ });
});

t.test('half as many bits as float32 are scores too', async (t) => {
  write('pairs.npy', npy('u1', [2, 2], Buffer.from([3, 1, 0, 2])));
  const reader = await open('bfloat.safetensors', { ids: join(folder, 'pairs.npy') });
  const [chunk] = await collect(reader.chunks(2));
  t.strictSame(
    [[...(chunk?.values ?? [])], [...(chunk as SparseChunk).ids]],
    [
      [1, -2, 2, -Infinity],
      [3, 1, 0, 2],
    ],
  );
  reader.close();
  for (const [header, message] of [
    ['{"a":null}', /tensor 'a' without dtype, shape and data_offsets/],
    ['{"a":7}', /tensor 'a' without dtype/],
  ] as const) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    write('bad.safetensors', Buffer.concat([length, Buffer.from(header)]));
    await t.rejects(open('bad.safetensors'), { name: 'InputError', message });
  }
});

t.test('files of pairs must agree in width, and rows are asked for within them', async (t) => {
  for (const [at, width] of [1, 2].entries()) {
    write(`w${at}.npy`, npy('f4', [1, width], Buffer.alloc(4 * width, 0x3f)));
    write(`i${at}.npy`, npy('u1', [1, width], Buffer.alloc(width, 1)));
  }
  const ids = { ids: join(folder, 'i?.npy') };
  await t.rejects(open('w?.npy', ids), /w1\.npy: has 2 pairs a row; expected 1 pairs a row as in .*w0\.npy/);
  write('w1.npy', npy('f4', [1, 1], Buffer.alloc(4, 0x3f)));
  const both = await open('w?.npy');
  for (const reader of [both, await open('c.npy'), await open('none.parquet')]) {
    for (const first of [-1, 0.5, ROWS + 1]) await t.rejects(collect(reader.chunks(1, first)), RangeError);
    reader.close();
  }
});

t.test('folders and links that lead nowhere are told from files', async (t) => {
  mkdirSync(join(folder, 'sub'));
  t.throws(() => new InputFile(join(folder, 'sub')), /sub: is a folder; expected a file; name a file inside it/);
  symlinkSync('loop', join(folder, 'loop'));
  t.throws(() => new InputFile(join(folder, 'loop')), { name: 'InputError', message: /cannot be read \(ELOOP\); / });
  const out = join(folder, 'refused');
  const metadata = join(folder, 'sub');
  await t.rejects(build(out, { a: [join(folder, 'c.npy')] }, { metadata }), /sub: is a folder; expected/);
  write('empty.txt', Buffer.alloc(0));
  const empty = build(out, { a: [join(folder, 'c.npy')] }, { metadata: join(folder, 'empty.txt') });
  await t.rejects(empty, /empty\.txt: is empty; expected a header line/);
});

t.test('pieces that end before the rows do, or go on behind them, are told with the row', async (t) => {
  const shape = { type: 'u1', rows: 5, columns: 4 } as const;
  const read = (...lengths: readonly number[]) =>
    collect(inBlocks('x', shape, 2, 0, { first: 0, bytes: lengths.map((length) => new Uint8Array(length)) }));
  t.strictSame(
    (await read(3, 17)).map(({ first, count }) => [first, count]),
    [
      [0, 2],
      [2, 2],
      [4, 1],
    ],
  );
  await t.rejects(read(7, 7), /x: ends in row 3; expected 5 rows of 4 values/);
  await t.rejects(read(7, 14), /x: has more than 5 rows of data; expected as many as it says/);
});

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
}

async function open(name: string, options: Readonly<Record<string, string>> = {}): Promise<VectorReader> {
  return (await openReader(join(folder, name), new Map(Object.entries(options)))).reader;
}

async function valuesOf(reader: VectorReader): Promise<number[]> {
  const values: number[] = [];
  for await (const chunk of reader.chunks(64)) values.push(...(chunk as DenseChunk).values);
  return values;
}

/** A .npy with another byte order than this machine's where that is asked for. */
function npy(type: NpyType, shape: readonly number[], data: Uint8Array, order = '<'): Buffer {
  const header = Buffer.from(npyHeader(type, shape)).toString('latin1').replace(`'<${type}'`, `'${order}${type}'`);
  return Buffer.concat([Buffer.from(header, 'latin1'), data]);
}

function turned(data: Buffer, size: number): Buffer {
  return size === 2 ? data.swap16() : size === 4 ? data.swap32() : data.swap64();
}

/** Whole numbers below 2048 as float16. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
}
