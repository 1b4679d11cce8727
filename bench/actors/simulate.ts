// Plays a protocol: every start of every actor against every system. Systems take turns start by start (A B A B …), so
// that they share whatever else the machine does.

import { basename } from 'node:path';
import type { Collection } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import type { System, SystemFactory } from '../baselines/system.ts';
import { machine } from '../measure.ts';
import type { AsideFile } from './aside-file.ts';
import { ask, Seen } from './asking.ts';
import type { Actor, ActorSet, Plan, Session, Setting, Start } from './protocol.ts';
import { type PlayedRound, type Summary, Tally } from './tally.ts';
import { SessionWriter, writeHeader } from './transcript.ts';

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

export interface SimulationOptions {
  readonly protocol: string;
  readonly plan: Plan;
  readonly rounds: number;
  readonly k: number;
  readonly seed: number;
  /** Starts played per actor, at most. */
  readonly starts: number;
  readonly over: 'process' | 'http';
  /** Where the transcript goes, or null. */
  readonly transcript: AsideFile | null;
  readonly signal: AbortSignal;
  readonly onProgress: (sessions: number, total: number) => void;
}

export interface RunResult extends Summary {
  readonly system: string;
  readonly parameters: System['parameters'];
  /** Resident memory of the process that searches: after the last round, and at most (null where it is not known). */
  readonly rss_bytes: number | null;
  readonly rss_max_bytes: number | null;
  /** Time to make the system ready, the index being open. */
  readonly open_ms: number;
}

export interface Simulation {
  readonly kind: 'farsight-simulation';
  readonly version: 1;
  readonly protocol: string;
  readonly protocol_parameters: Plan['parameters'];
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly collection: { readonly name: string; readonly generation: string; readonly items: number };
  readonly actors: { readonly file: string; readonly count: number; readonly seed: number | null };
  readonly over: 'process' | 'http';
  readonly k: number;
  readonly seed: number;
  readonly runs: readonly RunResult[];
}

/** Unmeasured rounds of each system before the first: the compiler's and the caches' time to settle. */
const WARMUP_ROUNDS = 3;

/** Throws ActorError for actors that cannot play and RangeError for a system that answers what it must not. */
export async function simulate(
  stages: readonly Stage[],
  entries: readonly Entry[],
  options: SimulationOptions,
): Promise<Simulation> {
  const runs = entries.map(() => ({ tally: new Tally(), openMs: 0, rss: null as Memory | null }));
  const total = stages.reduce((sum, { actors }) => sum + startsOf(actors.actors, options), 0) * entries.length;
  let described: readonly Pick<System, 'name' | 'parameters'>[] = [];
  let played = 0;
  for (const [number, stage] of stages.entries()) {
    const systems = await openSystems(stage.collection, entries, (system, ms) => {
      (runs[system] as (typeof runs)[number]).openMs += ms;
    });
    try {
      if (number === 0) {
        described = systems;
        if (options.transcript !== null) writeTranscriptHeader(options.transcript, stages, systems, options);
      }
      await playStage(stage, number, systems, options, (system, actor, rounds, measures) => {
        (runs[system] as (typeof runs)[number]).tally.add(actor.name, actor.relevant, rounds, measures);
        options.onProgress(++played, total);
      });
      for (const [i, run] of runs.entries()) run.rss = await memoryOf(systems[i] as System);
    } finally {
      for (const system of systems) await system.close?.();
    }
  }
  return {
    kind: 'farsight-simulation',
    version: 1,
    protocol: options.protocol,
    protocol_parameters: options.plan.parameters,
    date: new Date().toISOString(),
    machine: machine(),
    collection: {
      name: stages.map(({ name }) => name).join(' '),
      generation: stages.map(({ collection }) => collection.generation).join(' '),
      items: (stages[0] as Stage).collection.items,
    },
    actors: {
      file: stages.map(({ actors }) => basename(actors.file)).join(' '),
      count: stages.reduce((sum, { actors }) => sum + actors.actors.length, 0),
      seed: (stages[0] as Stage).actors.seed,
    },
    over: options.over,
    k: options.k,
    seed: options.seed,
    runs: runs.map(({ tally, openMs, rss }, i) => ({
      system: (described[i] as System).name,
      parameters: (described[i] as System).parameters,
      ...tally.summary(options.plan.foundAt),
      rss_bytes: rss?.rssBytes ?? null,
      rss_max_bytes: rss?.rssMaxBytes ?? null,
      open_ms: openMs,
    })),
  };
}

type Memory = NonNullable<Awaited<ReturnType<NonNullable<System['memory']>>>>;

type OnSession = (
  system: number,
  actor: Actor,
  rounds: readonly PlayedRound[],
  measures: Readonly<Record<string, number>>,
) => void;

/** Opens the systems one after another; when one cannot be opened, the others are closed again. */
export async function openSystems(
  collection: Collection,
  entries: readonly Entry[],
  onOpen: (system: number, ms: number) => void,
): Promise<readonly System[]> {
  const systems: System[] = [];
  try {
    for (const [i, { factory, parameters }] of entries.entries()) {
      const before = performance.now();
      systems.push(await factory.open(collection, parameters));
      onOpen(i, performance.now() - before);
    }
  } catch (error) {
    for (const system of systems) await system.close?.();
    throw error;
  }
  return systems;
}

async function playStage(
  stage: Stage,
  number: number,
  systems: readonly System[],
  options: SimulationOptions,
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
async function playSession(
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

function startsOf(actors: readonly Actor[], { starts }: SimulationOptions): number {
  return actors.reduce((sum, actor) => sum + Math.min(starts, actor.starts.length), 0);
}

function writeTranscriptHeader(
  file: AsideFile,
  stages: readonly Stage[],
  systems: readonly System[],
  { protocol, plan, k, rounds, seed }: SimulationOptions,
): void {
  writeHeader(file, {
    protocol,
    parameters: plan.parameters,
    k,
    rounds,
    seed,
    collections: stages.map(({ collection: { generation, items } }) => ({ generation, items })),
    actors: stages.map(({ actors }) => actors.file),
    runs: systems.map(({ name, parameters }) => ({ system: name, parameters })),
  });
}

/** Of the system's own process where it has one, else of this. */
async function memoryOf(system: System): Promise<Memory> {
  if (system.memory !== undefined) return system.memory();
  return { rssBytes: process.memoryUsage.rss(), rssMaxBytes: process.resourceUsage().maxRSS * 1024 };
}
