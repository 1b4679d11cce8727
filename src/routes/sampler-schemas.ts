// How a request shares k between samplers, and what each is told.

import { Type } from 'typebox';
import { ROUND_DEFAULTS, SAMPLER_RANGES } from '../round-request.ts';
import { closed, whole } from './schemas.ts';

/** Suggestions by sampler; that they sum to k is for the route to check. */
export const Mix = (maxK: number) => {
  const share = (description: string) =>
    Type.Optional(Type.Integer({ description: `${description} (default 0)`, minimum: 0, maximum: maxK }));
  return Type.Object(
    {
      farthest: share('farthest from the plane on its positive side'),
      spread: share('nearest to the query set'),
      random: share('drawn among items above the score threshold'),
      grid: share('the best of each cell of a grid'),
    },
    { ...closed, description: 'suggestions by sampler, k in all (default all k farthest)' },
  );
};

const within = (description: string, [minimum, maximum]: readonly [number, number], standard: number) =>
  Type.Optional(Type.Number({ description: `${description} (default ${standard})`, minimum, maximum }));

/** What `spread` is told. */
export const Spread = Type.Object(
  {
    from: Type.Optional(
      Type.Enum(['positives', 'seeds', 'latest'], {
        description: 'the query set: all positives, the first `count` or the last `count` of labels.positive',
      }),
    ),
    count: whole('positives that are seeds, or latest', ROUND_DEFAULTS.spread.count, ...SAMPLER_RANGES.count),
  },
  closed,
);

/** What `random` is told. */
export const Random = Type.Object(
  {
    alpha: within(
      'draw among items that score above mean + alpha deviations of the collection',
      SAMPLER_RANGES.alpha,
      ROUND_DEFAULTS.random.alpha,
    ),
  },
  closed,
);

const { components, segments, zeta } = ROUND_DEFAULTS.grid;

/** What `grid` is told. */
export const Grid = Type.Object(
  {
    components: whole('m, principal components', components, ...SAMPLER_RANGES.components),
    segments: whole('N, quantile segments per component', segments, ...SAMPLER_RANGES.segments),
    zeta: within('weight of the score; the rest is of the distance to the positives', SAMPLER_RANGES.zeta, zeta),
  },
  closed,
);
