// Replays a transcript: systems are asked what was asked then, round by round, and their suggestions compared with what
// was suggested then. What they suggest now has no influence on what is asked next, so rounds compare one by one.

import type { System } from '../baselines/system.ts';
import { ask, Seen } from './asking.ts';
import { Comparison, type ComparisonSummary } from './comparison.ts';
import { type Entry, openSystems, type Stage, untilInterrupted } from './playing.ts';
import { ActorError } from './protocol.ts';
import { openTranscript, type TranscriptHeader } from './transcript.ts';

export interface Replay {
  readonly kind: 'farsight-replay';
  readonly version: 1;
  readonly transcript: string;
  readonly protocol: string;
  /** Whether the collections are the very ones of the transcript, not only as large. */
  readonly same_generation: boolean;
  readonly runs: readonly (ComparisonSummary & {
    readonly system: string;
    readonly parameters: System['parameters'];
    /** What played then. */
    readonly of: TranscriptHeader['runs'][number];
  })[];
}

/** Replays against the entries; a transcript of one run serves them all, one of several pairs with them in order. */
export async function replay(
  path: string,
  stages: readonly Pick<Stage, 'collection'>[],
  entries: readonly Entry[],
  signal: AbortSignal,
  onProgress: (rounds: number) => void,
): Promise<Replay> {
  const { header, rounds } = await openTranscript(path);
  checkFits(path, header, stages, entries);
  // Per entry, a system over each collection.
  const systems: System[][] = entries.map(() => []);
  try {
    for (const { collection } of stages) {
      const opened = await openSystems(collection, entries, signal, () => {});
      opened.forEach((system, e) => {
        (systems[e] as System[]).push(system);
      });
    }
    const comparisons = entries.map(() => new Comparison());
    let seen = new Seen();
    let done = 0;
    for await (const { key, round, seed, positive, negative, suggested } of rounds) {
      await untilInterrupted(signal);
      if (round === 1) seen = new Seen();
      const request = seen.request(positive, negative, { k: header.k, seed });
      const { items } = (stages[key.collection] as Stage).collection;
      for (const [e, own] of systems.entries()) {
        if (header.runs.length > 1 && key.run !== e) continue;
        const answer = await ask(own[key.collection] as System, request, seen, items);
        (comparisons[e] as Comparison).add(key, round, suggested, answer.suggested);
      }
      seen.add(Uint32Array.from(suggested));
      onProgress(++done);
    }
    return {
      kind: 'farsight-replay',
      version: 1,
      transcript: path,
      protocol: header.protocol,
      same_generation: header.collections.every((then, i) => then.generation === stages[i]?.collection.generation),
      runs: comparisons.map((comparison, e) => {
        const { name, parameters } = (systems[e] as System[])[0] as System;
        const of = (header.runs.length > 1 ? header.runs[e] : header.runs[0]) as TranscriptHeader['runs'][number];
        return { system: name, parameters, of, ...comparison.summary() };
      }),
    };
  } finally {
    await rounds.return(undefined);
    for (const system of systems.flat()) await system.close?.();
  }
}

function checkFits(
  path: string,
  header: TranscriptHeader,
  stages: readonly Pick<Stage, 'collection'>[],
  entries: readonly Entry[],
): void {
  if (header.runs.length > 1 && header.runs.length !== entries.length) {
    throw new ActorError(
      `${path}: holds ${header.runs.length} runs, ${entries.length} systems are named; name one for each, in order`,
    );
  }
  if (header.collections.length !== stages.length) {
    throw new ActorError(`${path}: was played on ${header.collections.length} collections, ${stages.length} are named`);
  }
  header.collections.forEach(({ items }, i) => {
    const { directory, items: present } = (stages[i] as Stage).collection;
    if (items !== present) throw new ActorError(`${path}: is of ${items} items, ${directory} has ${present}`);
  });
}
