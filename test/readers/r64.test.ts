// The papers' packed r64 folders, read bit for bit.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { collect, sparseRows } from './collect.ts';

const layout = {
  features: '3',
  id_bits: '10',
  value_bits: '54',
  value_divisor: '1e16',
  ratio_bits: '10',
  ratio_divisor: '1000',
};
// (id, value code), (id, ratio code), (id, ratio code); the third row is all zero with ids that mean nothing.
const packed = [
  [7, 5_000_000_000_000_000, 1, 1000, 500, 3],
  [2, 123_456_789_012_345, 9, 250, 0, 999],
  [900, 0, 800, 0, 1000, 0],
] as const;
const ids = [7, 1, 500, 2, 9, 0, 0, 0, 0];
const second = 123_456_789_012_345 / 1e16;
const values = [
  0.5,
  0.5,
  (0.5 * 3) / 1000,
  second,
  (second * 250) / 1000,
  (((second * 250) / 1000) * 999) / 1000,
  0,
  0,
  0,
];

t.test('packed rows are read, ratios undone, with the default padding', async (t) => {
  const { reader, keys } = await open(t, pack(10n, 54n, 4n), layout);
  t.strictSame([reader.kind, reader.rows, reader.perRow, reader.chained], ['sparse', 3, 3, true]);
  t.equal(reader.dims, 501, '1 + the largest id with a value');
  t.ok(keys.includes('features') && keys.includes('pad_bits') && !keys.includes('ids'));
  for (const rowsPerChunk of [1, 2, 8]) {
    const read = await sparseRows(reader, rowsPerChunk);
    t.strictSame(read.ids, ids);
    t.ok(read.values.every((value, at) => Math.abs(value - (values[at] as number)) <= value * 2 ** -50));
  }
  t.match(reader.locate(1), /lsc row 1$/);
  t.match(reader.files, [/init\.u64$/, /ids\.u64$/, /ratios\.u64$/]);
});

t.test('padding and dims may be given', async (t) => {
  const { reader } = await open(t, pack(10n, 54n, 0n), { ...layout, pad_bits: '0', dims: '1024' });
  t.equal(reader.dims, 1024);
  t.strictSame((await sparseRows(reader, 3)).ids, ids);
  const small = (await open(t, pack(10n, 54n, 4n), { ...layout, dims: '500' })).reader;
  await t.rejects(() => collect(small.chunks(1)), {
    name: 'InputError',
    message: /lsc row 0: has id 500; expected 0 to 499/,
  });
});

t.test('a layout that is missing, out of range or over 64 bits is refused', async (t) => {
  const files = pack(10n, 54n, 4n);
  for (const key of Object.keys(layout)) {
    const { [key as keyof typeof layout]: _, ...rest } = layout;
    await t.rejects(() => open(t, files, rest), { name: 'InputError', message: new RegExp(`but ${key} is not given`) });
  }
  await t.rejects(() => open(t, files, {}), /features, id_bits, .* are not given; .*features=5,id_bits=16/);
  const wrong: readonly [Record<string, string>, RegExp][] = [
    [{ features: '0' }, /features=0 is out of range/],
    [{ features: '8' }, /\(features - 1\) \* id_bits \+ pad bits is 74/],
    [{ id_bits: '17' }, /id_bits=17 is out of range; expected an integer from 1 to 16/],
    [{ id_bits: '11' }, /id_bits \+ value_bits is 65/],
    [{ ratio_bits: '33' }, /ratio_bits=33/],
    [{ features: '4', ratio_bits: '32' }, /\(features - 1\) \* ratio_bits \+ pad bits is 96/],
    [{ pad_bits: '64' }, /pad_bits=64/],
    [{ pad_bits: '45' }, /id_bits \+ pad bits is 65/],
    [{ value_divisor: '0' }, /value_divisor=0/],
    [{ ratio_divisor: '-1' }, /ratio_divisor=-1/],
    [{ dims: '1025' }, /dims=1025 is out of range; expected an integer from 1 to 1024/],
  ];
  for (const [change, message] of wrong) {
    await t.rejects(
      () => open(t, files, { ...layout, ...change }),
      { name: 'InputError', message },
      JSON.stringify(change),
    );
  }
});

t.test('a folder that is not whole is refused', async (t) => {
  const { init, ids, ratios } = pack(10n, 54n, 4n);
  const refused = (files: Record<string, Buffer>, message: RegExp) =>
    t.rejects(() => openFolder(t, files, layout), { name: 'InputError', message });
  await refused({ 'init.u64': init, 'ids.u64': ids }, /has no ratios\.u64; expected init\.u64, ids\.u64, ratios\.u64/);
  await refused(
    { 'init.u64': init, 'ids.u64': ids, 'ratios.u64': ratios.subarray(8) },
    /different length \(24, 24, 16 bytes\)/,
  );
  await refused(
    Object.fromEntries(['init.u64', 'ids.u64', 'ratios.u64'].map((name) => [name, init.subarray(1)])),
    /files of 23 bytes/,
  );
  await refused(
    Object.fromEntries(['init.u64', 'ids.u64', 'ratios.u64'].map((name) => [name, Buffer.alloc(0)])),
    /files of 0 bytes/,
  );
  await refused({ 'a.txt': init }, /is a folder of 1 names, no format known here/);
});

t.test('folders of a pattern follow one another', async (t) => {
  const { init, ids: idWords, ratios } = pack(10n, 54n, 4n);
  const folder = () => ({ 'init.u64': init, 'ids.u64': idWords, 'ratios.u64': ratios });
  const { reader } = await openReader(
    join(t.testdir({ a: folder(), b: folder() }), '?'),
    new Map(Object.entries(layout)),
  );
  t.strictSame((await sparseRows(reader, 2)).ids, [...ids, ...ids]);
  t.match(reader.locate(4), /b row 1$/);
  reader.close();
});

const lsc100k = join('..', 'shared', 'data', 'lsc100k');
const absent = existsSync(lsc100k) ? false : `${lsc100k} is not there`;
t.test('lsc100k has the traits its description states', { skip: absent }, async (t) => {
  const options = {
    features: '5',
    id_bits: '16',
    value_bits: '48',
    value_divisor: '2e14',
    ratio_bits: '16',
    ratio_divisor: '50000',
  };
  const { reader } = await openReader(lsc100k, new Map(Object.entries(options)));
  let zeroRows = 0;
  for await (const { rows, values } of reader.chunks(4096)) {
    for (let row = 0; row < rows; row++) if (values[row * 5] === 0) zeroRows++;
  }
  t.strictSame([reader.rows, reader.dims, zeroRows], [100_000, 12_988, 3]);
  reader.close();
});

async function open(t: Test, files: ReturnType<typeof pack>, keys: Record<string, string>) {
  return await openFolder(t, { 'init.u64': files.init, 'ids.u64': files.ids, 'ratios.u64': files.ratios }, keys);
}

async function openFolder(t: Test, files: Record<string, Buffer>, keys: Record<string, string>) {
  const opened = await openReader(join(t.testdir({ lsc: files }), 'lsc'), new Map(Object.entries(keys)));
  t.teardown(() => opened.reader.close());
  return opened;
}

/** The rows above as words, written from the description of the format rather than from the reader. */
function pack(bits: bigint, valueBits: bigint, pad: bigint): { init: Buffer; ids: Buffer; ratios: Buffer } {
  const words = (word: (row: (typeof packed)[number]) => bigint) =>
    Buffer.from(BigUint64Array.from(packed, word).buffer);
  const further = (first: number, next: number) => (BigInt(first) | (BigInt(next) << bits)) << pad;
  return {
    init: words((row) => (BigInt(row[0]) << valueBits) | BigInt(row[1])),
    ids: words((row) => further(row[2], row[4])),
    ratios: words((row) => further(row[3], row[5])),
  };
}
