// SpreadS through clusters: beside a scan of every item, and beside a choice of clusters by all representatives.

import { native } from '../../src/native.ts';
import type { Spaces } from '../../src/spaces.ts';
import { first, type Row, type Surveys, spreadOf } from './surveys.ts';

const COUNTS = [50, 500] as const;
/** Squared distances of equal codes are sums of roundings, those of others far above. */
const COPY = 1e-9;
/** Clusters times queries up to which all representatives are compared: kMostDistances of native/src/near-clusters.h. */
const MOST_DISTANCES = 2 ** 22;
/** Near clusters of a query in each modality, as a round with many queries has them. */
const CLUSTERS = 15;

/**
 * Share of the fast form's first items that are no farther than the last of as many of the exact form: of all items, and
 * of those that are no copies of a query. Copies stand first, there may be a hundred thousand of them, and few are read.
 */
export function nearRecalls(cases: readonly Surveys[]): readonly Row[] {
  const recall = ({ exact, fast, spaces, positive, skip }: Surveys, count: number, least: number): number => {
    const labelled = new Set(skip);
    const distances = exact.distances(positive);
    if (distances === null) throw new Error('a survey without a deadline passed it');
    const isWanted = (item: number): boolean => !labelled.has(item) && (distances[item] as number) >= least;
    const truth = first(exact.nearest(positive), count, isWanted);
    return shareWithin(spaces, positive, truth, first(fast().nearest(positive), count, isWanted));
  };
  return [
    { of: '', least: 0 },
    { of: ' of what is no copy of a query', least: COPY },
  ].flatMap(({ of, least }) =>
    COUNTS.map((count) =>
      spreadOf(
        `spread: recall@${count}${of}`,
        cases.map((surveys) => recall(surveys, count, least)),
      ),
    ),
  );
}

/**
 * Near items of so many queries that clusters are chosen through groups or levels, beside those of a few queries at a time,
 * for which every representative is compared. All positives of the label sets are the queries, so the more sets the better.
 */
export function routeRecalls(cases: readonly Surveys[]): readonly Row[] {
  const [{ spaces }] = cases as [Surveys];
  const queries = Uint32Array.from(new Set(cases.flatMap(({ positive }) => [...positive])));
  const clusters = Math.max(...spaces.modalities.map(({ manifest }) => manifest.clusters));
  const few = Math.max(1, Math.floor(MOST_DISTANCES / clusters));
  const through =
    queries.length <= few
      ? 'all representatives'
      : spaces.modalities.every(({ manifest }) => (manifest.groups ?? 0) > 0)
        ? 'groups'
        : 'levels';
  const skip = queries.slice().sort();
  return COUNTS.map((count) => {
    const found = nearItems(spaces, queries, skip, count);
    const candidates = new Set<number>();
    for (let from = 0; from < queries.length; from += few) {
      for (const item of nearItems(spaces, queries.subarray(from, from + few), skip, count)) candidates.add(item);
    }
    const items = Uint32Array.from(candidates);
    const distances = distancesOf(spaces, queries, items);
    const order = new Uint32Array(items.length);
    native.orderByScore(
      items,
      distances.map((distance) => -distance),
      order,
    );
    const truth = Array.from(order.subarray(0, count), (at) => items[at] as number);
    const share = shareWithin(spaces, queries, truth, found);
    return spreadOf(`near items of ${queries.length} queries through ${through}: recall@${count}`, [share]);
  });
}

function nearItems(spaces: Spaces, queries: Uint32Array, skip: Uint32Array, count: number): readonly number[] {
  const { modalities, weights } = spaces;
  const cells = modalities.map((modality) => modality.cells);
  const levels = modalities.map((modality) => modality.levels);
  const items = new Uint32Array(count);
  const forever = Number.POSITIVE_INFINITY;
  const search = native.nearSearch(cells, weights, levels, queries, CLUSTERS, forever);
  const { found } = native.nearItems(search, skip, forever, items);
  return [...items.subarray(0, found)];
}

function shareWithin(spaces: Spaces, queries: Uint32Array, truth: readonly number[], found: readonly number[]): number {
  const limit = Math.max(...distancesOf(spaces, queries, Uint32Array.from(truth)));
  const within = distancesOf(spaces, queries, Uint32Array.from(found)).filter((distance) => distance <= limit);
  return within.length / truth.length;
}

function distancesOf({ modalities, weights }: Spaces, queries: Uint32Array, items: Uint32Array): Float64Array {
  const distances = new Float64Array(items.length);
  const cells = modalities.map((modality) => modality.cells);
  native.nearestOfItems(cells, weights, queries, items, distances);
  return distances;
}
