// The measurements behind the statistics report, on vectors whose counts are known, and traits that do not hold.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { drawTable, shareOf, WordStream, zipfWeights } from '../../index-builder/generate/chance.ts';
import { CITY_COUNT, CityOfItem, citySizes } from '../../index-builder/generate/cities.ts';
import { FEATURES, newWords, pack, RATIO_LIMIT, type Words } from '../../index-builder/generate/layout.ts';
import { EXACT_ITEMS, Measurement } from '../../index-builder/generate/measure.ts';
import type { Statistics } from '../../index-builder/generate/statistics.ts';
import { traitsOf } from '../../index-builder/generate/traits.ts';
import { generateYfcc } from '../../index-builder/generate/yfcc.ts';
import { seededRandom } from '../../src/random.ts';
import { temporaryFolder } from '../support.ts';

t.test('features, empty items and equal vectors are counted, frequent vectors apart', async (t) => {
  // Item 0 to 9: the same vector; 10 to 12: none; 13 to 99: one of its own each, of two features.
  const words = newWords(100);
  for (let row = 0; row < 10; row++) packRow(words, row, [1, 2, 3, 4, 5, 6], RATIO_LIMIT);
  for (let row = 13; row < 100; row++) packRow(words, row, [row, 7], row);
  const folder = writeWords(t, words, 100);
  const whole = new Measurement({ folder, dims: 100, items: 100 }, new Float64Array(0));
  const keys = whole.keysOf(0, 100);
  t.equal(new Set(keys).size, 1 + 1 + 87);
  whole.end();

  const measurement = new Measurement({ folder, dims: 100, items: 100 }, keys.slice(0, 1));
  measurement.add(0, 60);
  measurement.add(60, 40);
  const measured = measurement.end();
  t.strictSame([...measured.frequentItems], [10]);
  t.strictSame([...measured.itemsByFeatures], [3, 0, 87, 0, 0, 0, 10]);
  t.strictSame([...measured.featureItems.subarray(0, 14)], [0, 10, 10, 10, 10, 10, 10, 87, 0, 0, 0, 0, 0, 1]);
  t.strictSame(measured.keys, keys.slice(10));
});

t.test('in a large collection vectors are sampled with all their copies', async (t) => {
  const words = newWords(4000);
  for (let row = 0; row < 4000; row++) packRow(words, row, [row >> 4, 255], 1 + ((row >> 1) & 7));
  const folder = writeWords(t, words, 4000);
  const items = 4 * EXACT_ITEMS;
  const measurement = new Measurement({ folder, dims: 256, items }, new Float64Array(0));
  measurement.add(0, 4000);
  const { keys } = measurement.end();
  // One of four of 2,000 vectors: binomial with deviation sqrt(2000 * 1/4 * 3/4) = 19.4; six of them.
  t.ok(Math.abs(keys.length / 2 - 500) < 6 * 19.4, `${keys.length / 2} of 2,000`);
  t.equal(new Set(keys).size, keys.length / 2, 'every sampled vector with both items');
});

t.test('files that are cut short or hold a feature past the last are refused', async (t) => {
  const words = newWords(10);
  packRow(words, 3, [99, 1], 1);
  const folder = writeWords(t, words, 10);
  const none = new Float64Array(0);
  t.throws(() => new Measurement({ folder, dims: 100, items: 11 }, none).add(0, 11), {
    name: 'GenerateError',
    message: /init\.u64: ends early when read back; check the disk and generate again/,
  });
  t.throws(() => new Measurement({ folder, dims: 99, items: 10 }, none).add(0, 10), {
    name: 'GenerateError',
    message: /ids\.u64: holds feature 99 of 99/,
  });
});

t.test('a trait that does not hold is found, each by itself', async (t) => {
  const { signal } = new AbortController();
  const out = join(temporaryFolder(t), 'out');
  const { statistics: good } = await generateYfcc({ out, items: 20_000, seed: 1, threads: 1, signal }, () => {});
  const failing = (change: Partial<Statistics>): string[] =>
    traitsOf({ ...good, ...change })
      .filter(({ holds }) => !holds)
      .map(({ name }) => name);
  t.strictSame(failing({}), []);
  const { visual, text, cities } = good;
  t.strictSame(failing({ visual: { ...visual, zipf_slope: -0.2 } }), ['visual: slope of feature counts']);
  t.strictSame(failing({ text: { ...text, features_per_item: 3 } }), ['text: features per item that has any']);
  t.strictSame(failing({ text: { ...text, duplicate_share: 0 } }), ['text: items equal to another, share']);
  t.strictSame(failing({ text: { ...text, empty_share: 0.3 } }), ['text: empty, share of items']);
  t.strictSame(failing({ visual: { ...visual, large_groups: [0.03] } }), ['visual: not found, share of items']);
  t.strictSame(failing({ visual: { ...visual, large_groups: [0.015, 0.012, 0.011] } }), [
    'visual: vectors of over 1 % of the items',
  ]);
  t.strictSame(failing({ cities: { ...cities, cities: 49 } }), ['cities']);
  t.strictSame(failing({ cities: { ...cities, largest: cities.largest + 1 } }), ['cities: largest, items']);
  t.strictSame(failing({ cities: { ...cities, share: 0.6 } }), ['cities: share of items']);
});

t.test('every city gets exactly its size, whatever the number of items', async (t) => {
  for (const items of [20_000, 65_537, 131_072]) {
    const cityOf = new CityOfItem(items, seededRandom(items, 'test cities'));
    const counts = new Uint32Array(CITY_COUNT + 1);
    for (let item = 0; item < items; item++) {
      const city = cityOf.of(item);
      counts[city] = (counts[city] as number) + 1;
    }
    t.strictSame(counts.subarray(1), citySizes(items), `${items} items`);
  }
});

t.test('draws follow their distribution', async (t) => {
  const stream = new WordStream(5, 'test draws');
  const table = drawTable(zipfWeights(20, 1), 16);
  const draws = 100_000;
  const counts = new Float64Array(20);
  let happened = 0;
  for (let i = 0; i < draws; i++) {
    const number = table[stream.word() >>> 16] as number;
    counts[number] = (counts[number] as number) + 1;
    if (stream.happens(shareOf(0.3))) happened += 1;
  }
  const total = zipfWeights(20, 1).reduce((sum, weight) => sum + weight);
  // Chi-square with 19 degrees of freedom passes 60 with probability 4e-6.
  const chi = counts.reduce((sum, count, i) => {
    const expected = draws / ((i + 1) * total);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  t.ok(chi < 60, `chi-square ${chi}`);
  t.ok(Math.abs(happened - 30_000) < 6 * Math.sqrt(draws * 0.3 * 0.7), `${happened} of 30,000`);
});

function packRow(words: Words, row: number, features: readonly number[], ratio: number): void {
  const ids = Uint16Array.from({ length: FEATURES }, (_, i) => features[i] ?? 0);
  const ratios = Uint16Array.from({ length: FEATURES }, (_, i) => (i > 0 && i < features.length ? ratio : 0));
  pack(words, row, ids, 1000, ratios);
}

function writeWords(t: Test, words: Words, rows: number): string {
  const folder = join(temporaryFolder(t), 'vectors');
  mkdirSync(folder);
  for (const name of ['init', 'ids', 'ratios'] as const) {
    writeFileSync(join(folder, `${name}.u64`), new Uint8Array(words[name].buffer, 0, rows * 8));
  }
  return folder;
}
