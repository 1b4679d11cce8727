// Input that cannot become an index is refused, each with its reason and place; input that is merely odd becomes one.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import type { Manifest } from '../../src/index/format.ts';
import { openIndex } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { temporaryFolder } from '../support.ts';
import { build, type Input, roundOver, uniformValues, writeLines, writeVectors } from './collections.ts';

const ITEMS = 20;

/** What a build is given besides the vectors `a.npy`, and what it says of it. */
interface Refusal {
  readonly title: string;
  readonly attach: (folder: string) => Parameters<typeof build>[2];
  readonly message: RegExp;
}

const attachments: readonly Refusal[] = [
  {
    title: 'a duplicate key, with both lines',
    attach: (folder) => ({ ids: lines(folder, 'ids.txt', (i) => (i === 17 ? 'key 4' : `key ${i}`)) }),
    message: /ids\.txt line 18: the key "key 4" is also on line 5; keys are unique/,
  },
  {
    title: 'an empty key',
    attach: (folder) => ({ ids: lines(folder, 'ids.txt', (i) => (i === 3 ? '' : `${i}`)) }),
    message: /ids\.txt line 4: a key of 0 bytes; expected 1 to 1024/,
  },
  {
    title: 'a key that is too long',
    attach: (folder) => ({ ids: lines(folder, 'ids.txt', (i) => (i === 3 ? 'é'.repeat(513) : `${i}`)) }),
    message: /ids\.txt line 4: a key of 1026 bytes/,
  },
  {
    title: 'too few keys',
    attach: (folder) => ({ ids: lines(folder, 'ids.txt', (i) => `${i}`, ITEMS - 1) }),
    message: /ids\.txt: 19 lines; the vectors have 20 items, one key each is expected/,
  },
  {
    title: 'too many keys',
    attach: (folder) => ({ ids: lines(folder, 'ids.txt', (i) => `${i}`, ITEMS + 1) }),
    message: /ids\.txt: 21 lines; the vectors have 20 items, one key each is expected/,
  },
  {
    title: 'a file of keys that is not there',
    attach: (folder) => ({ ids: join(folder, 'none.txt') }),
    message: /none\.txt: cannot be read \(ENOENT\)/,
  },
  {
    title: 'too little metadata',
    attach: (folder) => ({ metadata: lines(folder, 'm.jsonl', () => '{}', ITEMS - 1) }),
    message: /m\.jsonl: metadata of 19 items; the vectors have 20, one each is expected/,
  },
  {
    title: 'too much metadata',
    attach: (folder) => ({ metadata: lines(folder, 'm.csv', () => 'a,b', ITEMS + 2) }),
    message: /m\.csv: metadata of 21 items; the vectors have 20/,
  },
  {
    title: 'a line that is not JSON',
    attach: (folder) => ({ metadata: lines(folder, 'm.jsonl', (i) => (i === 6 ? '{"a":' : '{}')) }),
    message: /m\.jsonl line 7: not JSON \(/,
  },
  {
    title: 'a line of JSON that is no object',
    attach: (folder) => ({ metadata: lines(folder, 'm.jsonl', (i) => (i === 6 ? '[1]' : '{}')) }),
    message: /m\.jsonl line 7: is not an object; expected a JSON object/,
  },
  {
    title: 'a CSV row of another length',
    attach: (folder) => ({ metadata: lines(folder, 'm.csv', (i) => (i === 6 ? 'a,b,c' : 'a,b'), ITEMS + 1) }),
    message: /m\.csv line 7: is not CSV \(.*; expected rows of as many cells/,
  },
  {
    title: 'a CSV quote that does not close',
    attach: (folder) => ({ metadata: lines(folder, 'm.csv', (i) => (i === 6 ? '"a,b' : 'a,b'), ITEMS + 1) }),
    message: /m\.csv line 7: is not CSV \(a quotation mark does not close within the file\)/,
  },
  {
    title: 'metadata of more than a megabyte',
    attach: (folder) => ({
      metadata: lines(folder, 'm.jsonl', (i) => JSON.stringify({ a: 'a'.repeat(i === 2 ? 1 << 20 : 1) })),
    }),
    message: /m\.jsonl line 3: 1048584 bytes of metadata for an item; at most 1048576 are kept/,
  },
  {
    title: 'a thumbnail that is not there',
    attach: (folder) => ({ thumbnails: lines(folder, 't.txt', (i) => (i === 9 ? 'none.png' : '')) }),
    message: /t\.txt line 10: .*none\.png: cannot be read \(ENOENT\)/,
  },
  {
    title: 'too few thumbnails',
    attach: (folder) => ({ thumbnails: lines(folder, 't.txt', () => 'a.npy', ITEMS - 1) }),
    message: /t\.txt: 19 lines; the vectors have 20 items, one thumbnail each is expected/,
  },
];

for (const { title, attach, message } of attachments) {
  t.test(`refused: ${title}`, async (t) => {
    const folder = temporaryFolder(t);
    const input = vectors(folder, 'a.npy', ITEMS);
    await refuses(t, folder, { a: [input] }, message, attach(folder));
  });
}

const options: readonly (readonly [keys: Record<string, string>, message: RegExp])[] = [
  [{ codec: 'pq' }, /codec=pq: unknown codec; known are ratio, sq8/],
  [{ codec: 'constructor' }, /codec=constructor: unknown codec/],
  [{ colour: 'red' }, /does not use colour; this input and codec use codec, normalize, bytes_per_item; remove/],
  [{ features: '3' }, /does not use features; this input and codec use codec, normalize/],
  [{ codec: 'ratio', pad_bits: '3' }, /does not use pad_bits/],
  [{ normalize: 'maybe' }, /normalize=maybe: expected true or false/],
  [{ codec: 'ratio', features: '0' }, /features=0: expected a number from 1 to 4/],
  [{ codec: 'ratio', features: '5' }, /features=5: expected a number from 1 to 4/],
  [{ codec: 'ratio', features: '2.5' }, /features=2\.5: expected a whole number/],
  [{ codec: 'ratio', features: 'two' }, /features=two: expected a number/],
  [{ codec: 'ratio', stored_bits: '7' }, /stored_bits=7: expected a number from 8 to 24/],
  [{ codec: 'ratio', stored_bits: '25' }, /stored_bits=25: expected a number from 8 to 24/],
  [{ codec: 'ratio', features: '3', representative_features: '2' }, /representative_features=2: expected .* 3 to 4/],
  [{ codec: 'ratio', value_divisor: '-1' }, /value_divisor=-1: expected a number from 0/],
  [{ codec: 'ratio', ratio_divisor: ' ' }, /ratio_divisor= : expected a number from 0/],
  [{ codec: 'ratio', rounding: 'up' }, /rounding=up: expected nearest or floor/],
];

for (const [keys, message] of options) {
  t.test(`refused: ${JSON.stringify(keys)}`, async (t) => {
    const folder = temporaryFolder(t);
    await refuses(t, folder, { a: [vectors(folder, 'a.npy', ITEMS), keys] }, message);
  });
}

t.test('refused: modalities of different length', async (t) => {
  const folder = temporaryFolder(t);
  const inputs = { a: [vectors(folder, 'a.npy', 20)], b: [vectors(folder, 'b.npy', 21)] } as const;
  await refuses(
    t,
    folder,
    inputs,
    /--modality b: 21 vectors in .*b\.npy, but a has 20; row i of every modality describes item i/,
  );
});

t.test('refused: one name for two modalities', async (t) => {
  const folder = temporaryFolder(t);
  const spec = { name: 'a', path: vectors(folder, 'a.npy', ITEMS), options: new Map() };
  await refuses(t, folder, {}, /--modality a: named twice; every modality has its own name/, {
    modalities: [spec, spec],
  });
});

t.test('refused: sparse vectors with codec=sq8', async (t) => {
  const folder = temporaryFolder(t);
  const input = [vectors(folder, 'a.npy', ITEMS), { codec: 'sq8', ids: sparseIds(folder) }] as const;
  await refuses(t, folder, { a: input }, /codec=sq8: the input is sparse; use codec=ratio/);
});

t.test('refused: negative values with codec=ratio', async (t) => {
  const folder = temporaryFolder(t);
  const values = uniformValues(1, 4 * ITEMS);
  values[4 * 13 + 2] = -0.5;
  const path = writeVectors(join(folder, 'a.npy'), 4, values);
  await refuses(
    t,
    folder,
    { a: [path, { codec: 'ratio' }] },
    /a\.npy row 13, column 2: -0\.5 is negative; .* use codec=sq8/,
  );
});

for (const [codec, value] of [
  ['sq8', Number.NaN],
  ['sq8', Number.NEGATIVE_INFINITY],
  ['ratio', Number.NaN],
  ['ratio', Number.POSITIVE_INFINITY],
] as const) {
  t.test(`refused: ${value} with codec=${codec}`, async (t) => {
    const folder = temporaryFolder(t);
    const path = writeVectors(join(folder, 'a.npy'), 4, uniformValues(1, 4 * ITEMS).fill(value, -2, -1));
    await refuses(
      t,
      folder,
      { a: [path, { codec }] },
      /a\.npy row 19, column 2: (NaN|-?Infinity); expected (a )?finite/,
    );
  });
}

t.test('refused: more dimensions than a codec holds', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 4097, new Float32Array(4097));
  await refuses(t, folder, { a: [path] }, /codec=sq8: 4097 dimensions; it holds up to 4096/);
  const wide = writeVectors(join(folder, 'b.npy'), 65_537, new Float32Array(65_537));
  await refuses(t, folder, { a: [wide, { codec: 'ratio' }] }, /dims=65537: the ratio codec holds up to 65536 features/);
});

t.test('refused: an empty collection', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a.npy');
  writeFileSync(path, npyHeader('f4', [0, 4]));
  await refuses(t, folder, { a: [path] }, /a\.npy: has no rows; expected at least/);
});

t.test('refused: an input that is not there', async (t) => {
  const folder = temporaryFolder(t);
  await refuses(t, folder, { a: [join(folder, 'none.npy')] }, /none\.npy/);
});

for (const codec of ['sq8', 'ratio']) {
  t.test(`${codec}: one item is a collection`, async (t) => {
    const { out, manifest } = await accepts(t, codec, 4, Float32Array.of(1, 2, 3, 4));
    t.match(manifest, { items: 1, modalities: [{ clusters: 1, levels: [1], statistics: { largest_cluster: 1 } }] });
    t.strictSame([...roundOver(out, [], []).items], [0]);
    t.strictSame([...roundOver(out, [0], []).items], []);
  });

  t.test(`${codec}: two equal items are two items`, async (t) => {
    const { out, manifest } = await accepts(t, codec, 4, Float32Array.of(1, 2, 3, 4, 1, 2, 3, 4));
    t.match(manifest, { items: 2, modalities: [{ clusters: 1, statistics: { duplicates: 1, largest_cluster: 2 } }] });
    t.strictSame([...roundOver(out, [0], []).items], [1]);
  });

  t.test(`${codec}: equal items alone are one cluster, and are still suggested`, async (t) => {
    const { out, manifest } = await accepts(t, codec, 3, new Float32Array(3 * 500).fill(0.5));
    const [modality] = manifest.modalities;
    t.match(modality, { clusters: 1, levels: [1] });
    t.match(modality?.statistics, { duplicates: 499, largest_cluster: 500, huge_clusters: 1, unreachable_items: 500 });
    t.equal(roundOver(out, [1], [2]).items.length, 10);
  });

  t.test(`${codec}: zero vectors alone are a collection`, async (t) => {
    const { out, manifest } = await accepts(t, codec, 3, new Float32Array(3 * 300));
    t.match(manifest.modalities[0]?.statistics, { zero_vectors: 300, duplicates: 299, max_value_error: 0 });
    t.equal(roundOver(out, [1], [2]).items.length, 10);
  });

  t.test(`${codec}: one dimension is enough`, async (t) => {
    for (const normalize of ['true', 'false']) {
      const { out } = await accepts(t, codec, 1, uniformValues(1, 200), { normalize });
      t.equal(roundOver(out, [1], [2]).items.length, 10);
    }
  });
}

t.test('a cluster size above the number of items makes one cluster', async (t) => {
  const { manifest } = await accepts(t, 'sq8', 4, uniformValues(1, 4 * 50), {}, { clusterSize: 1_000_000 });
  t.match(manifest.modalities[0], { clusters: 1, levels: [1], statistics: { huge_clusters: 0 } });
});

t.test('hnsw and tree build odd collections too', async (t) => {
  for (const assign of ['hnsw', 'tree'] as const) {
    await accepts(t, 'sq8', 4, Float32Array.of(1, 2, 3, 4), {}, { assign });
    await accepts(t, 'sq8', 4, new Float32Array(4 * 300), {}, { assign });
    await accepts(t, 'ratio', 4, new Float32Array(4 * 300), {}, { assign });
  }
});

t.test('keys, metadata and thumbnails are kept as they are', async (t) => {
  const folder = temporaryFolder(t);
  const input = vectors(folder, 'a.npy', 3);
  writeFileSync(join(folder, 'ids.txt'), 'ключ\r\n a b \r\n__proto__');
  writeFileSync(join(folder, 'm.csv'), '\ufeffname,year,code\n"a, b",2001,007\n,1e3,1.5\n"say ""hi""",-4,x\n');
  writeFileSync(join(folder, 't.txt'), 'a.npy\n\nids.txt');
  const out = join(folder, 'index');
  const attached = { ids: join(folder, 'ids.txt'), metadata: join(folder, 'm.csv'), thumbnails: join(folder, 't.txt') };
  await build(out, { a: [input] }, attached);
  const { keys, metadata, thumbnails } = openIndex(out);
  t.strictSame(
    [0, 1, 2].map((item) => keys?.keyOf(item)),
    ['ключ', ' a b ', '__proto__'],
  );
  t.strictSame([keys?.itemOf('ключ'), keys?.itemOf('__proto__'), keys?.itemOf('a b')], [0, 2, undefined]);
  t.strictSame(
    [0, 1, 2].map((item) => JSON.parse(Buffer.from(metadata?.get(item) ?? []).toString())),
    [
      { name: 'a, b', year: 2001, code: '007' },
      { name: null, year: 1000, code: '1.5' },
      { name: 'say "hi"', year: -4, code: 'x' },
    ],
  );
  t.strictSame(
    [thumbnails?.get(1).length, thumbnails?.get(2).length],
    [0, Buffer.byteLength('ключ\r\n a b \r\n__proto__')],
  );
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);
});

function vectors(folder: string, name: string, items: number): string {
  return writeVectors(join(folder, name), 4, uniformValues(items, 4 * items));
}

function sparseIds(folder: string): string {
  const path = join(folder, 'ids.npy');
  const ids = Uint8Array.from({ length: 4 * ITEMS }, (_, i) => i % 4);
  writeFileSync(path, Buffer.concat([npyHeader('u1', [ITEMS, 4]), ids]));
  return path;
}

function lines(folder: string, name: string, line: (i: number) => string, count = ITEMS): string {
  return writeLines(
    join(folder, name),
    Array.from({ length: count }, (_, i) => line(i)),
  );
}

/** The build fails with the message and leaves nothing behind. */
async function refuses(
  t: Test,
  folder: string,
  inputs: Readonly<Record<string, Input>>,
  message: RegExp,
  options: Parameters<typeof build>[2] = {},
): Promise<void> {
  await t.rejects(() => build(join(folder, 'index'), inputs, options), {
    name: /^(Input|Codec|Index|Option)Error$/,
    message,
  });
  t.notOk(existsSync(join(folder, 'index')));
  t.strictSame(
    readdirSync(folder).filter((name) => name.startsWith('index')),
    [],
  );
}

/** The build succeeds and verifies. */
async function accepts(
  t: Test,
  codec: string,
  dims: number,
  values: Float32Array,
  keys: Readonly<Record<string, string>> = {},
  options: Parameters<typeof build>[2] = {},
): Promise<{ out: string; manifest: Manifest }> {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const manifest = await build(
    out,
    { a: [writeVectors(join(folder, 'a.npy'), dims, values), { codec, ...keys }] },
    options,
  );
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);
  return { out, manifest };
}
