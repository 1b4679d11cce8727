// Reads the served indexes into memory in a thread of its own, while the server already answers.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface WarmUpOptions {
  /** Index directories. */
  readonly directories: readonly string[];
  /** Bytes of the sections that rounds read, over all directories. */
  readonly totalBytes: number;
  readonly hugePages: boolean;
  /** Told when a file cannot be read; the warm-up ends there. */
  readonly onError: (error: Error) => void;
}

/** A warm-up under way. */
export class WarmUp {
  readonly totalBytes: number;
  /** Settles when everything is in memory, or never will be. */
  readonly ended: Promise<void>;
  #readBytes = 0;
  #failed = false;
  readonly #thread: Worker;

  constructor({ directories, totalBytes, hugePages, onError }: WarmUpOptions) {
    this.totalBytes = totalBytes;
    this.#thread = new Worker(new URL(`./warm-up-thread${extname(import.meta.url)}`, import.meta.url), {
      workerData: { directories, hugePages } satisfies WarmUpData,
    });
    this.#thread.on('message', (bytes: number) => {
      this.#readBytes += bytes;
    });
    this.#thread.on('error', (error) => {
      this.#failed = true;
      onError(error);
    });
    this.ended = new Promise((resolve) => this.#thread.once('exit', () => resolve()));
  }

  get readBytes(): number {
    return this.#readBytes;
  }

  get complete(): boolean {
    return this.#readBytes >= this.totalBytes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Ends the thread after the step it is in. */
  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** What the thread is started with. */
export interface WarmUpData {
  readonly directories: readonly string[];
  readonly hugePages: boolean;
}
