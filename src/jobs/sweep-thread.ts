// The thread of one sweep: trains, scores everything, draws the audit's sample, writes the result. It stops between two
// steps when the flag is up. What it found, and the result so far, are durable from time to time (swept-file.ts,
// result-writer.ts); the next attempt goes on from there, and its result has the same bytes.

import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { drawFrame } from '../audit-frame.ts';
import { type Admission, admits, Filters } from '../filter.ts';
import { trainHeads } from '../heads.ts';
import { type Collection, openIndex } from '../index/open.ts';
import type { Filter } from '../round-request.ts';
import { type ScanSweepResult, scanSweep } from '../scan-sweep.ts';
import type { AuditSample, JobProgress, SweepOrder, SweepSummary } from './job.ts';
import { dropParts, type JobFiles, putInPlace } from './job-directory.ts';
import { ndjsonWriter } from './ndjson.ts';
import { parquetWriter } from './parquet.ts';
import { durablePart, type ResultFile, writeParts } from './result-writer.ts';
import { readSwept, type Swept, writeSwept } from './swept-file.ts';

/** What a thread is started with. */
export interface SweepData {
  readonly directory: string;
  readonly generation: string;
  readonly order: SweepOrder;
  readonly files: JobFiles;
  /** Not 0: stop. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** What it says. */
export type SweepMessage =
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'done'; readonly summary: SweepSummary }
  | { readonly type: 'stopped' };

class Stopped extends Error {}

/** What another attempt would fail at too. */
class TooLarge extends Error {}

/** Time for looking at items between two reports. */
const FILTER_STEP_MS = 20;

const { directory, generation, order, files, stop } = workerData as SweepData;
const stagesMs: Record<string, number> = {};
let last = performance.now();

try {
  say({ type: 'done', summary: run() });
} catch (error) {
  if (error instanceof TooLarge) dropParts(files);
  if (!(error instanceof Stopped)) throw error;
  say({ type: 'stopped' });
}

function run(): SweepSummary {
  const collection = openIndex(directory);
  if (collection.generation !== generation) {
    throw new Error(`the index of the job is generation ${generation}, and ${collection.generation} is served`);
  }
  let swept = readSwept(files.swept);
  if (swept === null) {
    swept = sweep(collection);
    // Nothing of an earlier attempt belongs to it.
    rmSync(files.journal, { force: true });
    writeSwept(files.swept, swept);
  }
  finished('keep');
  const resumedRows = durablePart(files.aside, files.journal).rows;
  const bytes = write(collection, swept);
  finished('write');
  return { ...swept.summary, bytes, resumedRows, stagesMs: { ...swept.summary.stagesMs, ...stagesMs } };
}

function sweep(collection: Collection): Swept {
  report({ stage: 'train', done: 0, total: 1 });
  const positive = Uint32Array.from(order.positive);
  const negative = Uint32Array.from(order.negative);
  const labelled = Uint32Array.from([...positive, ...negative]).sort();
  const training = { ...order, positive, negative, startMs: 0, deadlineMs: Number.POSITIVE_INFINITY };
  const { heads, pseudoNegatives } = trainHeads(collection, training, labelled);
  const modalities = order.modalities.map(({ name, weight }, m) => {
    const head = heads[m];
    if (head === undefined) throw new Error(`no head was trained for ${name}`);
    return { name, weight, model: head.model };
  });
  finished('train');
  const admission = order.filter === undefined ? null : passing(collection, order.filter);
  const { selection, maxSweepBytes: maxBytes } = order;
  const request = { modalities, selection, order: order.order, admission, maxBytes };
  const steps = scanSweep(collection, request);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    report(step.value);
    finished(step.value.stage);
  }
  const found = step.value;
  finished('decide');
  const audit = order.audit === null ? null : sampleOf(found, labelled, admission, order.audit);
  finished('audit');
  const { items, scores, threshold, mean, deviation, error: scanError } = found;
  const passed = admission === null ? {} : { itemsPassing: admission.passed };
  const labels = { positives: positive.length, negatives: negative.length, pseudoNegatives };
  const summary = { items: items.length, threshold, mean, deviation, scanError, ...passed, ...labels, stagesMs, audit };
  return { summary, items, scores };
}

/** Looks at all items. */
function passing(collection: Collection, filter: Filter): Admission {
  const filters = new Filters();
  for (;;) {
    const until = performance.now() + FILTER_STEP_MS;
    const admission = filters.of(collection, filter, () => performance.now() >= until);
    report({ stage: 'filter', done: admission.looked, total: collection.items });
    finished('filter');
    if (admission.complete) return admission;
  }
}

function sampleOf(
  { scanned, selected, population }: ScanSweepResult,
  labelled: Uint32Array,
  admission: Admission | null,
  { strata, perStratum }: NonNullable<SweepOrder['audit']>,
): AuditSample {
  report({ stage: 'audit', done: 0, total: 1 });
  const isLabelled = new Set(labelled);
  const among = new Set<number>();
  for (const item of selected) if (isLabelled.has(item)) among.add(item);
  const count = (labels: readonly number[], inSelected: boolean) =>
    labels.filter((item) => among.has(item) === inSelected && (admission === null || admits(admission, item))).length;
  const known = (inSelected: boolean) => ({
    positives: count(order.positive, inSelected),
    negatives: count(order.negative, inSelected),
  });
  return {
    strata: drawFrame(scanned, selected, labelled, { strata, perStratum, population, seed: order.seed }),
    known: { selected: known(true), rest: known(false) },
  };
}

function write({ keys }: Collection, { items, scores }: Swept): number {
  const file: ResultFile = {
    path: files.aside,
    journal: files.journal,
    partRows: order.partRows,
    writerAt: (fd, from) =>
      order.format === 'ndjson' ? ndjsonWriter(fd, from) : parquetWriter(fd, from, keys !== null),
  };
  const rowsAt = (first: number, end: number) => {
    const some = items.subarray(first, end);
    const named = keys === null ? null : Array.from(some, (item) => keys.keyOf(item));
    return { items: some, scores: scores.subarray(first, end), keys: named };
  };
  const bytes = writeParts(file, items.length, rowsAt, (rows, written) => {
    if (written > order.maxResultBytes) {
      const limit = `${order.maxResultBytes} bytes (max_result_bytes)`;
      throw new TooLarge(`the result of ${items.length} rows passes ${limit}; ask for fewer, by count or threshold`);
    }
    report({ stage: 'write', done: rows, total: items.length });
  });
  putInPlace(files.aside, files.result);
  return bytes;
}

/** Adds the time since the last call to a stage. */
function finished(stage: JobProgress['stage'] | 'keep'): void {
  const now = performance.now();
  stagesMs[stage] = (stagesMs[stage] ?? 0) + now - last;
  last = now;
}

function report(progress: JobProgress): void {
  if (Atomics.load(stop, 0) !== 0) throw new Stopped();
  say({ type: 'progress', progress });
}

function say(message: SweepMessage): void {
  parentPort?.postMessage(message);
}
