// SpreadS (IRIS): the items nearest to a set of queries.

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
  if (queries.length > 0) yield* survey.nearest(queries);
};
