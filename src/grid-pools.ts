// Items of a large collection among which the best of each cell are (GridS of IRIS): those of the best clusters.

import { type Candidates, candidatesOfBestClusters } from './candidates.ts';
import type { CollectionSample } from './collection-sample.ts';
import type { Fused } from './fused-scores.ts';
import type { Head } from './head.ts';
import { moments } from './moments.ts';
import { native } from './native.ts';
import type { GridPool } from './samplers/sampler.ts';
import type { Scan, Spaces } from './spaces.ts';

/** What pools are taken from. */
export interface PoolSource {
  readonly heads: readonly Head[];
  readonly spaces: Spaces;
  readonly sizeLimit: number;
  readonly skip: Uint32Array;
  readonly admitted: Uint32Array | null;
  readonly fused: Fused;
  readonly scan: Scan;
  readonly sample: CollectionSample;
  /** Told of every read. */
  readonly onRead: (read: Pick<Candidates, 'clustersRead' | 'itemsScored' | 'complete'>) => void;
}

type Pool = Omit<GridPool, 'cells'>;

/**
 * b and r of each pool, per head, and how many of its items, the best, are nearly all that are so good: the hundred best of
 * two heads together were among 16,384 of each head, but not among 2048 (docs/samplers.md).
 */
const WIDTHS = [
  { clusters: 2048, candidates: 16_384, sure: 64 },
  { clusters: 8192, candidates: 65_536, sure: 512 },
] as const;

/** Of a pool by score and distance. */
const FAR = {
  /** b and r of the best scores. */
  liked: { clusters: 512, candidates: 2048 },
  /** Positives that stand for all where many distances are asked for. */
  centres: 8,
  /** Clusters read per modality for their value, and items of them at most. */
  clusters: 96,
  clusterItems: 16_384,
  /** Items of the sample among them, as many as make so many distances to all positives, within these bounds. */
  distances: 2 ** 18,
  leastSampled: 1024,
  mostSampled: 8192,
  /** Items measured against all positives. */
  measured: 2048,
} as const;

/**
 * Pools by score alone, wider and wider. A floor is the most that an item in no head's list can have, or where that is
 * less the value of the last one of which the pool is sure; the last floor is not -Infinity unless every cluster was read.
 */
export function* likedPools(source: PoolSource): Generator<Pool> {
  for (const { clusters, candidates, sure } of WIDTHS) {
    const { items, scores } = liked(source, clusters, candidates);
    // What is in no head's list scores at most the last of each list.
    const least = scores.map((own) =>
      items.length < candidates ? Number.NEGATIVE_INFINITY : greatest(own, candidates),
    );
    const most = source.fused.fuse(least.map((score) => Float64Array.of(score)))[0] as number;
    const values = source.fused.fuse(scores);
    const last = items.length > sure ? greatest(values, sure) : Number.NEGATIVE_INFINITY;
    yield { items, values, floor: Number.isNaN(most) ? Number.NEGATIVE_INFINITY : Math.min(most, last) };
    if (clusters >= Math.max(...source.heads.map(({ modality }) => modality.manifest.clusters))) return;
  }
}

/** A pool by score and distance to the positives, which is exact. */
export function distantPool(source: PoolSource, positive: Uint32Array, zeta: number): Omit<Pool, 'floor'> {
  const { fused, spaces, sample } = source;
  const cells = spaces.modalities.map((modality) => modality.cells);
  const distancesTo = (queries: Uint32Array, items: Uint32Array): Float64Array => {
    const squares = new Float64Array(items.length);
    native.nearestOfItems(cells, spaces.weights, queries, items, squares);
    source.onRead({ clustersRead: 0, itemsScored: items.length * cells.length, complete: true });
    return squares.map(Math.sqrt);
  };
  const wanted = Math.floor(FAR.distances / positive.length);
  const sampled = every(sample.items, Math.min(FAR.mostSampled, Math.max(FAR.leastSampled, wanted)));
  const distance = moments(distancesTo(positive, sampled));
  const weights = {
    score: fused.moments.deviation > 0 ? zeta / fused.moments.deviation : 0,
    distance: distance.deviation > 0 ? (1 - zeta) / distance.deviation : 0,
  };
  const valueFor = (score: number, far: number): number =>
    weights.score * (score - fused.moments.mean) + weights.distance * (far - distance.mean);

  const centres = every(positive, FAR.centres);
  const near = liked(source, FAR.liked.clusters, FAR.liked.candidates).items;
  const far = itemsOfClusters(source, centres, sampled, weights);
  const items = Uint32Array.from(new Set([...near, ...far, ...sampled])).sort();
  const scores = fused.scoresOf(items);
  // The nearest of some positives is no nearer than the nearest of all: no value is larger than this.
  const bounds = distancesTo(centres, items);
  const most = bounds.map((bound, i) => valueFor(scores[i] as number, bound));
  const order = new Uint32Array(items.length);
  native.orderByScore(items, most, order);
  const best = order.subarray(0, FAR.measured);
  const kept = Uint32Array.from(best, (at) => items[at] as number);
  const exact = distancesTo(positive, kept);
  return { items: kept, values: exact.map((farness, i) => valueFor(scores[best[i] as number] as number, farness)) };
}

function liked(
  { heads, sizeLimit, skip, admitted, spaces, scan, onRead }: PoolSource,
  clusters: number,
  candidates: number,
): Candidates {
  const { workers, deadlineMs } = scan;
  const search = {
    ...{ workers, deadlineMs, clusters, candidates, sizeLimit, segments: 1, k: 1, items: spaces.items },
    ...(admitted === null ? {} : { admitted }),
  };
  const found = candidatesOfBestClusters(heads, search, skip, () => {});
  onRead(found);
  return found;
}

/** Items of the clusters whose representatives promise the largest values, of every modality. */
function itemsOfClusters(
  { fused, spaces, sizeLimit, onRead }: PoolSource,
  centres: Uint32Array,
  sampled: Uint32Array,
  weights: { readonly score: number; readonly distance: number },
): Uint32Array {
  const squares = spaces.modalities.map(({ cells }, m) => {
    const distances = new Float64Array(sampled.length);
    native.nearestOfItems([cells], spaces.weights.subarray(m, m + 1), centres, sampled, distances);
    return moments(distances).mean;
  });
  const all = squares.reduce((sum, square) => sum + square, 0);
  const found = fused.terms.flatMap(({ head, factor }, m) => {
    const { modality, prepared } = head;
    const value = {
      scoreFactor: weights.score * factor,
      distanceFactor: weights.distance,
      weight: spaces.weights[m] as number,
      // What the other modalities add, on average.
      rest: all - (squares[m] as number),
    };
    const clusters = new Uint32Array(FAR.clusters);
    const written = native.valuedClusters(prepared, denseRows(modality, centres), value, sizeLimit, clusters);
    const items = new Uint32Array(FAR.clusterItems);
    const count = native.clusterItems(modality.cells, clusters.subarray(0, written), items);
    onRead({ clustersRead: written, itemsScored: count, complete: true });
    return [...items.subarray(0, count)];
  });
  return Uint32Array.from(found);
}

function denseRows({ cells, manifest }: Head['modality'], items: Uint32Array): Float32Array {
  const { dims, ratio } = manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(items.length * perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : values.length);
  native.decodeItems(cells, items, ids, values);
  if (ratio === undefined) return values;
  const rows = new Float32Array(items.length * dims);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / perRow) * dims + (ids[i] as number);
    rows[at] = (rows[at] as number) + (values[i] as number);
  }
  return rows;
}

/** At most `count` of `items`, evenly spaced. */
function every(items: Uint32Array, count: number): Uint32Array {
  const most = Math.min(count, items.length);
  return Uint32Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as number);
}

/** The n-th greatest of the values, from 1, as a float. */
function greatest(values: ArrayLike<number>, n: number): number {
  const found = new Float32Array(1);
  native.greatestValues(Float32Array.from(values), Uint32Array.of(n), found);
  return found[0] as number;
}
