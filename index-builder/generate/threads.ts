// Threads that share the blocks of a collection: each takes the next block nobody has, until none is left.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BLOCK_ITEMS } from './block.ts';
import { BlockQueue, type Job, type Measured, type Outcome } from './job.ts';
import { GenerateError } from './output.ts';

const PROGRESS_MS = 100;

/**
 * Runs a job on `threads` threads until all blocks are done, and resolves with what each measured. Stops at the end of
 * the running blocks when `signal` aborts or a thread fails, and rejects with the reason.
 */
export async function runThreads(
  job: Omit<Job, 'queue'>,
  threads: number,
  signal: AbortSignal,
  onProgress: (items: number) => void,
): Promise<Measured[]> {
  const queue = new BlockQueue(job.items);
  const stop = (): void => queue.stop();
  signal.addEventListener('abort', stop);
  const timer = setInterval(() => onProgress(Math.min(job.items, queue.finished * BLOCK_ITEMS)), PROGRESS_MS);
  try {
    const runs = Array.from({ length: Math.min(threads, queue.blocks) }, () =>
      runThread({ ...job, queue: queue.shared }),
    );
    // A thread that fails stops the others; all have ended before the folder they write to is touched.
    for (const run of runs) run.catch(stop);
    const ended = await Promise.allSettled(runs);
    signal.throwIfAborted();
    return ended.flatMap((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value === null ? [] : [outcome.value];
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
}

function runThread(job: Job): Promise<Measured | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), { workerData: job });
    let outcome: Outcome = { failed: `${job.folder}: a thread ended early; start again with fewer --threads` };
    worker.on('message', (message: Outcome) => {
      outcome = message;
    });
    worker.on('error', (error) => {
      outcome = { failed: error.message };
    });
    worker.on('exit', () => {
      if ('failed' in outcome) reject(new GenerateError(outcome.failed));
      else resolve(outcome.measured);
    });
  });
}
