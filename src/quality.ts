// What an index says of its own quality: the recall of rounds that read b clusters, and the b to recommend.

import type { RecallManifest } from './index/format.ts';
import type { Collection, Modality } from './index/open.ts';
import { type LabelSet, randomLabelSets, relatedLabelSets } from './label-sets.ts';
import { recallByClusters } from './recall.ts';
import { ROUND_DEFAULTS } from './round-request.ts';

/** What is measured, for every index alike. */
export const QUALITY = { top: 100, positives: 10, negatives: 100, target: 0.95 } as const;

/** Smaller collections are not measured: a round of default width reads all of them. */
export const LEAST_ITEMS = 1000;

/** The widths measured: 1, 2, 4 … 1024, as far as there are clusters. */
const MOST_CLUSTERS = 1024;

/** Hyperplanes of each kind where nobody says how many: enough that the mean of 32 is within a fifth of their spread. */
const QUERIES = 32;
export const MAX_QUERIES = 10_000;
const LEAST_QUERIES = 4;
/** Items scored per kind and modality at most: some ten seconds, a few hundredths of the build of so many items. */
const MOST_SCORED = 2 ** 32;

export interface QualityOptions {
  /** Hyperplanes of each kind. */
  readonly queries: number;
  readonly seed: number;
  readonly workers: number;
}

/** Hyperplanes of each kind that a collection of this size is measured by; 0: it is not measured. */
export function defaultQueries(items: number): number {
  if (items < LEAST_ITEMS) return 0;
  return Math.min(QUERIES, Math.max(LEAST_QUERIES, Math.floor(MOST_SCORED / items)));
}

/**
 * The recall of one modality over clusters, for SVMs (the default model of a round) of related and of random positives;
 * both kinds must reach the target for a width to be recommended. The collection has LEAST_ITEMS items or more.
 */
export function measureRecall(
  collection: Collection,
  modality: Modality,
  { queries, seed, workers }: QualityOptions,
  onDone: (hyperplanes: number) => void,
): RecallManifest {
  const { top, positives, negatives, target } = QUALITY;
  const clusters = widthsFor(modality.manifest.clusters);
  const counts = { count: queries, positives, negatives, seed };
  const search = { clusters, top, model: ROUND_DEFAULTS.model, seed, workers };
  let done = 0;
  const measure = (sets: readonly LabelSet[]) =>
    sets.map((labels) => {
      const recalls = recallByClusters(collection, modality, labels, search);
      onDone(++done);
      return recalls;
    });
  const related = measure(relatedLabelSets(modality, collection.items, counts));
  const random = measure(randomLabelSets(collection.items, counts));
  const by_clusters = clusters.map((b, w) => ({
    clusters: b,
    related: spreadOf(related, w),
    random: spreadOf(random, w),
  }));
  const weaker = by_clusters.map((row) => Math.min(row.related.mean, row.random.mean));
  return { hyperplanes: queries, by_clusters, recommended_clusters: leastReaching(clusters, weaker, target) };
}

/**
 * The least b with so much recall, between two measured widths linearly in log2 b, rounded up: recall bends the other
 * way, so that this is rather too much. Null when no width reaches it.
 */
export function leastReaching(clusters: readonly number[], recalls: readonly number[], target: number): number | null {
  const w = recalls.findIndex((recall) => recall >= target);
  const [b, recall] = [clusters[w], recalls[w]];
  if (b === undefined || recall === undefined) return null;
  const [before, recallBefore] = [clusters[w - 1], recalls[w - 1]];
  if (before === undefined || recallBefore === undefined) return b;
  const share = (target - recallBefore) / (recall - recallBefore);
  return Math.min(b, Math.ceil(before * (b / before) ** share));
}

function widthsFor(clusters: number): number[] {
  const widths = [1];
  for (let b = 2; b <= MOST_CLUSTERS && b / 2 < clusters; b *= 2) widths.push(b);
  return widths;
}

/** Of one width over all hyperplanes. */
function spreadOf(recalls: readonly Float64Array[], width: number) {
  const values = recalls.map((recall) => recall[width] as number);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length), least: Math.min(...values) };
}
