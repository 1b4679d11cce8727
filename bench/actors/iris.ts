// Algorithm IRIS as a protocol: q seeds of a class, epochs of a + b suggestions that the oracle labels, and the final
// sweep over everything the head scores above T = mean + alpha * deviation. The suggestions are a system's; SpreadS
// searches around the seeds (delta^0) in every epoch, as the algorithm is written.

import { DEFAULT_WEIGHT, ROUND_DEFAULTS, SAMPLER_RANGES } from '../../src/round-request.ts';
import { sweep } from '../../src/sweep.ts';
import { choiceParameter, numberParameter, refuseUnknownKeys, wholeParameter } from '../baselines/parameters.ts';
import type { Actor, Protocol, Session, Setting, Start } from './protocol.ts';

const KEYS = ['seeds', 'alpha', 'negatives', 'c'] as const;

export interface IrisOptions {
  /** q. */
  readonly seeds: number;
  /** Of RandS and of the final sweep. */
  readonly alpha: number;
  /** The head is trained on the positives so far and the negatives of this epoch, as step 2f says, or of all. */
  readonly negatives: 'latest' | 'all';
  readonly c: number;
}

/** What a session came to (IRIS, Definitions), after the epochs and after the sweep. */
export interface IrisMeasures {
  readonly discovery_rate: number;
  readonly labelling_efficiency: number;
  readonly composite: number;
  readonly labelled: number;
  readonly swept_discovery_rate: number;
  readonly swept_labelling_efficiency: number;
  readonly swept_composite: number;
  readonly swept_labelled: number;
}

export const iris: Protocol = {
  name: 'iris',
  summary: 'IRIS: q seeds, epochs of spread and cluster samples, a final sweep above mean + alpha deviations',
  keys: KEYS,
  plan(parameters) {
    refuseUnknownKeys('iris', parameters, KEYS);
    const options: IrisOptions = {
      seeds: wholeParameter(parameters, 'seeds', 5, 1, 1000),
      alpha: numberParameter(parameters, 'alpha', ROUND_DEFAULTS.random.alpha, ...SAMPLER_RANGES.alpha),
      negatives: choiceParameter(parameters, 'negatives', 'latest', ['latest', 'all']),
      c: numberParameter(parameters, 'c', ROUND_DEFAULTS.model.c, Number.MIN_VALUE, 1e6),
    };
    const { seeds, alpha, c } = options;
    return {
      rounds: 5,
      k: 100,
      start: { positives: seeds, negatives: 0, count: 5 },
      system: { from: 'seeds', count: `${seeds}`, alpha: `${alpha}`, c: `${c}` },
      foundAt: [],
      parameters: { ...options },
      play: (actor, setting) => (start) => new IrisSession(actor, setting, start, options),
    };
  },
};

/** Lambda and L of one session. */
class IrisSession implements Session {
  readonly positive: number[];
  negative: readonly number[] = [];
  readonly #actor: Actor;
  readonly #setting: Setting;
  readonly #options: IrisOptions;
  readonly #seed: number;
  readonly #labelled: Set<number>;

  constructor(actor: Actor, setting: Setting, start: Start, options: IrisOptions) {
    this.#actor = actor;
    this.#setting = setting;
    this.#options = options;
    this.#seed = start.seed;
    this.positive = [...start.positive];
    this.#labelled = new Set(start.positive);
  }

  answer(suggested: Uint32Array): void {
    const wrong: number[] = [];
    for (const item of suggested) {
      this.#labelled.add(item);
      if (this.#actor.isRelevant(item)) this.positive.push(item);
      else wrong.push(item);
    }
    this.negative = this.#options.negatives === 'all' ? [...this.negative, ...wrong] : wrong;
  }

  measures(): IrisMeasures & Readonly<Record<string, number>> {
    const before = this.#measure(this.positive.length, this.#labelled.size);
    const { collection } = this.#setting;
    const { alpha, c } = this.#options;
    const swept = sweep(collection, {
      ...ROUND_DEFAULTS,
      model: { ...ROUND_DEFAULTS.model, c },
      positive: Uint32Array.from(this.positive),
      negative: Uint32Array.from(this.negative),
      modalities: [...collection.modalities.keys()].map((name) => ({ name, weight: DEFAULT_WEIGHT })),
      seed: this.#seed,
      alpha,
    });
    if (swept === null) throw new Error('a sweep without a deadline has an answer');
    const fresh = swept.items.filter((item) => !this.#labelled.has(item));
    const found = fresh.reduce((count, item) => count + (this.#actor.isRelevant(item) ? 1 : 0), 0);
    const after = this.#measure(this.positive.length + found, this.#labelled.size + fresh.length);
    return {
      ...before,
      swept_discovery_rate: after.discovery_rate,
      swept_labelling_efficiency: after.labelling_efficiency,
      swept_composite: after.composite,
      swept_labelled: after.labelled,
    };
  }

  /** d_r = |Lambda| / |D+|, L_e = |Lambda| / |L| and the root of their product; the seeds are labelled and found. */
  #measure(found: number, labelled: number) {
    const discovery = found / this.#actor.relevant;
    const efficiency = found / labelled;
    return {
      discovery_rate: discovery,
      labelling_efficiency: efficiency,
      composite: Math.sqrt(discovery * efficiency),
      labelled,
    };
  }
}
