// SpreadS (IRIS): the items nearest to a set of queries.

import { native } from '../native.ts';
import type { Sampler } from './sampler.ts';

export interface SpreadOptions {
  /** The query set: all positives, the first `count` of them (the seeds), or the last `count`. */
  readonly from: 'positives' | 'seeds' | 'latest';
  readonly count: number;
}

/** Items by squared distance to the nearest query, ascending, then item number. */
export const spread: Sampler<SpreadOptions> = function* ({ survey, positive }, { from, count }) {
  const queries =
    from === 'positives' ? positive : from === 'seeds' ? positive.slice(0, count) : positive.slice(-count);
  const distances = queries.length === 0 ? null : survey.distances(queries);
  if (distances === null) return;
  const items = Uint32Array.from(distances, (_, item) => item);
  const order = new Uint32Array(items.length);
  native.orderByScore(
    items,
    distances.map((distance) => -distance),
    order,
  );
  yield* order;
};
