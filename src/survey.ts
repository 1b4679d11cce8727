// What samplers ask of the whole collection, in its exact form: every item is looked at, each answer at most once a
// round.

import type { GridCells, Scan, Spaces } from './grid-cells.ts';
import type { Head } from './head.ts';
import { moments } from './moments.ts';
import { native } from './native.ts';
import type { Survey } from './samplers/sampler.ts';

/** The exact survey of a round. */
export class ExactSurvey implements Survey {
  /** Items scored, over all modalities. */
  itemsScored = 0;
  /** False when the deadline left an answer out. */
  complete = true;
  readonly #heads: readonly Head[];
  readonly #spaces: Spaces;
  readonly #scan: Scan;
  readonly #grids: { readonly generation: string; readonly cells: GridCells };
  #scores: Float64Array | null | undefined;

  /** `heads` in the order of the spaces' modalities. */
  constructor(
    heads: readonly Head[],
    spaces: Spaces,
    scan: Scan,
    grids: { readonly generation: string; readonly cells: GridCells },
  ) {
    this.#heads = heads;
    this.#spaces = spaces;
    this.#scan = scan;
    this.#grids = grids;
  }

  scores(): Float64Array | null {
    this.#scores ??= this.#answer(this.#scoreAll());
    return this.#scores;
  }

  distances(queries: Uint32Array): Float64Array | null {
    const { modalities, weights, items } = this.#spaces;
    const cells = modalities.map((modality) => modality.cells);
    const { workers, deadlineMs } = this.#scan;
    const distances = new Float64Array(items);
    const done = native.nearestDistances(cells, weights, queries, workers, deadlineMs, distances);
    this.itemsScored += done ? items * modalities.length : 0;
    return this.#answer(done ? distances : null);
  }

  cells(components: number, segments: number): Uint32Array | null {
    const { generation, cells } = this.#grids;
    return this.#answer(cells.of(generation, this.#spaces, components, segments, this.#scan));
  }

  #scoreAll(): Float64Array | null {
    const { items, weights } = this.#spaces;
    const { workers, deadlineMs } = this.#scan;
    const sum = new Float64Array(items);
    const scores = new Float64Array(items);
    for (const [h, { prepared }] of this.#heads.entries()) {
      if (!native.scoreAll(prepared, workers, deadlineMs, scores)) return null;
      this.itemsScored += items;
      if (this.#heads.length === 1) return scores;
      const { mean, deviation } = moments(scores);
      const factor = deviation > 0 ? (weights[h] as number) / deviation : 0;
      for (let item = 0; item < items; item++) {
        (sum[item] as number) += factor * ((scores[item] as number) - mean);
      }
    }
    return sum;
  }

  #answer<T>(answer: T | null): T | null {
    this.complete &&= answer !== null;
    return answer;
  }
}
