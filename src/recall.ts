// How much of what an exhaustive search finds the b best clusters of one modality hold.

import { type CandidateSearch, candidatesOfAll, candidatesOfBestClusters } from './candidates.ts';
import { trainHeads } from './heads.ts';
import type { Collection, Modality } from './index/open.ts';
import type { LabelSet } from './label-sets.ts';
import { native } from './native.ts';
import { DEFAULT_WEIGHT, type ModelOptions } from './round-request.ts';

export interface RecallOptions {
  /** The b to measure. */
  readonly clusters: readonly number[];
  /** Items that a search is to find. */
  readonly top: number;
  readonly model: ModelOptions;
  readonly seed: number;
  readonly workers: number;
}

/**
 * For each b the recall@top of the hyperplane that the labels teach: the share of the `top` best of all unlabelled items
 * that are among the `top` best of the b best clusters. Items are compared by their scores, which are exact, so that it
 * does not matter which of several equally good ones are found.
 */
export function recallByClusters(
  collection: Collection,
  { name }: Modality,
  { positive, negative }: LabelSet,
  options: RecallOptions,
): Float64Array {
  const { model, seed, top, workers } = options;
  const skip = Uint32Array.from(new Set([...positive, ...negative])).sort();
  const modalities = [{ name, weight: DEFAULT_WEIGHT }];
  const training = { positive, negative, model, modalities, seed, startMs: 0, deadlineMs: Number.POSITIVE_INFINITY };
  const { heads } = trainHeads(collection, training, skip);
  const search = (clusters: number): CandidateSearch => ({
    clusters,
    segments: 1,
    candidates: top,
    // More would have the search go on to further clusters where b of them hold fewer.
    k: 1,
    workers,
    deadlineMs: Number.POSITIVE_INFINITY,
    sizeLimit: collection.manifest.build.size_limit,
    items: collection.items,
  });
  try {
    const truth = descending(candidatesOfAll(heads, search(0), skip).scores[0]);
    return Float64Array.from(options.clusters, (clusters) => {
      const found = descending(candidatesOfBestClusters(heads, search(clusters), skip, () => {}).scores[0]);
      return inBoth(truth, found) / truth.length;
    });
  } finally {
    for (const { prepared } of heads) native.releaseHead(prepared);
  }
}

function descending(scores: Float64Array = new Float64Array(0)): Float64Array {
  return scores.slice().sort().reverse();
}

/** How many numbers two descending lists have in common, repeated ones as often as both have them. */
function inBoth(a: Float64Array, b: Float64Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i] as number, b[j] as number];
    if (x === y) common++;
    if (x >= y) i++;
    if (x <= y) j++;
  }
  return common;
}
