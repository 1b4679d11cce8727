// k-FN (Exquisitor §3.3): the items farthest from the plane on its positive side.

import type { Sampler } from './sampler.ts';

export interface FarthestOptions {
  /** Items wanted at first. */
  readonly k: number;
  /** At least the `count` best items of the search, best first; fewer only when it finds no more. */
  readonly best: (count: number) => Uint32Array;
}

/** The candidates of the search by fused score. Where they do not suffice, the search is widened. */
export const farthest: Sampler<FarthestOptions> = function* (_context, { k, best }) {
  const offered = new Set<number>();
  for (let count = k; ; ) {
    const items = best(count);
    for (const item of items) {
      if (offered.has(item)) continue;
      offered.add(item);
      yield item;
    }
    if (items.length < count) return;
    count = 2 * items.length;
  }
};
