// GridS (IRIS): one item of each cell of a grid over the collection, so that they come from many places.

import { moments } from '../moments.ts';
import { native } from '../native.ts';
import type { Sampler } from './sampler.ts';

export interface GridOptions {
  /** m, the principal components that span the grid. */
  readonly components: number;
  /** N, the quantile segments along each. */
  readonly segments: number;
  /** Weight of the head's score; the rest is that of the distance to the nearest positive. */
  readonly zeta: number;
}

/**
 * The best free item of each cell by zeta * f + (1 - zeta) * min |l - v| over the positives l, best cells first. Heads
 * have scales of their own, so score and distance are standardised over the collection; order and cells are then those
 * of the paper for the zeta that the two deviations translate into.
 */
export const grid: Sampler<GridOptions> = function* ({ survey, positive, isFree }, { components, segments, zeta }) {
  const cells = survey.cells(components, segments);
  if (cells === null) return;
  const values = gridValues(zeta === 0 ? null : survey.scores(), zeta === 1 ? null : survey.distances(positive), zeta);
  if (values === null) return;
  const best = new Map<number, number>();
  for (let item = 0; item < cells.length; item++) {
    if (!isFree(item)) continue;
    const cell = cells[item] as number;
    const other = best.get(cell);
    if (other === undefined || (values[item] as number) > (values[other] as number)) best.set(cell, item);
  }
  const items = Uint32Array.from(best.values());
  const order = new Uint32Array(items.length);
  native.orderByScore(
    items,
    Float64Array.from(items, (item) => values[item] as number),
    order,
  );
  for (const at of order) yield items[at] as number;
};

/** The value of every item, or null when what it needs is not there. */
function gridValues(scores: Float64Array | null, squares: Float64Array | null, zeta: number): Float64Array | null {
  if ((zeta !== 0 && scores === null) || (zeta !== 1 && squares === null)) return null;
  const terms: { readonly values: Float64Array; readonly weight: number }[] = [];
  if (scores !== null) terms.push({ values: scores, weight: zeta });
  if (squares !== null) terms.push({ values: squares.map(Math.sqrt), weight: 1 - zeta });
  const sum = new Float64Array((scores ?? squares)?.length ?? 0);
  for (const { values, weight } of terms) {
    const { mean, deviation } = moments(values);
    const factor = deviation > 0 ? weight / deviation : 0;
    for (let item = 0; item < sum.length; item++) {
      (sum[item] as number) += factor * ((values[item] as number) - mean);
    }
  }
  return sum;
}
