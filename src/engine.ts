// The main thread's face of the search: admits rounds up to a bounded queue, drops those whose client has gone, and
// hands the rest to a fixed pool of threads. The queue is ours because piscina can only cancel by terminating a thread.

import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { Problem } from './errors.ts';
import { mixAccount } from './round-request.ts';
import type { Answer, Task, TrainedModels, WorkerData } from './worker.ts';

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
  /** Bytes of decoded rows that a thread keeps. */
  readonly decodedRowsBytes: number;
  /** Told when a thread dies between rounds; it is replaced. */
  readonly onThreadError: (error: Error) => void;
  /** Module of the threads. */
  readonly worker?: URL;
}

/** Functions of the threads. */
type Work = 'suggest' | 'train';

/** Work that waits for a thread. */
interface Waiting {
  readonly work: Work;
  readonly task: Task;
  readonly abandoned: () => boolean;
  /** Ends the wait when the budget is over. */
  readonly expiry: NodeJS.Timeout;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Above this many bytes of item numbers, moving them to the thread is cheaper than copying. */
const transferBytes = 65_536;

/** Seconds after which a refused client may try again: the queue is that of rounds of milliseconds. */
const retryAfterSeconds = '1';

/** Node fires a timer that is longer at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The pool. */
export class Engine {
  readonly #pool: Piscina<Task, unknown>;
  readonly #threads: number;
  readonly #queueLength: number;
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];

  private constructor(pool: Piscina<Task, unknown>, { threads, queueLength }: EngineOptions) {
    this.#pool = pool;
    this.#threads = threads;
    this.#queueLength = queueLength;
  }

  /** Starts the threads and waits until each has opened the collections. */
  static async start(options: EngineOptions): Promise<Engine> {
    const { threads, heapMb, directories, generations, decodedRowsBytes, onThreadError } = options;
    const workerData: WorkerData = { directories, generations, decodedRowsBytes };
    const pool = new Piscina<Task, unknown>({
      filename: (options.worker ?? new URL(`./worker${extname(import.meta.url)}`, import.meta.url)).href,
      name: 'suggest',
      minThreads: threads,
      maxThreads: threads,
      workerData,
      // Large arrays live outside this heap; a small young generation keeps the threads' resident memory small.
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 4 },
      recordTiming: false,
      // A thread that waits synchronously never comes to free what the garbage collector has found: native handles.
      atomics: 'disabled',
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

  /** Has every thread that is free make what samplers keep of large collections; the others do when a round asks for it. */
  async prepare(): Promise<void> {
    const preparing = Array.from({ length: this.#threads }, () =>
      this.#pool.run(undefined as never, { name: 'prepare' }),
    );
    await Promise.all(preparing);
  }

  /** Rounds waiting for a thread. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Rounds being computed. */
  get running(): number {
    return this.#running;
  }

  /**
   * Runs a round as soon as a thread is free; one that still waits at its deadline is answered then, with nothing.
   * `abandoned` says whether anybody still wants the answer when it could start. The arrays of the request may be moved
   * away. Throws Problem 'overloaded' or 'client-closed-request'.
   */
  async suggest(collection: string, request: Task['request'], abandoned: () => boolean): Promise<Answer> {
    return (await this.#admit('suggest', { collection, request }, abandoned)) as Answer;
  }

  /** Trains the models of a round with positives, and does no more. Throws as above, and 'overloaded' at the deadline. */
  async train(collection: string, request: Task['request'], abandoned: () => boolean): Promise<TrainedModels> {
    return (await this.#admit('train', { collection, request }, abandoned)) as TrainedModels;
  }

  #admit(work: Work, task: Task, abandoned: () => boolean): Promise<unknown> {
    const { request } = task;
    if (this.#running < this.#threads) return this.#run(work, task);
    if (this.#waiting.size >= this.#queueLength) this.#dropAbandoned();
    if (this.#waiting.size >= this.#queueLength) {
      const queue = this.#queueLength === 0 ? 'none may wait' : `the queue of ${this.#queueLength} is full`;
      return Promise.reject(overloaded(`every thread is busy and ${queue}`));
    }
    return new Promise((resolve, reject) => {
      const expiry = setTimeout(
        () => this.#expire(waiting),
        Math.min(request.deadlineMs - clockMs(), longestTimeoutMs),
      );
      const waiting: Waiting = { work, task, abandoned, expiry, resolve, reject };
      this.#waiting.add(waiting);
    });
  }

  /** Lets the running and waiting rounds finish, then ends the threads. */
  async close(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    await this.#pool.destroy();
  }

  async #run(work: Work, task: Task): Promise<unknown> {
    const { positive, negative, exclude } = task.request;
    const bytes = positive.byteLength + negative.byteLength + exclude.byteLength;
    this.#running++;
    try {
      const transferList = bytes > transferBytes ? [positive.buffer, negative.buffer, exclude.buffer] : [];
      return await this.#pool.run(task, { name: work, transferList: transferList as ArrayBuffer[] });
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #next(): void {
    while (this.#running < this.#threads) {
      const [waiting] = this.#waiting;
      if (waiting === undefined) break;
      this.#waiting.delete(waiting);
      clearTimeout(waiting.expiry);
      if (waiting.abandoned()) reject(waiting);
      else this.#run(waiting.work, waiting.task).then(waiting.resolve, waiting.reject);
    }
    if (this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #expire(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (waiting.abandoned()) reject(waiting);
    else if (waiting.work === 'suggest') waiting.resolve(unstarted(waiting.task));
    else waiting.reject(overloaded('its budget was over before a thread was free'));
  }

  #dropAbandoned(): void {
    for (const waiting of this.#waiting) {
      if (!waiting.abandoned()) continue;
      this.#waiting.delete(waiting);
      reject(waiting);
    }
  }
}

/** Milliseconds of the monotonic clock, which is that of RoundRequest.deadlineMs in every thread. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The best so far of a round that never began. */
function unstarted({ request }: Task): Answer {
  const { positive, negative, modalities } = request;
  const none = new Float64Array(0);
  return {
    result: {
      items: new Uint32Array(0),
      scores: none,
      sources: new Uint8Array(0),
      modalities: modalities.map(({ name }) => ({ name, scores: none, ranks: none })),
      model: { kind: 'none', positives: positive.length, negatives: negative.length, pseudoNegatives: 0 },
      trained: [],
      mix: mixAccount(request, new Uint8Array(0)),
      coverage: {
        clustersRead: 0,
        itemsScored: 0,
        clustersOmitted: 0,
        itemsOmitted: 0,
        similarOmitted: 0,
        complete: false,
      },
    },
    startMs: clockMs(),
    stagesMs: { fit: 0, select: 0, score: 0, fuse: 0 },
  };
}

function overloaded(detail: string): Problem {
  return new Problem('overloaded', detail, { headers: { 'retry-after': retryAfterSeconds } });
}

function reject(waiting: Waiting): void {
  clearTimeout(waiting.expiry);
  waiting.reject(new Problem('client-closed-request', 'the connection was closed while the round waited'));
}
