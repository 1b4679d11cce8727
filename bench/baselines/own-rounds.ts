// The systems that are Farsight's own round: Exquisitor (linear SVM over eCP clusters), Blackthorn (the same SVM over
// every item) and k-NN over eCP (Rocchio's query vector instead of the SVM).

import type { Collection } from '../../src/index/open.ts';
import { round } from '../../src/round.ts';
import { DEFAULT_WEIGHT, type ModelOptions, ROCCHIO_DEFAULTS, ROUND_DEFAULTS } from '../../src/round-request.ts';
import { choiceParameter, numberParameter, refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { System, SystemFactory } from './system.ts';

/** How such a system searches; the rest of a round is what the user asks. */
export interface RoundOptions {
  readonly model: ModelOptions;
  readonly clusters: number;
  readonly segments: number;
  readonly candidates: number;
  readonly exhaustive: boolean;
  readonly workers: number;
}

/** One of them: its parameters become options, here and over HTTP alike. */
export interface RoundSystem {
  readonly name: string;
  readonly summary: string;
  readonly keys: readonly string[];
  /** Throws ParameterError for a key it does not know or a value that does not fit. */
  options(parameters: ReadonlyMap<string, string>): RoundOptions;
  /** What a run is listed with. */
  describe(options: RoundOptions): System['parameters'];
}

const MAX_CLUSTERS = 2 ** 31;
const MAX_SEGMENTS = 1024;
const MAX_CANDIDATES = 100_000;
const MAX_WORKERS = 16;
const MAX_COST = 1e6;
const MAX_WEIGHT = 1000;

const INDEX_KEYS = ['clusters', 'segments', 'candidates', 'workers'] as const;
const SVM_KEYS = ['c', 'loss', 'positive_weight'] as const;
const ROCCHIO_KEYS = ['positive_weight', 'negative_weight'] as const;

export const roundSystems: readonly RoundSystem[] = [
  roundSystem('exquisitor', 'linear SVM, the b best eCP clusters', false, 'linear_svm'),
  roundSystem('blackthorn', 'linear SVM, every item scored by w workers', true, 'linear_svm'),
  roundSystem('knn-ecp', "Rocchio's query vector, the b best eCP clusters", false, 'rocchio'),
];

export const [exquisitor, blackthorn, knnEcp] = roundSystems.map(inProcess) as [
  SystemFactory,
  SystemFactory,
  SystemFactory,
];

function inProcess({ name, summary, keys, options, describe }: RoundSystem): SystemFactory {
  return {
    name,
    summary,
    keys,
    open(collection: Collection, parameters) {
      const chosen = options(parameters);
      const modalities = [...collection.modalities.keys()].map((modality) => ({
        name: modality,
        weight: DEFAULT_WEIGHT,
      }));
      return {
        name,
        parameters: describe(chosen),
        suggest: (request) => round(collection, { ...ROUND_DEFAULTS, ...chosen, ...request, modalities }).items,
      };
    },
  };
}

function roundSystem(name: string, summary: string, exhaustive: boolean, kind: ModelOptions['kind']): RoundSystem {
  const keys: readonly string[] = [
    ...(exhaustive ? ['candidates', 'workers'] : INDEX_KEYS),
    ...(kind === 'rocchio' ? ROCCHIO_KEYS : SVM_KEYS),
  ];
  return {
    name,
    summary,
    keys,
    options(parameters) {
      refuseUnknownKeys(name, parameters, keys);
      const whole = (key: 'clusters' | 'segments' | 'candidates' | 'workers', most: number): number =>
        wholeParameter(parameters, key, ROUND_DEFAULTS[key], 1, most);
      return {
        model: kind === 'rocchio' ? rocchioOptions(parameters) : svmOptions(parameters),
        clusters: whole('clusters', MAX_CLUSTERS),
        segments: whole('segments', MAX_SEGMENTS),
        candidates: whole('candidates', MAX_CANDIDATES),
        exhaustive,
        workers: whole('workers', MAX_WORKERS),
      };
    },
    describe(options) {
      const { model, ...search } = options;
      const values: System['parameters'] = { ...search, ...modelParameters(model) };
      return Object.fromEntries(keys.map((key) => [key, values[key] as number | string]));
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
  return model.kind === 'rocchio'
    ? { positive_weight: model.positiveWeight, negative_weight: model.negativeWeight }
    : { c: model.c, loss: model.loss, positive_weight: model.positiveWeight };
}
