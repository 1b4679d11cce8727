// The thread of one sweep: trains, scores everything, draws the audit's sample, writes the result. It stops between two
// steps when the flag is up; what it had written aside is written anew by the next attempt, which gives the same bytes.

import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { drawFrame } from '../audit-frame.ts';
import { trainHeads } from '../heads.ts';
import { type Collection, openIndex } from '../index/open.ts';
import { type ScanSweepResult, scanSweep } from '../scan-sweep.ts';
import type { AuditSample, JobProgress, SweepOrder, SweepSummary } from './job.ts';
import { putInPlace } from './job-directory.ts';
import { ndjsonWriter } from './ndjson.ts';
import { parquetWriter } from './parquet.ts';

/** What a thread is started with. */
export interface SweepData {
  readonly directory: string;
  readonly generation: string;
  readonly order: SweepOrder;
  /** Where the result goes. */
  readonly path: string;
  /** Not 0: stop. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** What it says. */
export type SweepMessage =
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'done'; readonly summary: SweepSummary }
  | { readonly type: 'stopped' };

const WRITE_ROWS = 1 << 16;

class Stopped extends Error {}

const { directory, generation, order, path, stop } = workerData as SweepData;
const stagesMs: Record<string, number> = {};
let last = performance.now();

try {
  say({ type: 'done', summary: run() });
} catch (error) {
  rmSync(asideOf(path), { force: true });
  if (!(error instanceof Stopped)) throw error;
  say({ type: 'stopped' });
}

function run(): SweepSummary {
  const collection = openIndex(directory);
  if (collection.generation !== generation) {
    throw new Error(`the index of the job is generation ${generation}, and ${collection.generation} is served`);
  }
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
  const request = { modalities, selection: order.selection, order: order.order, maxBytes: Number.POSITIVE_INFINITY };
  const steps = scanSweep(collection, request);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    report(step.value);
    finished(step.value.stage);
  }
  const swept = step.value;
  finished('decide');
  const audit = order.audit === null ? null : sampleOf(swept, labelled, order.audit);
  finished('audit');
  const bytes = write(collection, swept);
  finished('write');
  return {
    items: swept.items.length,
    bytes,
    threshold: swept.threshold,
    mean: swept.mean,
    deviation: swept.deviation,
    scanError: swept.error,
    positives: positive.length,
    negatives: negative.length,
    pseudoNegatives,
    stagesMs,
    audit,
  };
}

function sampleOf(
  { scanned, selected }: ScanSweepResult,
  labelled: Uint32Array,
  { strata, perStratum }: NonNullable<SweepOrder['audit']>,
): AuditSample {
  report({ stage: 'audit', done: 0, total: 1 });
  const isLabelled = new Set(labelled);
  const among = new Set<number>();
  for (const item of selected) if (isLabelled.has(item)) among.add(item);
  const count = (labels: readonly number[], inSelected: boolean) =>
    labels.filter((item) => among.has(item) === inSelected).length;
  const known = (inSelected: boolean) => ({
    positives: count(order.positive, inSelected),
    negatives: count(order.negative, inSelected),
  });
  return {
    strata: drawFrame(scanned, selected, labelled, { strata, perStratum, seed: order.seed }),
    known: { selected: known(true), rest: known(false) },
  };
}

function write({ keys }: Collection, { items, scores }: ScanSweepResult): number {
  const aside = asideOf(path);
  const writer = order.format === 'ndjson' ? ndjsonWriter(aside) : parquetWriter(aside, keys !== null);
  for (let first = 0; first < items.length; first += WRITE_ROWS) {
    const some = items.subarray(first, first + WRITE_ROWS);
    const named = keys === null ? null : Array.from(some, (item) => keys.keyOf(item));
    writer.write({ items: some, scores: scores.subarray(first, first + WRITE_ROWS), keys: named });
    if (writer.bytes > order.maxResultBytes) {
      const limit = `${order.maxResultBytes} bytes (max_result_bytes)`;
      throw new Error(`the result of ${items.length} rows passes ${limit}; ask for fewer, by count or threshold`);
    }
    report({ stage: 'write', done: first + some.length, total: items.length });
  }
  writer.finish();
  putInPlace(aside, path);
  return writer.bytes;
}

/** Adds the time since the last call to a stage. */
function finished(stage: JobProgress['stage']): void {
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

function asideOf(file: string): string {
  return `${file}.part`;
}
