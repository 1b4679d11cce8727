// Farsight's own round with all that a request may settle: any mix of samplers, diversity, model and search. What
// farsight tune searches over.

import { MLP_DEFAULTS, MLP_RANGES, ROCCHIO_DEFAULTS, ROUND_DEFAULTS, SAMPLER_RANGES } from '../../src/round-request.ts';
import { SAMPLERS, type SamplerName } from '../../src/samplers/sampler.ts';
import { choiceParameter, numberParameter, ParameterError, refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { RoundOptions, RoundSystem } from './round-system.ts';
import type { System } from './system.ts';

/** Parts of a mix: k is shared out in proportion to them. */
const MAX_PARTS = 1000;
const MAX_CLUSTERS = 2 ** 31;
const MAX_SEGMENTS = 1024;
const MAX_CANDIDATES = 100_000;
const MAX_WORKERS = 16;
const MAX_COST = 1e6;
const MAX_WEIGHT = 1000;

const KEYS = [
  ...SAMPLERS,
  ...['from', 'count', 'alpha', 'components', 'grid_segments', 'zeta', 'diversity'],
  ...['model', 'c', 'hidden', 'loss', 'positive_weight', 'negative_weight'],
  ...['clusters', 'segments', 'candidates', 'workers'],
] as const;

type Parameters = ReadonlyMap<string, string>;

export const mix: RoundSystem = {
  name: 'mix',
  summary: 'any mix of samplers, diversity, model and search',
  keys: KEYS,
  overHttp: true,
  choose(parameters) {
    refuseUnknownKeys('mix', parameters, KEYS);
    const parts = partsOf(parameters);
    const model = modelOf(parameters);
    const options = { ...ROUND_DEFAULTS, ...samplerOptions(parameters), ...searchOptions(parameters), model };
    return {
      parameters: described(parts, options),
      options: (k) => ({ ...options, mix: parts.farthest === sumOf(parts) ? null : sharesOf(parts, k) }),
    };
  },
};

type Parts = Readonly<Record<SamplerName, number>>;

function partsOf(parameters: Parameters): Parts {
  const part = (name: SamplerName): number =>
    numberParameter(parameters, name, name === 'farthest' ? 1 : 0, 0, MAX_PARTS);
  const parts = { farthest: part('farthest'), spread: part('spread'), random: part('random'), grid: part('grid') };
  if (sumOf(parts) === 0) throw new ParameterError(`mix: all parts are 0; one of ${SAMPLERS.join(', ')} must be more`);
  return parts;
}

function sumOf(parts: Parts): number {
  return SAMPLERS.reduce((sum, name) => sum + parts[name], 0);
}

/** k shared out by the largest remainders, earlier samplers first among equals. */
function sharesOf(parts: Parts, k: number): Readonly<Record<SamplerName, number>> {
  const sum = sumOf(parts);
  const shares = { farthest: 0, spread: 0, random: 0, grid: 0 };
  for (const name of SAMPLERS) shares[name] = Math.floor((k * parts[name]) / sum);
  const rest = (name: SamplerName): number => (k * parts[name]) / sum - Math.floor((k * parts[name]) / sum);
  const left = k - SAMPLERS.reduce((total, name) => total + shares[name], 0);
  for (const name of [...SAMPLERS].sort((a, b) => rest(b) - rest(a)).slice(0, left)) shares[name]++;
  return shares;
}

function samplerOptions(parameters: Parameters): Pick<RoundOptions, 'spread' | 'random' | 'grid' | 'diversity'> {
  const { spread, random, grid } = ROUND_DEFAULTS;
  return {
    spread: {
      from: choiceParameter(parameters, 'from', spread.from, ['positives', 'seeds', 'latest']),
      count: wholeParameter(parameters, 'count', spread.count, ...SAMPLER_RANGES.count),
    },
    random: { alpha: numberParameter(parameters, 'alpha', random.alpha, ...SAMPLER_RANGES.alpha) },
    grid: {
      components: wholeParameter(parameters, 'components', grid.components, ...SAMPLER_RANGES.components),
      segments: wholeParameter(parameters, 'grid_segments', grid.segments, ...SAMPLER_RANGES.segments),
      zeta: numberParameter(parameters, 'zeta', grid.zeta, ...SAMPLER_RANGES.zeta),
    },
    // Without it, the default of a round.
    diversity: parameters.has('diversity') ? numberParameter(parameters, 'diversity', 1, 0, 1) : null,
  };
}

function searchOptions(parameters: Parameters): Pick<RoundOptions, 'clusters' | 'segments' | 'candidates' | 'workers'> {
  return {
    clusters: wholeParameter(parameters, 'clusters', ROUND_DEFAULTS.clusters, 1, MAX_CLUSTERS),
    segments: wholeParameter(parameters, 'segments', ROUND_DEFAULTS.segments, 1, MAX_SEGMENTS),
    candidates: wholeParameter(parameters, 'candidates', ROUND_DEFAULTS.candidates, 1, MAX_CANDIDATES),
    workers: wholeParameter(parameters, 'workers', ROUND_DEFAULTS.workers, 1, MAX_WORKERS),
  };
}

/** Keys of the other models are read, so that they are checked, and have no effect. */
function modelOf(parameters: Parameters): RoundOptions['model'] {
  const { c, loss, positiveWeight } = ROUND_DEFAULTS.model;
  const kind = choiceParameter(parameters, 'model', 'linear_svm', ['linear_svm', 'mlp', 'rocchio']);
  const least = kind === 'rocchio' ? 0 : Number.MIN_VALUE;
  const svm = {
    kind: 'linear_svm' as const,
    c: numberParameter(parameters, 'c', c, Number.MIN_VALUE, MAX_COST),
    loss: choiceParameter(parameters, 'loss', loss, ['hinge', 'squared_hinge']),
    positiveWeight: numberParameter(parameters, 'positive_weight', positiveWeight, least, MAX_WEIGHT),
  };
  const hidden = hiddenOf(parameters);
  const negativeWeight = numberParameter(parameters, 'negative_weight', ROCCHIO_DEFAULTS.negativeWeight, 0, MAX_WEIGHT);
  if (kind === 'mlp') return { kind, hidden, c: parameters.has('c') ? svm.c : MLP_DEFAULTS.c };
  return kind === 'rocchio' ? { kind, positiveWeight: svm.positiveWeight, negativeWeight } : svm;
}

/** Units of the hidden layers with + between them; 0 for none. */
function hiddenOf(parameters: Parameters): readonly number[] {
  const text = parameters.get('hidden');
  if (text === undefined) return MLP_DEFAULTS.hidden;
  if (text === '0') return [];
  const layers = text.split('+').map((units) => (/^\d{1,9}$/.test(units) ? Number(units) : Number.NaN));
  const [least, most] = MLP_RANGES.units;
  if (layers.length > MLP_RANGES.layers[1] || !layers.every((units) => units >= least && units <= most)) {
    const form = `${MLP_RANGES.layers[1]} numbers from ${least} to ${most} with + between them`;
    throw new ParameterError(`hidden=${text}: expected 0, for no layer, or up to ${form}`);
  }
  return layers;
}

/** What takes effect: nothing of a sampler without a share. */
function described(parts: Parts, options: RoundOptions): System['parameters'] {
  const { spread, random, grid, diversity, model, clusters, segments, candidates, workers } = options;
  return {
    ...Object.fromEntries(SAMPLERS.filter((name) => parts[name] > 0).map((name) => [name, parts[name]])),
    // Without it the default of 1 would be meant.
    ...(parts.farthest === 0 ? { farthest: 0 } : {}),
    ...(parts.spread === 0 ? {} : spread),
    ...(parts.random === 0 ? {} : random),
    ...(parts.grid === 0 ? {} : { components: grid.components, grid_segments: grid.segments, zeta: grid.zeta }),
    ...(diversity === null ? {} : { diversity }),
    model: model.kind,
    ...(model.kind === 'rocchio'
      ? { positive_weight: model.positiveWeight, negative_weight: model.negativeWeight }
      : model.kind === 'mlp'
        ? { c: model.c, hidden: model.hidden.join('+') || '0' }
        : { c: model.c, loss: model.loss, positive_weight: model.positiveWeight }),
    clusters,
    segments,
    candidates,
    workers,
  };
}
