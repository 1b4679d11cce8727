// layout.json in an r64 folder: read for the keys that are not given, refused when it is not a layout.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type OpenedReader, openReader } from '../../index-builder/readers/open-reader.ts';
import { collect } from './collect.ts';

const layout = {
  features: 2,
  id_bits: 10,
  value_bits: 54,
  value_divisor: 1e16,
  ratio_bits: 10,
  ratio_divisor: 1000,
  dims: 700,
};
/** One item: feature 9 with 0.25, feature 3 with half of it. */
const words = {
  'init.u64': word((9n << 54n) | 2_500_000_000_000_000n),
  'ids.u64': word(3n << 4n),
  'ratios.u64': word(500n << 4n),
};

t.test('the file stands for keys that are not given', async (t) => {
  const { reader } = await open(t, JSON.stringify(layout));
  t.strictSame([reader.dims, reader.perRow, reader.rows], [700, 2, 1]);
  const [chunk] = await collect(reader.chunks(1));
  t.match(chunk, { ids: Uint32Array.of(9, 3), values: Float64Array.of(0.25, 0.125) });
});

t.test('keys that are given win over the file', async (t) => {
  const { reader } = await open(t, JSON.stringify(layout), { ratio_divisor: '2000', dims: '1024' });
  t.equal(reader.dims, 1024);
  t.match((await collect(reader.chunks(1)))[0], { values: Float64Array.of(0.25, 0.0625) });
});

t.test('a file with some of the keys leaves the others to be given', async (t) => {
  const { dims, ratio_divisor, ...rest } = layout;
  const text = JSON.stringify(rest);
  await t.rejects(() => open(t, text), {
    name: 'InputError',
    message: /but ratio_divisor is not given; .* or a layout\.json/,
  });
  t.equal((await open(t, text, { ratio_divisor: String(ratio_divisor), dims: String(dims) })).reader.dims, dims);
});

t.test('a file that is no layout is refused by its name', async (t) => {
  const refusals: readonly (readonly [text: string, message: RegExp])[] = [
    ['{', /layout\.json: is not JSON \(.*\); expected an object of features, id_bits, .*; correct it, or remove it/],
    ['[6]', /layout\.json: is not an object/],
    ['null', /layout\.json: is not an object/],
    [JSON.stringify({ ...layout, colour: 1 }), /layout\.json: has the unknown key 'colour'/],
    [JSON.stringify({ ...layout, features: '2' }), /layout\.json: has a features that is no number/],
    [
      JSON.stringify({ ...layout, features: 0 }),
      /layout\.json: features=0 is out of range; expected an integer from 1/,
    ],
    [JSON.stringify({ ...layout, id_bits: 10.5 }), /layout\.json: id_bits=10\.5 is out of range/],
    [JSON.stringify({ ...layout, value_divisor: -1 }), /layout\.json: value_divisor=-1 is out of range/],
    [JSON.stringify({ ...layout, id_bits: 11 }), /id_bits \+ value_bits is 65/],
    [JSON.stringify({ ...layout, dims: 1025 }), /dims=1025 is out of range; expected an integer from 1 to 1024/],
    [' '.repeat(70_000), /layout\.json: is larger than 65536 bytes/],
  ];
  for (const [text, message] of refusals) await t.rejects(() => open(t, text), { name: 'InputError', message }, text);
  await t.rejects(() => openReader(t.testdir({ ...words, 'layout.json': {} }), new Map()), {
    name: 'InputError',
    message: /layout\.json: cannot be read \(EISDIR\)/,
  });
});

async function open(t: Test, text: string, keys: Readonly<Record<string, string>> = {}): Promise<OpenedReader> {
  const folder = t.testdir({ r64: { ...words, 'layout.json': text } });
  const opened = await openReader(join(folder, 'r64'), new Map(Object.entries(keys)));
  t.teardown(() => opened.reader.close());
  return opened;
}

function word(value: bigint): Buffer {
  return Buffer.from(BigUint64Array.of(value).buffer);
}
