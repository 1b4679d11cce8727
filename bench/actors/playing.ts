// Sessions as they are played: systems opened over a stage, every start against each, rounds one after another.

import type { Collection } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import type { System, SystemFactory } from '../baselines/system.ts';
import type { AsideFile } from './aside-file.ts';
import { ask, Seen } from './asking.ts';
import type { Actor, ActorSet, Plan, Session, Setting, Start } from './protocol.ts';
import type { PlayedRound } from './tally.ts';
import { SessionWriter } from './transcript.ts';

/** A collection and the actors who play on it. */
export interface Stage {
  readonly name: string;
  readonly collection: Collection;
  readonly space: Collection;
  readonly actors: ActorSet;
}

/** A system that takes part, with its parameters as they were given. */
export interface Entry {
  readonly factory: SystemFactory;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface PlayOptions {
  readonly plan: Plan;
  readonly rounds: number;
  readonly k: number;
  readonly seed: number;
  /** Starts played per actor, at most. */
  readonly starts: number;
  /** Where the transcript goes, or null. */
  readonly transcript: AsideFile | null;
  readonly signal: AbortSignal;
}

type OnSession = (
  system: number,
  actor: Actor,
  rounds: readonly PlayedRound[],
  measures: Readonly<Record<string, number>>,
) => void;

/** Unmeasured rounds of each system before the first: the compiler's and the caches' time to settle. */
const WARMUP_ROUNDS = 3;

/** Opens the systems one after another; when one cannot be opened, the others are closed again. */
export async function openSystems(
  collection: Collection,
  entries: readonly Entry[],
  signal: AbortSignal,
  onOpen: (system: number, ms: number) => void,
): Promise<readonly System[]> {
  const systems: System[] = [];
  try {
    for (const [i, { factory, parameters }] of entries.entries()) {
      await untilInterrupted(signal);
      const before = performance.now();
      systems.push(await factory.open(collection, parameters, signal));
      onOpen(i, performance.now() - before);
    }
  } catch (error) {
    for (const system of systems) await system.close?.();
    throw error;
  }
  return systems;
}

/** Plays every start of every actor against each system in turn; `number` is the stage's place in the transcript. */
export async function playStage(
  stage: Stage,
  number: number,
  systems: readonly System[],
  options: PlayOptions,
  onSession: OnSession,
): Promise<void> {
  const { rounds, k, seed, plan, transcript } = options;
  const setting: Setting = { collection: stage.collection, space: stage.space, rounds, k, seed };
  await warmUp(stage, systems, setting);
  for (const actor of stage.actors.actors) {
    const begin = plan.play(actor, setting);
    for (const [s, start] of actor.starts.slice(0, options.starts).entries()) {
      for (const [i, system] of systems.entries()) {
        const key = { run: i, collection: number, actor: actor.name, start: s };
        const writer = transcript === null ? null : new SessionWriter(transcript, key);
        const session = begin(start);
        const played = await playSession(system, actor, start, session, setting, writer, options.signal);
        onSession(i, actor, played, (await session.measures?.()) ?? {});
      }
    }
  }
}

/** Plays to the last round, or until nothing is left to suggest. */
export async function playSession(
  system: System,
  actor: Actor,
  start: Start,
  session: Session,
  { collection, rounds, k, seed }: Setting,
  writer: SessionWriter | null,
  signal: AbortSignal,
): Promise<readonly PlayedRound[]> {
  const seen = new Seen();
  const seeds = seededRandom(start.seed, `rounds of seed ${seed}`);
  const played: PlayedRound[] = [];
  for (let round = 0; round < rounds; round++) {
    await untilInterrupted(signal);
    const { positive, negative } = session;
    const request = seen.request(positive, negative, { k, seed: seeds.below(2 ** 32) });
    const { suggested, latencyMs } = await ask(system, request, seen, collection.items);
    writer?.write(request.seed, positive, negative, suggested);
    if (suggested.length === 0) break;
    seen.add(suggested);
    const relevant = suggested.reduce((count, item) => count + (actor.isRelevant(item) ? 1 : 0), 0);
    played.push({ suggested: suggested.length, relevant, latencyMs });
    await session.answer(suggested);
  }
  return played;
}

async function warmUp({ actors, collection }: Stage, systems: readonly System[], { k }: Setting): Promise<void> {
  const start = actors.actors[0]?.starts[0];
  if (start === undefined) return;
  for (const system of systems) {
    for (let seed = 0; seed < WARMUP_ROUNDS; seed++) {
      const seen = new Seen();
      await ask(system, seen.request([...start.positive], [...start.negative], { k, seed }), seen, collection.items);
    }
  }
}

/** Lets signals be heard, which synchronous rounds would keep out. Throws when one was. */
export async function untilInterrupted(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
