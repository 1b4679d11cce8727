// What samplers ask of the whole collection, in its exact form: every item is looked at, each answer at most once a
// round.

import { type GridCells, gridKey } from './grid-cells.ts';
import type { Head } from './head.ts';
import { type Moments, moments } from './moments.ts';
import { native } from './native.ts';
import { QueryDistances } from './query-distances.ts';
import type { Random } from './random.ts';
import type { GridOptions, GridPool, Survey } from './samplers/sampler.ts';
import type { Scan, Spaces } from './spaces.ts';

/** The exact survey of a round. */
export class ExactSurvey implements Survey {
  /** Items scored, over all modalities. */
  itemsScored = 0;
  readonly clustersRead = 0;
  readonly form = 'exact';
  /** False when the deadline left an answer out. */
  complete = true;
  readonly #heads: readonly Head[];
  readonly #spaces: Spaces;
  readonly #scan: Scan;
  readonly #generation: string;
  readonly #grids: GridCells;
  readonly #kept: QueryDistances;
  #scores: Float64Array | null | undefined;

  /** `heads` in the order of the spaces' modalities; `grids` and `kept` keep cells and distances for later rounds. */
  constructor(
    heads: readonly Head[],
    spaces: Spaces,
    scan: Scan,
    generation: string,
    grids: GridCells,
    kept: QueryDistances = new QueryDistances(),
  ) {
    this.#heads = heads;
    this.#spaces = spaces;
    this.#scan = scan;
    this.#generation = generation;
    this.#grids = grids;
    this.#kept = kept;
  }

  moments(): Moments | null {
    const scores = this.scores();
    return scores === null ? null : moments(scores);
  }

  *above(threshold: number, random: Random): Iterable<number> {
    const scores = this.scores();
    if (scores === null) return;
    const items = this.#everyItem().filter((item) => (scores[item] as number) > threshold);
    // Fisher and Yates' shuffle, as far as it is asked for.
    for (let left = items.length; left > 0; left--) {
      const at = random.below(left);
      yield items[at] as number;
      items[at] = items[left - 1] as number;
    }
  }

  *nearest(queries: Uint32Array): Iterable<number> {
    const distances = this.distances(queries);
    if (distances === null) return;
    const items = this.#everyItem();
    const order = new Uint32Array(items.length);
    native.orderByScore(
      items,
      distances.map((distance) => -distance),
      order,
    );
    yield* order;
  }

  *pools({ components, segments, zeta }: GridOptions, positive: Uint32Array): Iterable<GridPool> {
    const key = gridKey(this.#generation, this.#spaces, components, segments);
    const cells = this.#answer(this.#grids.of(key, this.#spaces, components, segments, this.#scan));
    if (cells === null) return;
    const values = new Float64Array(this.#spaces.items);
    if (zeta > 0 && !addStandardised(values, this.scores(), zeta)) return;
    const squares = zeta < 1 ? this.distances(positive) : null;
    if (zeta < 1 && !addStandardised(values, squares === null ? null : squares.map(Math.sqrt), 1 - zeta)) return;
    yield { items: this.#everyItem(), values, cells, floor: Number.NEGATIVE_INFINITY };
  }

  /** Head scores by item number, as Survey.moments has them. Null when the deadline passed first. */
  scores(): Float64Array | null {
    this.#scores ??= this.#answer(this.#scoreAll());
    return this.#scores;
  }

  /** The squared distance of every item to the nearest of the queries. Null when the deadline passed first. */
  distances(queries: Uint32Array): Float64Array | null {
    const distances = this.#kept.of(this.#generation, this.#spaces, queries, this.#scan);
    // Kept ones count too: an answer says the same whatever is kept.
    this.itemsScored += distances === null ? 0 : distances.length * this.#spaces.modalities.length;
    return this.#answer(distances);
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
      addStandardised(sum, scores, weights[h] as number);
    }
    return sum;
  }

  #everyItem(): Uint32Array {
    const items = new Uint32Array(this.#spaces.items);
    // Ten times as fast as Uint32Array.from.
    for (let item = 0; item < items.length; item++) items[item] = item;
    return items;
  }

  #answer<T>(answer: T | null): T | null {
    this.complete &&= answer !== null;
    return answer;
  }
}

/** sum += weight * (values - mean) / deviation; false without values. */
function addStandardised(sum: Float64Array, values: Float64Array | null, weight: number): boolean {
  if (values === null) return false;
  const { mean, deviation } = moments(values);
  const factor = deviation > 0 ? weight / deviation : 0;
  for (let item = 0; item < sum.length; item++) {
    (sum[item] as number) += factor * ((values[item] as number) - mean);
  }
  return true;
}
