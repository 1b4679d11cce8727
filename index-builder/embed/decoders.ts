// The threads that decode pictures: each has one picture at a time, so memory is bounded by the number of threads.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DecodeReply, DecodeRequest, DecoderSetup } from './decoder-messages.ts';
import { EmbedError } from './embed-error.ts';

type Problem = string | null;

interface Waiting {
  readonly request: DecodeRequest;
  readonly resolve: (problem: Problem) => void;
  readonly reject: (error: Error) => void;
}

export class Decoders {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<number, Waiting>();
  #tickets = 0;
  #failed: Error | null = null;

  constructor(setup: DecoderSetup, threads: number) {
    this.#all = Array.from({ length: threads }, () => this.#start(setup));
    this.#idle.push(...this.#all);
  }

  /** Fills a place of a tensor; resolves with why that cannot be done, or null. Rejects when a thread dies. */
  decode(path: string, tensor: SharedArrayBuffer, slot: number): Promise<Problem> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== null) {
        reject(this.#failed);
        return;
      }
      this.#queue.push({ request: { ticket: this.#tickets++, path, tensor, slot }, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.terminate()));
  }

  #start(setup: DecoderSetup): Worker {
    const thread = new Worker(new URL(`./decoder-thread${extname(import.meta.url)}`, import.meta.url), {
      workerData: setup,
    });
    thread.on('message', ({ ticket, problem }: DecodeReply) => {
      const waiting = this.#running.get(ticket);
      this.#running.delete(ticket);
      this.#idle.push(thread);
      this.#next();
      waiting?.resolve(problem);
    });
    thread.on('error', (error) => this.#fail(error));
    return thread;
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const thread = this.#idle.pop() as Worker;
      const waiting = this.#queue.shift() as Waiting;
      this.#running.set(waiting.request.ticket, waiting);
      thread.postMessage(waiting.request);
    }
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failed = new EmbedError(`a thread that decodes pictures ended: ${reason}; go on with --resume`);
    for (const { reject } of [...this.#running.values(), ...this.#queue]) reject(this.#failed);
    this.#running.clear();
    this.#queue.length = 0;
  }
}
