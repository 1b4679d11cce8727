// The geometries of dense codecs: inner product over vectors as they came, cosine over vectors at unit length, Euclidean
// distance over both, each against float64 over the input. Which one an index has stands in its manifest.

import t from 'tap';
import type { Modality } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { clustered, collectionOf, denseFile, everyItem, modalityOf, uniform } from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 3000;
const DIMS = 48;
const QUERIES = 20;
const TOP = 50;
/** Of the best 50 in float64 that codes of 8 bits must find; their order is decided by less than a hundredth of a score. */
const LEAST_RECALL = 0.95;

/** Lengths differ fourfold, so that inner product, cosine and distance have different best items. */
const values = clustered(ITEMS, DIMS, 60, 3);
const random = seededRandom(4, 'lengths');
for (let item = 0; item < ITEMS; item++) {
  const length = 0.5 + 1.5 * uniform(random);
  for (let at = item * DIMS; at < (item + 1) * DIMS; at++) values[at] = length * (values[at] as number);
}
const queries = Array.from({ length: QUERIES }, (_, q) =>
  Float32Array.from({ length: DIMS }, (_, d) => (values[q * 97 * DIMS + d] as number) + uniform(random) - 0.5),
);

for (const codec of ['sq8', 'rabitq'] as const) {
  for (const normalize of [false, true]) {
    const geometry = normalize ? 'cosine' : 'inner product';
    t.test(`${codec}: the best items are those of ${geometry}, the nearest those of Euclidean distance`, async (t) => {
      const path = denseFile(temporaryFolder(t), 'v', values, DIMS);
      const bits = codec === 'rabitq' ? { bits: '8' } : {};
      const options = { codec, normalize: `${normalize}`, ...bits };
      const collection = await collectionOf(t, { v: { path, options } });
      const modality = modalityOf(collection, 'v');
      t.equal(modality.manifest.normalize, normalize, 'the manifest says which');
      const stored = normalize ? unitLength(values) : values;
      const items = everyItem(collection);
      const share = { score: 0, distance: 0 };
      for (const query of queries) {
        const products = scoresOf(stored, (value, d) => value * (query[d] as number));
        share.score += overlap(bestOf(modality, query), products) / QUERIES;
        const distances = new Float64Array(ITEMS);
        native.itemDistances(modality.cells, query, items, distances);
        const exact = scoresOf(stored, (value, d) => -((value - (query[d] as number)) ** 2));
        share.distance += overlap(ranked(distances.map((distance) => -distance)), exact) / QUERIES;
        const other = scoresOf(normalize ? values : unitLength(values), (value, d) => value * (query[d] as number));
        t.ok(overlap(ranked(other), products) < LEAST_RECALL, 'the other geometry has other best items');
      }
      t.ok(share.score >= LEAST_RECALL, `${geometry}: ${share.score}`);
      t.ok(share.distance >= LEAST_RECALL, `Euclidean distance: ${share.distance}`);
    });
  }
}

function bestOf({ cells }: Modality, weights: Float32Array): Uint32Array {
  const items = new Uint32Array(TOP);
  const head = native.linearHead(cells, weights, 0);
  native.scanAll(head, new Uint32Array(0), 1, Number.POSITIVE_INFINITY, items, new Float64Array(TOP));
  return items;
}

function unitLength(rows: Float32Array): Float64Array {
  const lengths = scoresOf(rows, (value) => value * value).map(Math.sqrt);
  return Float64Array.from(rows, (value, i) => value / (lengths[Math.floor(i / DIMS)] as number));
}

/** Per row the sum of a term of its values. */
function scoresOf(rows: ArrayLike<number>, term: (value: number, d: number) => number): Float64Array {
  return Float64Array.from({ length: ITEMS }, (_, item) => {
    let sum = 0;
    for (let d = 0; d < DIMS; d++) sum += term(rows[item * DIMS + d] as number, d);
    return sum;
  });
}

function ranked(scores: Float64Array): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => (scores[b] as number) - (scores[a] as number))
    .slice(0, TOP);
}

function overlap(found: ArrayLike<number>, scores: Float64Array): number {
  const best = new Set(ranked(scores));
  return Array.from(found).filter((item) => best.has(item)).length / TOP;
}
