// The systems that are Farsight's own round with options of their own, here and over HTTP alike.

import { round } from '../../src/round.ts';
import { DEFAULT_WEIGHT, type RoundRequest } from '../../src/round-request.ts';
import { SurveyMemory } from '../../src/survey-memory.ts';
import type { System, SystemFactory, SystemRequest } from './system.ts';

/** What a system settles of a round; the rest is what the user asks. */
export type RoundOptions = Omit<RoundRequest, keyof SystemRequest | 'modalities' | 'startMs' | 'deadlineMs'>;

export interface RoundSystem {
  readonly name: string;
  readonly summary: string;
  readonly keys: readonly string[];
  /** Whether a request of the HTTP API can say all of its options. */
  readonly overHttp: boolean;
  /** Throws ParameterError for a key it does not know or a value that does not fit. */
  choose(parameters: ReadonlyMap<string, string>): Choice;
}

/** The parameters of one run as options of its rounds. */
export interface Choice {
  /** What the run is listed with. */
  readonly parameters: System['parameters'];
  /** The options of a round that asks for k suggestions. */
  options(k: number): RoundOptions;
}

/** The system in this process, over all modalities; its runs share what surveys keep, with other systems of that memory. */
export function inProcess(
  { name, summary, keys, choose }: RoundSystem,
  memory: SurveyMemory = new SurveyMemory(),
): SystemFactory {
  return {
    name,
    summary,
    keys,
    open(collection, parameters) {
      const { parameters: listed, options } = choose(parameters);
      const modalities = [...collection.modalities.keys()].map((modality) => ({
        name: modality,
        weight: DEFAULT_WEIGHT,
      }));
      return {
        name,
        parameters: listed,
        suggest(request) {
          const asked = { ...options(request.k), ...request, modalities, ...WITHOUT_DEADLINE };
          return round(collection, asked, undefined, memory).items;
        },
      };
    },
  };
}

const WITHOUT_DEADLINE = { startMs: 0, deadlineMs: Number.POSITIVE_INFINITY };
