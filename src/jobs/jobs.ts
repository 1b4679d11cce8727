// The jobs of a server: a bounded queue, one thread per running job, records on disk. A job that ran or waited when the
// server ended runs again, from its record, when it starts.

import { randomUUID } from 'node:crypto';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Problem } from '../errors.ts';
import type { JobProgress, JobRecord, SweepOrder } from './job.ts';
import type { JobDirectory } from './job-directory.ts';
import type { SweepData, SweepMessage } from './sweep-thread.ts';

export interface JobLimits {
  readonly jobsRunning: number;
  readonly jobsWaiting: number;
  readonly maxJobs: number;
  readonly jobTtlS: number;
}

export interface JobsOptions {
  readonly directory: JobDirectory;
  readonly limits: JobLimits;
  /** Index directories by collection name. */
  readonly collections: Readonly<Record<string, string>>;
  readonly onError: (error: unknown, job: string) => void;
}

/** A job and how far it is. */
export interface Job {
  readonly record: JobRecord;
  /** Of the attempt under way. */
  readonly progress: JobProgress | null;
  /** When the stage under way began, on the clock of Date. */
  readonly stageStartedAt: number;
}

interface Entry extends Job {
  record: JobRecord;
  progress: JobProgress | null;
  stageStartedAt: number;
  running: Running | null;
}

interface Running {
  readonly stop: Int32Array<SharedArrayBuffer>;
  readonly ended: Promise<void>;
}

const EXPIRY_INTERVAL_MS = 60_000;
/** A job that was under way so often when its server died is not begun again: it may be what it died of. */
const MAX_ATTEMPTS = 3;

export class Jobs {
  readonly #options: JobsOptions;
  readonly #jobs = new Map<string, Entry>();
  readonly #expiry: NodeJS.Timeout;
  #closing = false;

  /** Loads the records and goes on with what was not finished. Throws JobDirectoryError. */
  constructor(options: JobsOptions) {
    this.#options = options;
    for (const record of options.directory.load()) {
      const entry: Entry = { record, progress: null, stageStartedAt: 0, running: null };
      this.#jobs.set(record.id, entry);
      if (record.status !== 'running') continue;
      if (record.attempts < MAX_ATTEMPTS) entry.record = { ...record, status: 'queued' };
      else this.#end(entry, { status: 'failed', error: `the server ended ${MAX_ATTEMPTS} times while the job ran` });
    }
    this.#expiry = setInterval(() => this.expire(Date.now()), EXPIRY_INTERVAL_MS).unref();
    this.expire(Date.now());
    this.#startNext();
  }

  get running(): number {
    return this.#count('running');
  }

  get waiting(): number {
    return this.#count('queued');
  }

  /** Throws Problem 'unknown-job'. */
  get(id: string): Job {
    return this.#entry(id);
  }

  /** Orders a sweep; the record is on disk. Throws Problem 'too-many-jobs'. */
  start(job: Pick<JobRecord, 'session' | 'revision' | 'collection' | 'generation'> & { order: SweepOrder }): Job {
    const { directory, limits } = this.#options;
    const waits = this.running >= limits.jobsRunning && this.waiting >= limits.jobsWaiting;
    if (waits || this.#jobs.size >= limits.maxJobs) {
      const held = `${this.running} jobs run, ${this.waiting} wait and ${this.#jobs.size} are held`;
      const detail = `${held} of at most ${limits.jobsRunning}, ${limits.jobsWaiting} and ${limits.maxJobs}; delete some`;
      throw new Problem('too-many-jobs', detail, { headers: { 'retry-after': '10' } });
    }
    const state = {
      createdAt: Date.now(),
      endedAt: null,
      status: 'queued',
      attempts: 0,
      error: null,
      summary: null,
    } as const;
    const entry: Entry = {
      record: { id: randomUUID(), ...job, ...state },
      progress: null,
      stageStartedAt: 0,
      running: null,
    };
    try {
      directory.save(entry.record);
    } catch (error) {
      const detail = `nothing was ordered: the job cannot be stored (${(error as Error).message})`;
      throw new Problem('storage-failed', detail, { headers: { 'retry-after': '10' } });
    }
    this.#jobs.set(entry.record.id, entry);
    this.#startNext();
    return entry;
  }

  /** The file of a finished job. Throws Problem 'job-unfinished'. */
  resultOf(id: string): string {
    const { record } = this.#entry(id);
    if (record.status === 'done') return this.#options.directory.resultOf(id, record.order.format);
    throw new Problem(
      'job-unfinished',
      `the job is ${record.status}${record.error === null ? '' : `: ${record.error}`}`,
    );
  }

  /** Stops the job if it runs, and forgets it and its result. Throws Problem 'unknown-job'. */
  async remove(id: string): Promise<void> {
    const entry = this.#entry(id);
    this.#jobs.delete(id);
    if (entry.running !== null) {
      Atomics.store(entry.running.stop, 0, 1);
      await entry.running.ended;
    }
    this.#options.directory.remove(id);
    this.#startNext();
  }

  /** Forgets what ended too long ago; 0 is never. */
  expire(now: number): void {
    const { jobTtlS } = this.#options.limits;
    if (jobTtlS === 0) return;
    for (const { record } of [...this.#jobs.values()]) {
      if (record.endedAt === null || now - record.endedAt < jobTtlS * 1000) continue;
      this.#jobs.delete(record.id);
      this.#options.directory.remove(record.id);
    }
  }

  /** Stops what runs; it runs again at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#expiry);
    const running = [...this.#jobs.values()].flatMap(({ running }) => (running === null ? [] : [running]));
    for (const { stop } of running) Atomics.store(stop, 0, 1);
    await Promise.all(running.map(({ ended }) => ended));
    this.#options.directory.leave();
  }

  #entry(id: string): Entry {
    const entry = this.#jobs.get(id);
    if (entry === undefined) throw new Problem('unknown-job', `there is no job '${id}'; it may have expired`);
    return entry;
  }

  #count(status: JobRecord['status']): number {
    return [...this.#jobs.values()].filter(({ record }) => record.status === status).length;
  }

  #startNext(): void {
    for (const entry of this.#jobs.values()) {
      if (this.#closing || this.running >= this.#options.limits.jobsRunning) return;
      if (entry.record.status === 'queued') this.#run(entry);
    }
  }

  #run(entry: Entry): void {
    const { id, collection, generation, order } = entry.record;
    const { directory, collections } = this.#options;
    const index = collections[collection];
    const { attempts } = entry.record;
    this.#save(entry, { status: 'running', attempts: attempts + 1 });
    if (index === undefined) {
      this.#end(entry, { status: 'failed', error: `there is no collection '${collection}'` });
      return;
    }
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workerData: SweepData = {
      directory: index,
      generation,
      order,
      path: directory.resultOf(id, order.format),
      stop,
    };
    const thread = new Worker(new URL(`./sweep-thread${extname(import.meta.url)}`, import.meta.url), { workerData });
    let end: Partial<JobRecord> | null = { status: 'failed', error: 'the thread of the job ended' };
    thread.on('message', (message: SweepMessage) => {
      if (message.type === 'progress') this.#advance(entry, message.progress);
      else end = message.type === 'done' ? { status: 'done', summary: message.summary } : null;
    });
    thread.on('error', (error) => {
      this.#options.onError(error, id);
      end = { status: 'failed', error: error.message };
    });
    const ended = new Promise<void>((resolve) => {
      thread.once('exit', () => {
        entry.running = null;
        // Null: stopped because the server closes, or because the job was deleted.
        if (end !== null && this.#jobs.has(id)) this.#end(entry, end);
        else if (this.#closing) this.#save(entry, { status: 'queued', attempts });
        resolve();
        this.#startNext();
      });
    });
    entry.running = { stop, ended };
  }

  #advance(entry: Entry, progress: JobProgress): void {
    if (entry.progress?.stage !== progress.stage) entry.stageStartedAt = Date.now();
    entry.progress = progress;
  }

  #end(entry: Entry, end: Partial<JobRecord>): void {
    entry.progress = null;
    this.#save(entry, { ...end, endedAt: Date.now() });
  }

  /** A record that cannot be written is told in the log: what is in memory is true until the server ends. */
  #save(entry: Entry, change: Partial<JobRecord>): void {
    entry.record = { ...entry.record, ...change };
    try {
      this.#options.directory.save(entry.record);
    } catch (error) {
      this.#options.onError(error, entry.record.id);
    }
  }
}
