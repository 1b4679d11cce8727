// farsight suggest

import { type Collection, openIndex } from '../index/open.ts';
import { portableModel } from '../portable-model.ts';
import { round } from '../round.ts';
import { roundAccount, suggestedItems } from '../round-answer.ts';
import {
  MLP_DEFAULTS,
  MLP_RANGES,
  type ModelOptions,
  ROCCHIO_DEFAULTS,
  ROUND_DEFAULTS,
  STANDARD_DIVERSITY,
} from '../round-request.ts';
import { SAMPLERS, type SamplerName } from '../samplers/sampler.ts';
import { type Command, directoryArgument, parseFlags, print, UsageError, wholeFlag } from './command.ts';

const MAX_K = 10_000;
const MAX_CLUSTERS = 2 ** 31;

export const suggest: Command = {
  summary: 'one round without a server',
  help: `farsight suggest DIR [--positive 1,2] [--negative 3] [-k 25] [options]

Trains on the labelled items (numbers, or keys where the index has them) and prints the k best others.

  --positive A,B    relevant items
  --negative A,B    items that are not
  --exclude A,B     further items not to suggest
  -k N              suggestions (default ${ROUND_DEFAULTS.k})
  --clusters N      clusters read per modality (default ${ROUND_DEFAULTS.clusters})
  --exhaustive      score every item
  --seed N          seed of random choices (default ${ROUND_DEFAULTS.seed})
  --mix A=N,B=N     suggestions by sampler, k in all: ${SAMPLERS.join(', ')} (default all farthest)
  --diversity X     greatest cosine of two suggestions, 0 to 1; 1 is off (default ${STANDARD_DIVERSITY.limit} up to k
                    ${STANDARD_DIVERSITY.mostK}, not near positives, filled up with similar ones; else off)
  --model KIND      linear_svm (default), mlp or rocchio
  --hidden A,B      units of the mlp's hidden layers, none for logistic regression (default ${MLP_DEFAULTS.hidden})
  --return-model    with --json: the trained model as well; docs/http.md says how it scores
  --json            print the round as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      positive: { type: 'string' },
      negative: { type: 'string' },
      exclude: { type: 'string' },
      k: { type: 'string', short: 'k' },
      clusters: { type: 'string' },
      exhaustive: { type: 'boolean' },
      seed: { type: 'string' },
      mix: { type: 'string' },
      diversity: { type: 'string' },
      model: { type: 'string' },
      hidden: { type: 'string' },
      'return-model': { type: 'boolean' },
      json: { type: 'boolean' },
    });
    const k = wholeFlag('k', values.k, ROUND_DEFAULTS.k, 1, MAX_K);
    const clusters = wholeFlag('clusters', values.clusters, ROUND_DEFAULTS.clusters, 1, MAX_CLUSTERS);
    const seed = wholeFlag('seed', values.seed, ROUND_DEFAULTS.seed, 0, Number.MAX_SAFE_INTEGER);
    const collection = openIndex(directoryArgument(positionals));
    const [positive, negative, exclude] = (['positive', 'negative', 'exclude'] as const).map((name) =>
      itemsOf(collection, name, values[name]),
    ) as [Uint32Array, Uint32Array, Uint32Array];
    const both = positive.find((item) => negative.includes(item));
    if (both !== undefined) throw new UsageError(`item ${both} is both positive and negative`);
    if (values['return-model'] && !values.json) throw new UsageError('--return-model needs --json');
    const result = round(collection, {
      ...ROUND_DEFAULTS,
      model: modelOf(values.model, values.hidden),
      returnModel: values['return-model'] ?? false,
      positive,
      negative,
      exclude,
      k,
      clusters,
      exhaustive: values.exhaustive ?? false,
      seed,
      mix: values.mix === undefined ? null : mixOf(values.mix, k),
      diversity: diversityOf(values.diversity),
      modalities: [...collection.modalities.keys()].map((name) => ({ name, weight: 1 })),
    });
    const items = suggestedItems(result, collection.keys);
    if (values.json) {
      const index = { generation: collection.generation, items: collection.items };
      const trained = result.trained.length === 0 ? {} : { portable_model: portableModel(collection, result) };
      print(JSON.stringify({ items, ...roundAccount(result), ...trained, index, seed }));
    } else {
      for (const { id, key, score, source } of items) {
        const sampler = values.mix === undefined ? [] : [source];
        print([id, score.toPrecision(6), ...sampler, ...(key === undefined ? [] : [key])].join('\t'));
      }
    }
    return 0;
  },
};

/** The classifier that --model and --hidden ask for. */
function modelOf(kind: string | undefined, hidden: string | undefined): ModelOptions {
  if (hidden !== undefined && kind !== 'mlp') throw new UsageError('--hidden needs --model mlp');
  if (kind === undefined || kind === 'linear_svm') return ROUND_DEFAULTS.model;
  if (kind === 'rocchio') return ROCCHIO_DEFAULTS;
  if (kind !== 'mlp') throw new UsageError(`--model ${kind}: expected linear_svm, mlp or rocchio`);
  if (hidden === undefined) return MLP_DEFAULTS;
  const units = hidden === '' ? [] : hidden.split(',').map((text) => (/^\d{1,4}$/.test(text) ? Number(text) : 0));
  const [fewest, most] = MLP_RANGES.units;
  const layers = MLP_RANGES.layers[1];
  if (units.length > layers || units.some((count) => count < fewest || count > most)) {
    throw new UsageError(
      `--hidden ${hidden}: expected at most ${layers} numbers from ${fewest} to ${most}, or nothing`,
    );
  }
  return { ...MLP_DEFAULTS, hidden: units };
}

/** The shares of `farthest=15,spread=10`. */
function mixOf(text: string, k: number): Record<SamplerName, number> {
  const mix = { farthest: 0, spread: 0, random: 0, grid: 0 };
  for (const part of text.split(',')) {
    const [, name, share] = /^(\w+)=(\d{1,5})$/.exec(part) ?? [];
    const sampler = SAMPLERS.find((known) => known === name);
    if (sampler === undefined) {
      throw new UsageError(`--mix ${text}: '${part}' is no share; expected SAMPLER=N of ${SAMPLERS.join(', ')}`);
    }
    mix[sampler] += Number(share);
  }
  const sum = Object.values(mix).reduce((total, share) => total + share, 0);
  if (sum !== k) throw new UsageError(`--mix ${text}: the shares add up to ${sum}; they must be k, which is ${k}`);
  return mix;
}

function diversityOf(text: string | undefined): number | null {
  if (text === undefined) return ROUND_DEFAULTS.diversity;
  const limit = /^[0-9.]{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 0 && limit <= 1)) throw new UsageError(`--diversity ${text}: expected a number from 0 to 1`);
  return limit;
}

/** Distinct items of a comma-separated list; digits are an item number, anything else is a key. */
function itemsOf(collection: Collection, flag: string, text: string | undefined): Uint32Array {
  const names = text === undefined || text === '' ? [] : text.split(',');
  const items = names.map((name) => {
    const item = /^[0-9]{1,10}$/.test(name) ? Number(name) : collection.keys?.itemOf(name);
    if (item === undefined || item >= collection.items) {
      const known = `items 0 to ${collection.items - 1}${collection.keys === null ? '' : ' and their keys'}`;
      throw new UsageError(`--${flag} ${text}: '${name}' is no item; the index has ${known}`);
    }
    return item;
  });
  return Uint32Array.from(new Set(items));
}
