// Times of whole rounds of each sampler alone and of mixes.

import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest, type RoundResult } from '../../src/round-request.ts';
import { SAMPLERS, type SamplerName } from '../../src/samplers/sampler.ts';
import { SurveyMemory } from '../../src/survey-memory.ts';
import { compare, type Measurement } from '../measure.ts';

export interface MixTimes extends Measurement {
  /** Over all sets, what each sampler suggested of its shares. */
  readonly suggested: string;
}

const REPETITIONS = 2;
const MIX = { farthest: 10, spread: 5, random: 5, grid: 5 };

const FORMS: Readonly<Record<string, Partial<RoundRequest>>> = {
  farthest: { mix: only('farthest') },
  spread: { mix: only('spread') },
  random: { mix: only('random') },
  'random alpha=3': { mix: only('random'), random: { alpha: 3 } },
  grid: { mix: only('grid') },
  'grid zeta=0.5': { mix: only('grid'), grid: { ...ROUND_DEFAULTS.grid, zeta: 0.5 } },
  'grid 2 x 6': { mix: only('grid'), grid: { components: 2, segments: 6, zeta: 1 } },
  mix: { mix: MIX },
  'mix diversity=0.9': { mix: MIX, diversity: 0.9 },
  'mix, standard diversity': { mix: MIX, diversity: null },
  'farthest diversity=0.9': { mix: only('farthest'), diversity: 0.9 },
  'farthest k=100': { k: 100 },
  'farthest k=100 diversity=0.9': { k: 100, diversity: 0.9 },
};

export function measureMixes(collection: Collection, sets: readonly LabelSet[]): readonly MixTimes[] {
  const memory = new SurveyMemory();
  const run = (set: number, form: Partial<RoundRequest>): RoundResult =>
    round(collection, { ...requestOf(collection, sets[set] as LabelSet), ...form }, undefined, memory);
  const contestants = Object.entries(FORMS).map(([name, form]) => ({ name, run: (set: number) => run(set, form) }));
  return compare(contestants, { inputs: sets.length, repetitions: REPETITIONS }).map((measurement) => ({
    ...measurement,
    suggested: suggestedOf(sets.map((_, set) => run(set, FORMS[measurement.name] as Partial<RoundRequest>))),
  }));
}

export function requestOf(collection: Collection, { positive, negative }: LabelSet): RoundRequest {
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
  return { ...ROUND_DEFAULTS, positive, negative, exclude: new Uint32Array(0), modalities, segments: 16, diversity: 1 };
}

function only(sampler: SamplerName) {
  return { farthest: 0, spread: 0, random: 0, grid: 0, [sampler]: ROUND_DEFAULTS.k };
}

function suggestedOf(results: readonly RoundResult[]): string {
  return SAMPLERS.map((sampler) => {
    const share = results.reduce((sum, { mix }) => sum + mix[sampler].share, 0);
    const suggested = results.reduce((sum, { mix }) => sum + mix[sampler].suggested, 0);
    return share + suggested === 0 ? '' : `${sampler} ${suggested}/${share}`;
  })
    .filter((text) => text !== '')
    .join(' ');
}
