// The systems of IRIS: SpreadS alone, and beside uniform draws, RandS and GridS, which take turns at half of the
// suggestions. All are Farsight's own round with another mix.

import { ROUND_DEFAULTS, SAMPLER_RANGES } from '../../src/round-request.ts';
import type { SamplerName } from '../../src/samplers/sampler.ts';
import { choiceParameter, numberParameter, refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { RoundOptions, RoundSystem } from './round-system.ts';
import type { System } from './system.ts';

/** A sampler of clusters (ClusterS) and what is special about it. */
interface Cluster {
  readonly sampler: SamplerName;
  /** Every item may be drawn: the threshold lies below every alpha that the HTTP API takes. */
  readonly uniform?: boolean;
  readonly keys: readonly string[];
}

const SPREAD_KEYS = ['from', 'count'] as const;
const MODEL_KEYS = ['share', 'c', 'diversity'] as const;

export const spreadMixes: readonly RoundSystem[] = [
  mixture('spread', 'SpreadS alone: the nearest to the seeds or the positives', null),
  mixture('spread+uniform', 'SpreadS and uniformly drawn items', { sampler: 'random', uniform: true, keys: [] }),
  mixture('spread+rand', 'SpreadS and RandS: items drawn among those the head likes', {
    sampler: 'random',
    keys: ['alpha'],
  }),
  mixture('spread+grid', 'SpreadS and GridS: the best items of the cells of a grid', {
    sampler: 'grid',
    keys: ['components', 'segments', 'zeta'],
  }),
];

function mixture(name: string, summary: string, cluster: Cluster | null): RoundSystem {
  const keys = [...SPREAD_KEYS, ...(cluster === null ? ['diversity'] : [...MODEL_KEYS, ...cluster.keys])];
  return {
    name,
    summary,
    keys,
    overHttp: !cluster?.uniform,
    choose(parameters) {
      refuseUnknownKeys(name, parameters, keys);
      const options = optionsOf(parameters, cluster);
      const share = cluster === null ? 1 : numberParameter(parameters, 'share', 0.5, 0, 1);
      return {
        parameters: described(keys, { ...options, share }),
        options(k) {
          const spread = Math.round(share * k);
          const mix = { farthest: 0, spread, random: 0, grid: 0 };
          if (cluster !== null) mix[cluster.sampler] = k - spread;
          return { ...ROUND_DEFAULTS, ...options, mix };
        },
      };
    },
  };
}

interface Options extends Pick<RoundOptions, 'spread' | 'random' | 'grid'> {
  readonly diversity: number;
  readonly model: Extract<RoundOptions['model'], { kind: 'linear_svm' }>;
}

function optionsOf(parameters: ReadonlyMap<string, string>, cluster: Cluster | null): Options {
  const { spread, random, grid, model } = ROUND_DEFAULTS;
  const whole = (key: 'count' | 'components' | 'segments', standard: number): number => {
    const [least, most] = SAMPLER_RANGES[key];
    return wholeParameter(parameters, key, standard, least, most);
  };
  const number = (key: 'alpha' | 'zeta', standard: number): number => {
    const [least, most] = SAMPLER_RANGES[key];
    return numberParameter(parameters, key, standard, least, most);
  };
  return {
    spread: {
      from: choiceParameter(parameters, 'from', spread.from, ['positives', 'seeds', 'latest']),
      count: whole('count', spread.count),
    },
    random: { alpha: cluster?.uniform ? Number.NEGATIVE_INFINITY : number('alpha', random.alpha) },
    grid: {
      components: whole('components', grid.components),
      segments: whole('segments', grid.segments),
      zeta: number('zeta', grid.zeta),
    },
    model: { ...model, c: numberParameter(parameters, 'c', model.c, Number.MIN_VALUE, 1e6) },
    diversity: numberParameter(parameters, 'diversity', 1, 0, 1),
  };
}

function described(
  keys: readonly string[],
  { spread, random, grid, model, diversity, share }: Options & { readonly share: number },
): System['parameters'] {
  const all: System['parameters'] = { ...spread, ...random, ...grid, c: model.c, diversity, share };
  return Object.fromEntries(keys.map((key) => [key, all[key] as number | string]));
}
