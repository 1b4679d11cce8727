// What a person may have labelled: seeded sets of positives and negatives, to measure an index by.

import type { Modality } from './index/open.ts';
import { native } from './native.ts';
import { type Random, sampleOutside, seededRandom } from './random.ts';

export interface LabelSet {
  readonly positive: Uint32Array;
  readonly negative: Uint32Array;
}

/** How many sets of how many labels. */
export interface LabelCounts {
  readonly count: number;
  readonly positives: number;
  readonly negatives: number;
  readonly seed: number;
}

/** Related positives are the nearest of so many random items: about a class of 1 % of the collection. */
const RELATED_SAMPLE = 1024;

const NOTHING = new Uint32Array(0);

/** Sets of distinct random items: hyperplanes in no particular direction, the hardest case for an index. */
export function randomLabelSets(items: number, { count, positives, negatives, seed }: LabelCounts): LabelSet[] {
  const random = seededRandom(seed, 'random label sets');
  return Array.from({ length: count }, () => {
    const drawn = sampleOutside(random, positives + negatives, items, NOTHING);
    return { positive: drawn.slice(0, positives), negative: drawn.slice(positives) };
  });
}

/**
 * Sets as a session has them: positives near a random item that is not a zero vector, that item among them, and random
 * negatives. Of equal vectors one is taken as long as there are others: copies would teach nothing.
 */
export function relatedLabelSets(
  modality: Modality,
  items: number,
  { count, positives, negatives, seed }: LabelCounts,
): LabelSet[] {
  const random = seededRandom(seed, 'related label sets');
  return Array.from({ length: count }, () => {
    const positive = relatedItems(random, modality, items, positives);
    return { positive, negative: sampleOutside(random, negatives, items, positive) };
  });
}

/** Those of a random sample that are nearest to one of its items, by distance, copies last. */
function relatedItems(random: Random, modality: Modality, items: number, count: number): Uint32Array {
  const sample = sampleOutside(random, RELATED_SAMPLE, items, NOTHING);
  const query = queryAmong(modality, sample);
  const distances = new Float64Array(sample.length);
  native.itemDistances(modality.cells, query, sample, distances);
  const ascending = distances.slice().sort();
  const limit = ascending.filter((distance, i) => distance !== ascending[i - 1])[count - 1] ?? Number.POSITIVE_INFINITY;
  const near = Array.from(sample.keys())
    .filter((i) => (distances[i] as number) <= limit)
    .sort(
      (a, b) => (distances[a] as number) - (distances[b] as number) || (sample[a] as number) - (sample[b] as number),
    );
  // Two items at exactly the same distance are taken for copies.
  const isCopy = near.map((i, place) => place > 0 && distances[i] === distances[near[place - 1] as number]);
  const ordered = [...near.filter((_, place) => !isCopy[place]), ...near.filter((_, place) => isCopy[place])];
  return Uint32Array.from(ordered.slice(0, count), (i) => sample[i] as number);
}

/** The vector of the first of these items that is not all zeros, or zeros when all are. */
function queryAmong(modality: Modality, sample: Uint32Array): Float32Array {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : perRow);
  const vector = new Float32Array(dims);
  for (let i = 0; i < sample.length; i++) {
    native.decodeItems(modality.cells, sample.subarray(i, i + 1), ids, values);
    if (values.every((value) => value === 0)) continue;
    if (ratio === undefined) return values;
    // Zeros pad a sparse row, behind any id.
    values.forEach((value, j) => {
      if (value !== 0) vector[ids[j] as number] = value;
    });
    return vector;
  }
  return vector;
}
