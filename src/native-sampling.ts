// The part of the addon that samplers and sweeps use: every item at once, or what stands for them.

import type {
  CellsHandle,
  ClusterValue,
  DiverseChoiceHandle,
  HeadHandle,
  LevelsHandle,
  NearSearchHandle,
  ScanResult,
  SectionHandle,
} from './native-types.ts';

/** Mean and standard deviation, of the population. */
interface ScoreMoments {
  readonly mean: number;
  readonly deviation: number;
}

export interface NativeSampling {
  /** The exact score of every item, by item number. False: the deadline passed first, `scores` is of no use. */
  scoreAll(head: HeadHandle, workers: number, deadlineMs: number, scores: Float64Array): boolean;
  /** Adds every item's exact score to its sum, by item number. False as above. */
  addScores(head: HeadHandle, workers: number, deadlineMs: number, sums: Float64Array): boolean;
  /**
   * Appends a digit to every item's cell, cells[i] * segments + its segment: segments are equally full, the first holds
   * the largest values, equal values go by item number; see native/src/quantiles.h.
   */
  appendSegments(values: Float64Array, segments: number, workers: number, cells: Uint32Array): void;
  /**
   * Scores of a whole sample (item i in slot i) by a scan in 8 bits, corrected by a few exact ones, by item number. Returns their
   * moments. See native/src/sample-scores.h.
   */
  scanSample(head: HeadHandle, scores: Float64Array): ScoreMoments;
  /** sums[i] += factor * (scores[i] - offset). Returns the moments of the sums. */
  addStandardised(scores: Float64Array, factor: number, offset: number, sums: Float64Array): ScoreMoments;
  /** The squared distance of every item to the nearest of the query items: weights[m] times that of modality m, summed. */
  nearestDistances(
    cells: readonly CellsHandle[],
    weights: Float64Array,
    queries: Uint32Array,
    workers: number,
    deadlineMs: number,
    distances: Float64Array,
  ): boolean;
  /** The own cluster of each query item and the `clusters` nearest others, in each modality. See native/src/near.h. */
  nearSearch(
    cells: readonly CellsHandle[],
    weights: Float64Array,
    levels: readonly LevelsHandle[],
    queries: Uint32Array,
    clusters: number,
    deadlineMs: number,
  ): NearSearchHandle;
  /** The items of those clusters nearest to any query, nearest first; `skip` (ascending) is left out. */
  nearItems(
    search: NearSearchHandle,
    skip: Uint32Array,
    deadlineMs: number,
    items: Uint32Array,
  ): ScanResult & { readonly found: number };
  /** As nearestDistances, of given items. */
  nearestOfItems(
    cells: readonly CellsHandle[],
    weights: Float64Array,
    queries: Uint32Array,
    items: Uint32Array,
    distances: Float64Array,
  ): void;
  /** The clusters of the largest value, best first; centres: dense rows. Returns how many were written. */
  valuedClusters(
    head: HeadHandle,
    centres: Float32Array,
    value: ClusterValue,
    sizeLimit: number,
    clusters: Uint32Array,
  ): number;
  /** The items of clusters, in order, until `items` is full. Returns how many were written. */
  clusterItems(cells: CellsHandle, clusters: Uint32Array, items: Uint32Array): number;
  /**
   * A choice of items with a cosine of at most `limit` to all of `chosen` and to each other, or of more than `wantedLimit`
   * to one of `wanted`; see diversity.h.
   */
  diverseChoice(
    cells: readonly CellsHandle[],
    weights: Float64Array,
    chosen: Uint32Array,
    limit: number,
    wanted: Uint32Array,
    wantedLimit: number,
  ): DiverseChoiceHandle;
  /** Chooses of `items` in order, until `out` is full. */
  diverseItems(
    choice: DiverseChoiceHandle,
    items: Uint32Array,
    deadlineMs: number,
    out: Uint32Array,
  ): { readonly found: number; readonly looked: number; readonly complete: boolean };
  /** Rows of `components`: unit vectors over the dims of all modalities in turn; see principal.h. */
  principalComponents(
    cells: readonly CellsHandle[],
    weights: Float64Array,
    sample: Uint32Array,
    components: Float32Array,
  ): void;
  /** The numbers at some positions of a section of `count` packed ones. */
  numbersAt(section: SectionHandle, count: number, limit: number, positions: Uint32Array, out: Uint32Array): void;
}
