// The jobs of a server: a bounded queue, one thread per running job, records on disk. A job that ran or waited when the
// server ended goes on when it starts, and one that was cancelled or failed when it is asked to.

import { randomUUID } from 'node:crypto';
import { Problem } from '../errors.ts';
import { type Attempt, type AttemptEnd, startAttempt } from './attempt.ts';
import { hasEnded, type JobProgress, type JobRecord, type SweepOrder } from './job.ts';
import { dropParts, type JobDirectory } from './job-directory.ts';

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
  readonly attempt: Attempt;
  /** And its end is in the record. */
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
    const { directory } = this.#options;
    this.#requireRoom(1);
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
    if (record.status === 'done') return this.#options.directory.filesOf(id, record.order.format).result;
    throw new Problem(
      'job-unfinished',
      `the job is ${record.status}${record.error === null ? '' : `: ${record.error}`}`,
    );
  }

  /** Stops a job that runs or waits; what it has done so far stays. Throws Problem 'unknown-job'. */
  async cancel(id: string): Promise<Job> {
    const entry = this.#entry(id);
    entry.running?.attempt.stop();
    await entry.running?.ended;
    // It may have been done before it looked.
    if (this.#jobs.get(id) === entry && !hasEnded(entry.record)) this.#end(entry, { status: 'cancelled' });
    this.#startNext();
    return entry;
  }

  /** Goes on with a job that was cancelled or failed, from its last durable part. Throws 'unknown-job', 'too-many-jobs'. */
  resume(id: string): Job {
    const entry = this.#entry(id);
    const { status } = entry.record;
    if (status !== 'cancelled' && status !== 'failed') return entry;
    this.#requireRoom(0);
    this.#save(entry, { status: 'queued', attempts: 0, error: null, endedAt: null });
    this.#startNext();
    return entry;
  }

  /** Stops the job if it runs, and forgets it and its result. Throws Problem 'unknown-job'. */
  async remove(id: string): Promise<void> {
    const entry = this.#entry(id);
    this.#jobs.delete(id);
    entry.running?.attempt.stop();
    await entry.running?.ended;
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

  /** Stops what runs; it goes on at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#expiry);
    const running = [...this.#jobs.values()].flatMap(({ running }) => (running === null ? [] : [running]));
    for (const { attempt } of running) attempt.stop();
    await Promise.all(running.map(({ ended }) => ended));
    this.#options.directory.leave();
  }

  #entry(id: string): Entry {
    const entry = this.#jobs.get(id);
    if (entry === undefined) throw new Problem('unknown-job', `there is no job '${id}'; it may have expired`);
    return entry;
  }

  #requireRoom(more: number): void {
    const { jobsRunning, jobsWaiting, maxJobs } = this.#options.limits;
    const waits = this.running >= jobsRunning && this.waiting >= jobsWaiting;
    if (!waits && this.#jobs.size + more <= maxJobs) return;
    const held = `${this.running} jobs run, ${this.waiting} wait and ${this.#jobs.size} are held`;
    const detail = `${held} of at most ${jobsRunning}, ${jobsWaiting} and ${maxJobs}; delete some`;
    throw new Problem('too-many-jobs', detail, { headers: { 'retry-after': '10' } });
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
    const files = directory.filesOf(id, order.format);
    const advance = (progress: JobProgress) => this.#advance(entry, progress);
    const attempt = startAttempt({ directory: index, generation, order, files }, advance);
    const ended = attempt.ended.then((end) => {
      entry.running = null;
      entry.progress = null;
      // Else it was deleted.
      if (this.#jobs.has(id)) this.#endAs(entry, end, attempts);
      this.#startNext();
    });
    entry.running = { attempt, ended };
  }

  #endAs(entry: Entry, end: AttemptEnd, attemptsBefore: number): void {
    const { id, order } = entry.record;
    if (end.as === 'done') {
      this.#end(entry, { status: 'done', summary: end.summary });
      dropParts(this.#options.directory.filesOf(id, order.format));
    } else if (end.as === 'failed') {
      this.#options.onError(end.error, id);
      this.#end(entry, { status: 'failed', error: end.error.message });
    } else if (this.#closing) {
      this.#save(entry, { status: 'queued', attempts: attemptsBefore });
    }
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
