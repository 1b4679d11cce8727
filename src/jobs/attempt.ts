// One attempt at a job: a thread that can be told to stop, and how it ended.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JobProgress, SweepSummary } from './job.ts';
import type { SweepData, SweepMessage } from './sweep-thread.ts';

export type AttemptEnd =
  | { readonly as: 'done'; readonly summary: SweepSummary }
  | { readonly as: 'failed'; readonly error: Error }
  | { readonly as: 'stopped' };

export interface Attempt {
  /** Between two steps. */
  stop(): void;
  readonly ended: Promise<AttemptEnd>;
}

export function startAttempt(order: Omit<SweepData, 'stop'>, advance: (progress: JobProgress) => void): Attempt {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: SweepData = { ...order, stop };
  const thread = new Worker(new URL(`./sweep-thread${extname(import.meta.url)}`, import.meta.url), { workerData });
  let end: AttemptEnd = { as: 'failed', error: new Error('the thread of the job ended') };
  thread.on('message', (message: SweepMessage) => {
    if (message.type === 'progress') advance(message.progress);
    else end = message.type === 'done' ? { as: 'done', summary: message.summary } : { as: 'stopped' };
  });
  thread.on('error', (error) => {
    end = { as: 'failed', error };
  });
  const ended = new Promise<AttemptEnd>((resolve) => {
    thread.once('exit', () => resolve(end));
  });
  return { stop: () => void Atomics.store(stop, 0, 1), ended };
}
