// Distances of every item to sets of queries that rounds asked for, so that the rounds of a session do not start over:
// SpreadS around the seeds asks for the same ones each time, GridS for the positives of the round before and some more.

import { native } from './native.ts';
import type { Scan, Spaces } from './spaces.ts';

/** Sets of queries whose distances are kept, and their bytes: 8 an item and set. Of a larger collection none is. */
export const KEPT_SETS = 64;
const KEPT_BYTES = 1 << 25;

interface Kept {
  readonly key: string;
  readonly queries: ReadonlySet<number>;
  readonly distances: Float64Array;
}

export class QueryDistances {
  /** The least recently used first. */
  #kept: readonly Kept[] = [];

  /**
   * The squared distance of every item to the nearest of the queries, as native.nearestDistances has it, not to be
   * changed; null when the deadline passed first. What is kept changes no bit of it: the least distance to some queries
   * and the least to the others are exact, and one of the two is the least to all. `generation` is the collection's.
   */
  of(generation: string, spaces: Spaces, queries: Uint32Array, scan: Scan): Float64Array | null {
    const key = JSON.stringify([generation, spaces.modalities.map(({ name }) => name), [...spaces.weights]]);
    const wanted = new Set(queries);
    const known = this.#largestPart(key, wanted);
    const missing = Uint32Array.from(wanted).filter((query) => !known?.queries.has(query));
    const distances = known !== null && missing.length === 0 ? known.distances : measured(spaces, missing, scan);
    if (distances === null) return null;
    if (known !== null && distances !== known.distances) takeLeast(distances, known.distances);
    this.#keep({ key, queries: wanted, distances });
    return distances;
  }

  /** The kept set with the most of these queries and no others. */
  #largestPart(key: string, wanted: ReadonlySet<number>): Kept | null {
    const size = (kept: Kept | null): number => kept?.queries.size ?? 0;
    return this.#kept
      .filter((kept) => kept.key === key && [...kept.queries].every((query) => wanted.has(query)))
      .reduce<Kept | null>((best, kept) => (size(kept) > size(best) ? kept : best), null);
  }

  #keep(last: Kept): void {
    let bytes = 0;
    const kept: Kept[] = [];
    for (const each of [last, ...this.#kept.filter(({ distances }) => distances !== last.distances).reverse()]) {
      bytes += each.distances.byteLength;
      if (bytes > KEPT_BYTES || kept.length === KEPT_SETS) break;
      kept.push(each);
    }
    this.#kept = kept.reverse();
  }
}

function measured({ modalities, weights, items }: Spaces, queries: Uint32Array, scan: Scan): Float64Array | null {
  const cells = modalities.map((modality) => modality.cells);
  const distances = new Float64Array(items);
  return native.nearestDistances(cells, weights, queries, scan.workers, scan.deadlineMs, distances) ? distances : null;
}

function takeLeast(distances: Float64Array, others: Float64Array): void {
  for (let item = 0; item < distances.length; item++) {
    const other = others[item] as number;
    if (other < (distances[item] as number)) distances[item] = other;
  }
}
