// The systems that are Farsight's own round: Exquisitor (linear SVM over eCP clusters), Blackthorn (the same SVM over
// every item) and k-NN over eCP (Rocchio's query vector instead of the SVM).

import { type ModelOptions, ROCCHIO_DEFAULTS, ROUND_DEFAULTS } from '../../src/round-request.ts';
import { choiceParameter, numberParameter, refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { RoundSystem } from './round-system.ts';
import type { System } from './system.ts';

const MAX_CLUSTERS = 2 ** 31;
const MAX_SEGMENTS = 1024;
const MAX_CANDIDATES = 100_000;
const MAX_WORKERS = 16;
const MAX_COST = 1e6;
const MAX_WEIGHT = 1000;

const INDEX_KEYS = ['clusters', 'segments', 'candidates', 'workers'] as const;
const SVM_KEYS = ['c', 'loss', 'positive_weight'] as const;
const ROCCHIO_KEYS = ['positive_weight', 'negative_weight'] as const;

export const ownRounds: readonly RoundSystem[] = [
  ownRound('exquisitor', 'linear SVM, the b best eCP clusters', false, 'linear_svm'),
  ownRound('blackthorn', 'linear SVM, every item scored by w workers', true, 'linear_svm'),
  ownRound('knn-ecp', "Rocchio's query vector, the b best eCP clusters", false, 'rocchio'),
];

function ownRound(name: string, summary: string, exhaustive: boolean, kind: ModelOptions['kind']): RoundSystem {
  const keys: readonly string[] = [
    ...(exhaustive ? ['candidates', 'workers'] : INDEX_KEYS),
    ...(kind === 'rocchio' ? ROCCHIO_KEYS : SVM_KEYS),
  ];
  return {
    name,
    summary,
    keys,
    overHttp: true,
    choose(parameters) {
      refuseUnknownKeys(name, parameters, keys);
      const whole = (key: (typeof INDEX_KEYS)[number], most: number): number =>
        wholeParameter(parameters, key, ROUND_DEFAULTS[key], 1, most);
      const model = kind === 'rocchio' ? rocchioOptions(parameters) : svmOptions(parameters);
      const search = {
        clusters: whole('clusters', MAX_CLUSTERS),
        segments: whole('segments', MAX_SEGMENTS),
        candidates: whole('candidates', MAX_CANDIDATES),
        workers: whole('workers', MAX_WORKERS),
      };
      const values: System['parameters'] = { ...search, ...modelParameters(model) };
      const options = { ...ROUND_DEFAULTS, diversity: 1, ...search, model, exhaustive };
      return {
        parameters: Object.fromEntries(keys.map((key) => [key, values[key] as number | string])),
        options: () => options,
      };
    },
  };
}

function svmOptions(parameters: ReadonlyMap<string, string>): ModelOptions {
  const standard = ROUND_DEFAULTS.model;
  return {
    kind: 'linear_svm',
    c: numberParameter(parameters, 'c', standard.c, Number.MIN_VALUE, MAX_COST),
    loss: choiceParameter(parameters, 'loss', standard.loss, ['hinge', 'squared_hinge']),
    positiveWeight: numberParameter(
      parameters,
      'positive_weight',
      standard.positiveWeight,
      Number.MIN_VALUE,
      MAX_WEIGHT,
    ),
  };
}

function rocchioOptions(parameters: ReadonlyMap<string, string>): ModelOptions {
  const weight = (key: string, standard: number): number => numberParameter(parameters, key, standard, 0, MAX_WEIGHT);
  return {
    kind: 'rocchio',
    positiveWeight: weight('positive_weight', ROCCHIO_DEFAULTS.positiveWeight),
    negativeWeight: weight('negative_weight', ROCCHIO_DEFAULTS.negativeWeight),
  };
}

function modelParameters(model: ModelOptions): System['parameters'] {
  if (model.kind === 'rocchio') return { positive_weight: model.positiveWeight, negative_weight: model.negativeWeight };
  return model.kind === 'mlp'
    ? { c: model.c, hidden: model.hidden.join('+') }
    : { c: model.c, loss: model.loss, positive_weight: model.positiveWeight };
}
