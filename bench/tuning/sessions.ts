// The sessions a search plays: actors in two halves, their starts in turns, and the score of one under a setting.

import { seededRandom } from '../../src/random.ts';
import type { Stage } from '../actors/playing.ts';
import { playSession } from '../actors/playing.ts';
import { type Actor, ActorError, type Plan, type Setting as PlaySetting, type Start } from '../actors/protocol.ts';
import type { System } from '../baselines/system.ts';
import type { Metric } from './metric.ts';

export interface TunedSession {
  readonly actor: Actor;
  readonly start: Start;
}

export interface Halves {
  readonly choosing: readonly TunedSession[];
  readonly reporting: readonly TunedSession[];
}

/** Two to choose and two to report: fewer say nothing. */
const LEAST_ACTORS = 4;

/**
 * Half of the actors choose, the others report; which, the seed decides. Their sessions take turns: the first start of
 * each, then the second, so that a few sessions are of many actors.
 */
export function halvesOf(file: string, actors: readonly Actor[], starts: number, seed: number): Halves {
  if (actors.length < LEAST_ACTORS) {
    throw new ActorError(
      `${file}: has ${actors.length} actors that can play; half choose and half report, so ${LEAST_ACTORS} are needed`,
    );
  }
  const random = seededRandom(seed, 'halves of actors');
  const shuffled = [...actors];
  for (let left = shuffled.length; left > 1; left--) {
    const at = random.below(left);
    [shuffled[at], shuffled[left - 1]] = [shuffled[left - 1] as Actor, shuffled[at] as Actor];
  }
  const half = Math.ceil(shuffled.length / 2);
  return { choosing: inTurns(shuffled.slice(0, half), starts), reporting: inTurns(shuffled.slice(half), starts) };
}

function inTurns(actors: readonly Actor[], starts: number): readonly TunedSession[] {
  const most = Math.min(starts, Math.max(...actors.map((actor) => actor.starts.length)));
  return Array.from({ length: most }, (_, s) => s).flatMap((s) =>
    actors.flatMap((actor) => {
      const start = actor.starts[s];
      return start === undefined ? [] : [{ actor, start }];
    }),
  );
}

/** Plays sessions of one stage; what an actor prepares is kept from one to the next. */
export class SessionPlayer {
  readonly #plan: Plan;
  readonly #setting: PlaySetting;
  readonly #metric: Metric;
  readonly #signal: AbortSignal;
  readonly #begins = new Map<string, ReturnType<Plan['play']>>();

  constructor(
    { collection, space }: Stage,
    plan: Plan,
    { rounds, k, seed }: Pick<PlaySetting, 'rounds' | 'k' | 'seed'>,
    metric: Metric,
    signal: AbortSignal,
  ) {
    this.#plan = plan;
    this.#setting = { collection, space, rounds, k, seed };
    this.#metric = metric;
    this.#signal = signal;
  }

  async score(system: System, { actor, start }: TunedSession): Promise<number> {
    const begin = this.#begins.get(actor.name) ?? this.#plan.play(actor, this.#setting);
    this.#begins.set(actor.name, begin);
    const session = begin(start);
    const played = await playSession(system, actor, start, session, this.#setting, null, this.#signal);
    return this.#metric(played, (await session.measures?.()) ?? {});
  }
}
