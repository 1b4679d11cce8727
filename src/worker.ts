// The far side of the thread boundary: one message in, one round, one message out. Every thread opens the collections
// once; their mappings are shared by all threads of the process.

import { threadId, workerData } from 'node:worker_threads';
import { DecodedRows } from './decoded-rows.ts';
import { Filters } from './filter.ts';
import { trainHeads } from './heads.ts';
import { type Collection, openIndex } from './index/open.ts';
import type { Model } from './models/model.ts';
import { native } from './native.ts';
import { round } from './round.ts';
import { ROUND_DEFAULTS, type RoundRequest, type RoundResult, type Stage } from './round-request.ts';
import { SurveyMemory } from './survey-memory.ts';

/** What a thread is started with. */
export interface WorkerData {
  /** Index directories by collection name. */
  readonly directories: Readonly<Record<string, string>>;
  /** What the main thread found there: a thread that replaces a dead one must not answer from a newer index. */
  readonly generations: Readonly<Record<string, string>>;
  /** Bytes of decoded rows that a thread keeps. */
  readonly decodedRowsBytes: number;
}

/** One round to run; when it begins is known here. */
export interface Task {
  readonly collection: string;
  readonly request: Omit<RoundRequest, 'startMs'>;
}

/** A round and what it took, in milliseconds. */
export interface Answer {
  readonly result: RoundResult;
  /** When the round began, on the clock of RoundRequest.deadlineMs. */
  readonly startMs: number;
  readonly stagesMs: Readonly<Record<Stage, number>>;
}

/** What was learnt from the labels of a round. */
export interface TrainedModels {
  readonly models: readonly { readonly modality: string; readonly model: Model }[];
  /** Random items that served as negatives. */
  readonly pseudoNegatives: number;
}

const { directories, generations, decodedRowsBytes } = workerData as WorkerData;
const collections: ReadonlyMap<string, Collection> = new Map(
  Object.entries(directories).map(([name, directory]) => [name, openIndex(directory)]),
);

const memory = new SurveyMemory();
const decoded = new DecodedRows(decodedRowsBytes);
const filters = new Filters();

/** Runs a round. */
export function suggest({ collection: name, request }: Task): Answer {
  const collection = collectionOf(name);
  const startMs = clockMs();
  const stagesMs: Record<Stage, number> = { fit: 0, select: 0, score: 0, fuse: 0 };
  let last = startMs;
  const timed = (stage: Stage): void => {
    const now = clockMs();
    stagesMs[stage] += now - last;
    last = now;
  };
  // Half of the time at most: what passes of the items looked at can then still be searched.
  const untilMs = (startMs + request.deadlineMs) / 2;
  const { filter } = request;
  const admission = filter === undefined ? null : filters.of(collection, filter, () => clockMs() >= untilMs);
  const result = round(collection, { ...request, startMs }, timed, memory, decoded, admission);
  return { result, startMs, stagesMs };
}

/** Trains the models of a round with positives. */
export function train({ collection: name, request }: Task): TrainedModels {
  const collection = collectionOf(name);
  const { positive, negative, exclude } = request;
  const skip = Uint32Array.from(new Set([...positive, ...negative, ...exclude])).sort();
  const { heads, pseudoNegatives } = trainHeads(collection, { ...request, startMs: clockMs() }, skip, decoded);
  return { models: heads.map(({ modality, model }) => ({ modality: modality.name, model })), pseudoNegatives };
}

/** The number of this thread, once it can run rounds: each collection has seen one, so that no client waits for it. */
export function ready(): number {
  for (const collection of collections.values()) {
    const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
    const labels = { positive: Uint32Array.of(0), negative: new Uint32Array(0), exclude: new Uint32Array(0) };
    round(collection, { ...ROUND_DEFAULTS, ...labels, modalities });
  }
  return threadId;
}

/**
 * Makes what samplers keep of large collections: many thousand look-ups all over the index, best when it is in memory. What
 * that took besides, as much as is kept, would otherwise stay resident.
 */
export function prepare(): void {
  for (const collection of collections.values()) memory.prepare(collection);
  native.releaseFreed();
}

function collectionOf(name: string): Collection {
  const collection = collections.get(name);
  if (collection === undefined) throw new Error(`this thread has no collection '${name}'`);
  if (collection.generation !== generations[name]) {
    throw new Error(`the index of '${name}' was replaced under the server; restart it to serve the new one`);
  }
  return collection;
}

function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
