// The main thread's face of the search: admits rounds up to a bounded queue, drops those whose client has gone, and
// hands the rest to a fixed pool of threads. The queue is ours because piscina can only cancel by terminating a thread.

import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { Problem } from './errors.ts';
import type { Answer, Task, WorkerData } from './worker.ts';

/** Size and place of the pool. */
export interface EngineOptions {
  /** Index directories by collection name. */
  readonly directories: Readonly<Record<string, string>>;
  /** The generation of each, which a thread must find there too. */
  readonly generations: Readonly<Record<string, string>>;
  readonly threads: number;
  /** Rounds that may wait; the next is refused. */
  readonly queueLength: number;
  readonly heapMb: number;
  /** Told when a thread dies between rounds; it is replaced. */
  readonly onThreadError: (error: Error) => void;
  /** Module of the threads. */
  readonly worker?: URL;
}

/** A round that waits for a thread. */
interface Waiting {
  readonly task: Task;
  readonly abandoned: () => boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Above this many bytes of item numbers, moving them to the thread is cheaper than copying. */
const transferBytes = 65_536;

/** Seconds after which a refused client may try again: the queue is that of rounds of milliseconds. */
const retryAfterSeconds = '1';

/** The pool. */
export class Engine {
  readonly #pool: Piscina<Task, Answer>;
  readonly #threads: number;
  readonly #queueLength: number;
  #waiting: Waiting[] = [];
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];

  private constructor(pool: Piscina<Task, Answer>, { threads, queueLength }: EngineOptions) {
    this.#pool = pool;
    this.#threads = threads;
    this.#queueLength = queueLength;
  }

  /** Starts the threads and waits until each has opened the collections. */
  static async start(options: EngineOptions): Promise<Engine> {
    const { threads, heapMb, directories, generations, onThreadError } = options;
    const workerData: WorkerData = { directories, generations };
    const pool = new Piscina<Task, Answer>({
      filename: (options.worker ?? new URL(`./worker${extname(import.meta.url)}`, import.meta.url)).href,
      name: 'suggest',
      minThreads: threads,
      maxThreads: threads,
      workerData,
      // Large arrays live outside this heap; a small young generation keeps the threads' resident memory small.
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 4 },
      recordTiming: false,
    });
    pool.on('error', onThreadError);
    try {
      const readiness = Array.from({ length: threads }, () => pool.run(undefined as never, { name: 'ready' }));
      await Promise.all(readiness);
    } catch (error) {
      await pool.destroy();
      throw error;
    }
    return new Engine(pool, options);
  }

  /** Rounds waiting for a thread. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Rounds being computed. */
  get running(): number {
    return this.#running;
  }

  /**
   * Runs a round as soon as a thread is free. `abandoned` says whether anybody still wants the answer when it could
   * start. The arrays of the request may be moved away. Throws Problem 'overloaded' or 'client-closed-request'.
   */
  suggest(collection: string, request: Task['request'], abandoned: () => boolean): Promise<Answer> {
    const task: Task = { collection, request };
    if (this.#running < this.#threads) return this.#run(task);
    if (this.#waiting.length >= this.#queueLength) this.#dropAbandoned();
    if (this.#waiting.length >= this.#queueLength) {
      const headers = { 'retry-after': retryAfterSeconds };
      return Promise.reject(new Problem('overloaded', `${this.#queueLength} rounds are waiting already`, { headers }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, abandoned, resolve, reject });
    });
  }

  /** Lets the running and waiting rounds finish, then ends the threads. */
  async close(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    await this.#pool.destroy();
  }

  async #run(task: Task): Promise<Answer> {
    const { positive, negative, exclude } = task.request;
    const bytes = positive.byteLength + negative.byteLength + exclude.byteLength;
    this.#running++;
    try {
      const transferList = bytes > transferBytes ? [positive.buffer, negative.buffer, exclude.buffer] : [];
      return await this.#pool.run(task, { transferList: transferList as ArrayBuffer[] });
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #next(): void {
    while (this.#running < this.#threads) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) break;
      if (waiting.abandoned()) reject(waiting);
      else this.#run(waiting.task).then(waiting.resolve, waiting.reject);
    }
    if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #dropAbandoned(): void {
    const [gone, wanted] = [[] as Waiting[], [] as Waiting[]];
    for (const waiting of this.#waiting) (waiting.abandoned() ? gone : wanted).push(waiting);
    this.#waiting = wanted;
    gone.forEach(reject);
  }
}

function reject(waiting: Waiting): void {
  waiting.reject(new Problem('client-closed-request', 'the connection was closed while the round waited'));
}
