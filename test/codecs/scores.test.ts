// Scores and distances of packed codes against double arithmetic over decoded values, for both codecs.

import t from 'tap';
import type { Collection, Modality } from '../../src/index/open.ts';
import { readItemNumbers } from '../../src/index/sections.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import {
  caltech97,
  collectionOf,
  type Decoded,
  decode,
  everyItem,
  lsc41k,
  lsc100k,
  modelOf,
  randomLabels,
  requestOf,
  tate,
  testOn,
  uniform,
} from '../data.ts';

/** Items of a block, as native/src/kernels.h has them. */
const BLOCK_ITEMS = { ratio: 64, sq8: 16, rabitq: 16 } as const;

for (const dataset of [lsc100k, lsc41k, caltech97, tate]) {
  testOn(t, dataset, 'approximate scores are within the stated error of exact ones', async (t, inputs) => {
    for (const bits of ['24', '8']) {
      if (bits === '8' && dataset !== lsc41k) continue;
      const collection = await collectionOf(t, inputs, { refine: 0 }, bits === '8' ? { stored_bits: bits } : {});
      for (const modality of collection.modalities.values()) {
        for (const model of modelsFor(collection, modality)) {
          const { weights, bias } = model;
          const blockItems = BLOCK_ITEMS[modality.manifest.codec];
          const blocks = Math.ceil(collection.items / blockItems);
          const approximate = new Float32Array(blocks * blockItems);
          native.scoreBlocks(modality.codes, weights, bias, 0, approximate);
          const items = readItemNumbers(collection.directory, collection.manifest, `${modality.name}.items`);
          const exact = new Float64Array(items.length);
          native.scoreItems(native.linearHead(modality.cells, weights, bias), items, exact);
          const error = native.scoreError(modality.codes, weights, bias);
          let largest = 0;
          exact.forEach((score, slot) => {
            largest = Math.max(largest, Math.abs(score - (approximate[slot] as number)));
          });
          t.ok(largest <= error, `${modality.name}: ${largest} of ${error}`);
          // The same blocks one at a time from the middle: where a call begins does not matter.
          const middle = blocks >> 1;
          const one = new Float32Array(blockItems);
          native.scoreBlocks(modality.codes, weights, bias, middle, one);
          t.strictSame(one, approximate.slice(middle * blockItems, (middle + 1) * blockItems));
        }
      }
    }
  });

  testOn(t, dataset, 'distances are those of double arithmetic', async (t, inputs) => {
    const collection = await collectionOf(t, inputs, { refine: 0 });
    for (const modality of collection.modalities.values()) {
      const random = seededRandom(7, 'queries');
      const items = Uint32Array.from({ length: 300 }, () => random.below(collection.items));
      const { dims } = modality.manifest;
      const lowest = lowestValues(modality, everyItem(collection));
      const queries = [
        new Float32Array(dims),
        Float32Array.from({ length: dims }, () => 2 * uniform(random) - 1),
        denseVector(modality, items[0] as number),
      ];
      for (const query of queries) {
        const distances = new Float64Array(items.length);
        native.itemDistances(modality.cells, query, items, distances);
        t.equal(outsideDistances(decode(modality, items), lowest, query, distances), 0, modality.name);
      }
    }
  });
}

/** A trained model, one of a single strong weight, one of nothing but a bias, and one of tiny weights. */
function modelsFor(collection: Collection, modality: Modality): LinearModel[] {
  const labels = randomLabels(seededRandom(6, 'labels'), collection.items, 10, 100);
  const trained = modelOf(modality, requestOf(collection, labels));
  const { dims } = modality.manifest;
  return [
    trained,
    { weights: trained.weights.map((weight, d) => (d === dims >> 1 ? 1000 : weight)), bias: -3 },
    { weights: new Float32Array(dims), bias: 0.3 },
    { weights: trained.weights.map((weight) => weight * 1e-20), bias: 0 },
  ];
}

/**
 * How many distances are off by more than the rounding of decoded floats explains. A decoded float v' is within
 * m u of the stored v, u = 2^-24 and m = |v| for ratio, |v - lowest| + |v| for sq8 (quality.test.ts has why), so
 *   |(q - v)^2 - (q - v')^2| <= 2 |q - v'| m u + (m u)^2;
 * and |q|^2 + sum v (v - 2q) loses dims + 1 roundings of 2^-53 of |q|^2 + |v|^2 + 2 |q| |v| <= 2 (|q|^2 + |v|^2).
 */
function outsideDistances(
  { perRow, ids, values }: Decoded,
  lowest: Float32Array,
  query: Float32Array,
  distances: Float64Array,
): number {
  const querySquare = query.reduce((sum, value) => sum + value * value, 0);
  const u = 2 ** -24;
  let outside = 0;
  distances.forEach((distance, i) => {
    const vector = new Map<number, number>();
    for (let j = 0; j < perRow; j++) {
      const value = values[i * perRow + j] as number;
      if (ids === null || value !== 0) vector.set(ids === null ? j : (ids[i * perRow + j] as number), value);
    }
    let expected = 0;
    let square = 0;
    let tolerance = 0;
    for (let d = 0; d < query.length; d++) {
      const value = vector.get(d) ?? 0;
      const difference = (query[d] as number) - value;
      const magnitude = Math.abs(value) + (ids === null ? Math.abs(value - (lowest[d] as number)) : 0);
      expected += difference * difference;
      square += value * value;
      tolerance += 2 * Math.abs(difference) * magnitude * u + (magnitude * u) ** 2;
    }
    tolerance += (query.length + 1) * 2 ** -51 * (querySquare + square);
    if (!(Math.abs(distance - expected) <= tolerance * (1 + 1e-6)) || distance < 0) outside++;
  });
  return outside;
}

/** The lowest value of each dimension of dense codes; nothing for sparse ones. */
function lowestValues(modality: Modality, items: Uint32Array): Float32Array {
  if (modality.manifest.codec === 'ratio') return new Float32Array(0);
  const { perRow, values } = decode(modality, items);
  const lowest = values.slice(0, perRow);
  for (let at = 0; at < values.length; at++) {
    const d = at % perRow;
    lowest[d] = Math.min(lowest[d] as number, values[at] as number);
  }
  return lowest;
}

function denseVector(modality: Modality, item: number): Float32Array {
  const { ids, values } = decode(modality, Uint32Array.of(item));
  if (ids === null) return values;
  const dense = new Float32Array(modality.manifest.dims);
  values.forEach((value, j) => {
    if (value !== 0) dense[ids[j] as number] = value;
  });
  return dense;
}
