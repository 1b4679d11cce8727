// The candidates of a round: each modality's best items, from its b best clusters or from every item
// (Exquisitor §3.3, second phase). An item taken by one modality is not taken again by the next.

import type { Head } from './head.ts';
import type { Modality } from './index/open.ts';
import { native } from './native.ts';
import type { ScanResult } from './native-types.ts';

export interface CandidateSearch {
  /** b. */
  readonly clusters: number;
  /** S_c. */
  readonly segments: number;
  /** r; at least k are kept. */
  readonly candidates: number;
  readonly k: number;
  readonly workers: number;
  readonly deadlineMs: number;
  /** Clusters above this many items are omitted unless all are read. */
  readonly sizeLimit: number;
  /** Items of the collection. */
  readonly items: number;
  /** A bit for each item that a filter lets through; all are without. */
  readonly admitted?: Uint32Array;
}

/** Candidates one head found, with its scores of them, best first within each segment. */
interface Run {
  readonly head: Head;
  readonly items: Uint32Array;
  readonly scores: Float64Array;
}

export interface Candidates {
  readonly items: Uint32Array;
  /** Per head, its score of every candidate. */
  readonly scores: readonly Float64Array[];
  readonly clustersRead: number;
  readonly itemsScored: number;
  readonly clustersOmitted: number;
  readonly itemsOmitted: number;
  /** False when the deadline cut the search short. */
  readonly complete: boolean;
}

/** The r best of every item, per head (Blackthorn). */
export function candidatesOfAll(heads: readonly Head[], search: CandidateSearch, skip: Uint32Array): Candidates {
  const collected = new Collected(heads, skip);
  for (const head of heads) {
    const most = Math.min(Math.max(search.candidates, search.k), search.items);
    const items = new Uint32Array(most);
    const scores = new Float64Array(most);
    const { workers, deadlineMs } = search;
    const result = native.scanAll(head.prepared, collected.taken, workers, deadlineMs, items, scores, search.admitted);
    collected.add({ head, items: items.subarray(0, result.found), scores: scores.subarray(0, result.found) }, result);
  }
  return collected.result(0, 0);
}

/**
 * The r best of the b best clusters, per head; onSelected is called once all clusters are chosen. Segments keep clusters
 * that are best in one modality from crowding out items that are good in several; with one modality there is nothing to
 * balance and they are left out (the paper merges the phases, §3.3 footnote 6). When fewer than k items are found,
 * further clusters are read in order, doubling, until k are found or everything was read.
 */
export function candidatesOfBestClusters(
  heads: readonly Head[],
  search: CandidateSearch,
  skip: Uint32Array,
  onSelected: () => void,
): Candidates {
  const selections = heads.map((head) => selectClusters(head, search.clusters, search.sizeLimit));
  onSelected();
  const collected = new Collected(heads, skip);
  const perHead = Math.max(search.candidates, search.k);
  heads.forEach((head, h) => {
    const clusters = selections[h] as Uint32Array;
    const segments = heads.length === 1 ? 1 : Math.min(search.segments, Math.max(1, clusters.length));
    scan(head, clusters, segments, perHead, search, collected);
  });

  const read = selections.map((clusters) => new Set(clusters));
  const readAll = ({ modality }: Head, h: number): boolean => (read[h] as Set<number>).size >= nonEmpty(modality);
  const wanted = (): number => (collected.complete ? search.k - collected.count : 0);
  // Past every cluster's number there is nothing more to select, whatever the manifest of a damaged index says.
  const limit = 2 * Math.max(...heads.map(({ modality }) => modality.manifest.clusters));
  for (let most = 2 * search.clusters; most < limit && wanted() > 0 && !heads.every(readAll); most *= 2) {
    for (const [h, head] of heads.entries()) {
      const before = read[h] as Set<number>;
      const further = selectClusters(head, most, search.sizeLimit).filter((cluster) => !before.has(cluster));
      if (wanted() <= 0 || further.length === 0) continue;
      scan(head, further, 1, wanted(), search, collected);
      for (const cluster of further) before.add(cluster);
    }
  }
  // What is still missing was crowded out within its segment or of the r best; every cluster of one modality has it.
  const [first] = heads;
  if (first !== undefined && wanted() > 0) {
    scan(first, Uint32Array.from(read[0] as Set<number>), 1, wanted(), search, collected);
  }
  let clustersOmitted = 0;
  let itemsOmitted = 0;
  for (const [h, head] of heads.entries()) {
    const { modality } = head;
    if (readAll(head, h)) continue;
    clustersOmitted += modality.manifest.statistics.huge_clusters;
    itemsOmitted += modality.manifest.statistics.unreachable_items;
  }
  return collected.result(clustersOmitted, itemsOmitted);
}

/** The `count` best clusters within the size limit; all clusters, huge ones last, when count reaches that many. */
function selectClusters(head: Head, count: number, sizeLimit: number): Uint32Array {
  const { modality, prepared } = head;
  const clusters = new Uint32Array(Math.min(count, modality.manifest.clusters));
  const { written, ordinary } = native.selectClusters(prepared, sizeLimit, clusters);
  return clusters.subarray(0, written >= nonEmpty(modality) ? written : ordinary);
}

function nonEmpty(modality: Modality): number {
  return modality.manifest.clusters - modality.manifest.statistics.empty_clusters;
}

/** Scans clusters in segments, `most` candidates in all, and collects what they yield. */
function scan(
  head: Head,
  clusters: Uint32Array,
  segments: number,
  most: number,
  search: CandidateSearch,
  collected: Collected,
): void {
  const perSegment = Math.min(Math.ceil(most / segments), search.items);
  const items = new Uint32Array(segments * perSegment);
  const scores = new Float64Array(segments * perSegment);
  const counts = new Uint32Array(segments);
  const result = native.scanClusters(
    head.prepared,
    clusters,
    perSegment,
    collected.taken,
    search.workers,
    search.deadlineMs,
    items,
    scores,
    counts,
    search.admitted,
  );
  // Close the gaps behind segments that yielded less.
  let end = 0;
  counts.forEach((count, segment) => {
    const from = segment * perSegment;
    items.copyWithin(end, from, from + count);
    scores.copyWithin(end, from, from + count);
    end += count;
  });
  collected.add({ head, items: items.subarray(0, end), scores: scores.subarray(0, end) }, result);
}

/** What the heads have found so far. */
class Collected {
  count = 0;
  complete = true;
  readonly #heads: readonly Head[];
  readonly #runs: Run[] = [];
  #taken: Uint32Array;
  /** Runs whose items are in #taken; those of the last one never need to be. */
  #runsTaken = 0;
  #clustersRead = 0;
  #itemsScored = 0;

  constructor(heads: readonly Head[], skip: Uint32Array) {
    this.#heads = heads;
    this.#taken = skip;
  }

  /** Items not to take (again), ascending. */
  get taken(): Uint32Array {
    for (; this.#runsTaken < this.#runs.length; this.#runsTaken++) {
      this.#taken = merged(this.#taken, (this.#runs[this.#runsTaken] as Run).items.slice().sort());
    }
    return this.#taken;
  }

  add(run: Run, result: ScanResult): void {
    this.#runs.push(run);
    this.count += run.items.length;
    this.#clustersRead += result.clustersRead;
    this.#itemsScored += result.itemsScored;
    this.complete &&= result.complete;
  }

  result(clustersOmitted: number, itemsOmitted: number): Candidates {
    const items = new Uint32Array(this.count);
    const scores = this.#heads.map(() => new Float64Array(this.count));
    let from = 0;
    for (const run of this.#runs) {
      const to = from + run.items.length;
      items.set(run.items, from);
      this.#heads.forEach((head, h) => {
        const out = (scores[h] as Float64Array).subarray(from, to);
        // A head's own candidates are scored already; the others by direct access.
        if (head === run.head) out.set(run.scores);
        else native.scoreItems(head.prepared, run.items, out);
      });
      from = to;
    }
    return {
      items,
      scores,
      clustersRead: this.#clustersRead,
      itemsScored: this.#itemsScored,
      clustersOmitted,
      itemsOmitted,
      complete: this.complete,
    };
  }
}

/** Two ascending lists as one. */
function merged(a: Uint32Array, b: Uint32Array): Uint32Array {
  const all = new Uint32Array(a.length + b.length);
  for (let i = 0, j = 0; i + j < all.length; ) {
    const fromA = j === b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    const at = i + j;
    all[at] = (fromA ? a[i++] : b[j++]) as number;
  }
  return all;
}
