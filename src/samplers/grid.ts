// GridS (IRIS): one item of each cell of a grid over the collection, so that they come from many places.

import { native } from '../native.ts';
import type { GridOptions, GridPool, Sampler } from './sampler.ts';

/** The best free item of each cell, best cells first. */
export const grid: Sampler<GridOptions> = function* ({ survey, positive, isFree }, options) {
  const offered = new Set<number>();
  for (const pool of survey.pools(options, positive)) {
    const best = bestOfCells(pool, isFree);
    const items = Uint32Array.from(best, (at) => pool.items[at] as number);
    const values = Float64Array.from(best, (at) => pool.values[at] as number);
    const order = new Uint32Array(best.length);
    native.orderByScore(items, values, order);
    for (const at of order) {
      // Below, a cell may have a better item outside the pool.
      if ((values[at] as number) < pool.floor) break;
      const cell = pool.cells[best[at] as number] as number;
      if (offered.has(cell)) continue;
      offered.add(cell);
      yield items[at] as number;
    }
  }
};

/** The place in the pool of each cell's best free item; of equal ones that of the lowest number. */
function bestOfCells({ items, values, cells }: GridPool, isFree: (item: number) => boolean): Uint32Array {
  const best = new Map<number, number>();
  for (let at = 0; at < items.length; at++) {
    const cell = cells[at] as number;
    const other = best.get(cell);
    if (other !== undefined) {
      const gain = (values[at] as number) - (values[other] as number);
      if (gain < 0 || (gain === 0 && (items[at] as number) >= (items[other] as number))) continue;
    }
    if (isFree(items[at] as number)) best.set(cell, at);
  }
  return Uint32Array.from(best.values());
}
