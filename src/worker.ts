// The far side of the thread boundary: one message in, one round, one message out. Every thread opens the collections
// once; their mappings are shared by all threads of the process.

import { threadId, workerData } from 'node:worker_threads';
import { type Collection, openIndex } from './index/open.ts';
import { round } from './round.ts';
import type { RoundRequest, RoundResult, Stage } from './round-request.ts';

/** What a thread is started with. */
export interface WorkerData {
  /** Index directories by collection name. */
  readonly directories: Readonly<Record<string, string>>;
}

/** One round to run. */
export interface Task {
  readonly collection: string;
  readonly request: RoundRequest;
}

/** A round and what it took, in milliseconds. */
export interface Answer {
  readonly result: RoundResult;
  /** When the round began, on the clock of RoundRequest.deadlineMs. */
  readonly startMs: number;
  readonly stagesMs: Readonly<Record<Stage, number>>;
}

const collections: ReadonlyMap<string, Collection> = new Map(
  Object.entries((workerData as WorkerData).directories).map(([name, directory]) => [name, openIndex(directory)]),
);

/** Runs a round. */
export function suggest({ collection: name, request }: Task): Answer {
  const collection = collections.get(name);
  if (collection === undefined) throw new Error(`this thread has no collection '${name}'`);
  const startMs = clockMs();
  const stagesMs: Record<Stage, number> = { fit: 0, select: 0, score: 0, fuse: 0 };
  let last = startMs;
  const result = round(collection, request, (stage) => {
    const now = clockMs();
    stagesMs[stage] += now - last;
    last = now;
  });
  return { result, startMs, stagesMs };
}

/** The number of this thread, once it can run rounds. */
export function ready(): number {
  return threadId;
}

function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
