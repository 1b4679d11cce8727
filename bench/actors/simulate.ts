// Plays a protocol: every start of every actor against every system. Systems take turns start by start (A B A B …), so
// that they share whatever else the machine does.

import { basename } from 'node:path';
import type { Collection } from '../../src/index/open.ts';
import { fitsHugePages, searchedBytes, warm } from '../../src/index/warm.ts';
import type { System } from '../baselines/system.ts';
import { commandLine, machine, revision } from '../measure.ts';
import type { AsideFile } from './aside-file.ts';
import { type Entry, openSystems, type PlayOptions, playStage, type Stage, untilInterrupted } from './playing.ts';
import type { Actor, Plan } from './protocol.ts';
import { type PlayedRound, type Summary, Tally } from './tally.ts';
import { writeHeader } from './transcript.ts';

export interface SimulationOptions extends PlayOptions {
  readonly protocol: string;
  readonly over: 'process' | 'http';
  readonly onProgress: (sessions: number, total: number) => void;
  readonly onSession?: OnSession;
}

/** Told of every session of a run, by its place: its rounds, and what the protocol measured. */
export type OnSession = (
  run: number,
  actor: Actor,
  rounds: readonly PlayedRound[],
  measures: Readonly<Record<string, number>>,
) => void;

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
  /** What was run, and of which revision; null outside a repository. */
  readonly command: string;
  readonly revision: string | null;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly collection: { readonly name: string; readonly generation: string; readonly items: number };
  readonly actors: { readonly file: string; readonly count: number; readonly seed: number | null };
  readonly over: 'process' | 'http';
  /** Starts of an actor at most, and rounds of a start. */
  readonly starts: number;
  readonly rounds: number;
  readonly k: number;
  readonly seed: number;
  readonly runs: readonly RunResult[];
}

/**
 * Plays all stages. Memory is that of the process, so of all systems that play in it: measure it with one run.
 * Throws ActorError for actors that cannot play and RangeError for a system that answers what it must not.
 */
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
    if (options.over === 'process') await readIntoMemory(stage.collection, options.signal);
    const systems = await openSystems(stage.collection, entries, options.signal, (system, ms) => {
      (runs[system] as (typeof runs)[number]).openMs += ms;
    });
    try {
      if (number === 0) {
        described = systems;
        if (options.transcript !== null) writeTranscriptHeader(options.transcript, stages, systems, options);
      }
      await playStage(stage, number, systems, options, (system, actor, rounds, measures) => {
        (runs[system] as (typeof runs)[number]).tally.add(actor.name, actor.relevant, rounds, measures);
        options.onSession?.(system, actor, rounds, measures);
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
    ...heading(stages, options),
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

/** As a server does before it is ready: no round is to wait for pages. */
async function readIntoMemory(collection: Collection, signal: AbortSignal): Promise<void> {
  for (const _ of warm(collection, fitsHugePages(searchedBytes(collection)))) await untilInterrupted(signal);
}

type Memory = NonNullable<Awaited<ReturnType<NonNullable<System['memory']>>>>;

/** What was played, where and when; of several stages, names and generations side by side. */
function heading(
  stages: readonly Stage[],
  { protocol, plan, over, starts, rounds, k, seed }: SimulationOptions,
): Omit<Simulation, 'kind' | 'version' | 'runs'> {
  const [first] = stages as readonly [Stage, ...Stage[]];
  return {
    protocol,
    protocol_parameters: plan.parameters,
    date: new Date().toISOString(),
    command: commandLine(process.argv),
    revision: revision(),
    machine: machine(),
    collection: {
      name: stages.map(({ name }) => name).join(' '),
      generation: stages.map(({ collection }) => collection.generation).join(' '),
      items: first.collection.items,
    },
    actors: {
      file: stages.map(({ actors }) => basename(actors.file)).join(' '),
      count: stages.reduce((sum, { actors }) => sum + actors.actors.length, 0),
      seed: first.actors.seed,
    },
    over,
    starts: Math.max(
      ...stages.flatMap(({ actors }) => actors.actors.map((actor) => Math.min(starts, actor.starts.length))),
    ),
    rounds,
    k,
    seed,
  };
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
