// What a thread is asked and what it answers.

import { join } from 'node:path';
import { BLOCK_ITEMS } from './block.ts';
import { MODALITIES, WORD_BYTES, WORD_FILES } from './layout.ts';
import type { MeasuredModality } from './measure.ts';

export interface Job {
  readonly kind: 'write' | 'measure';
  readonly folder: string;
  readonly items: number;
  readonly seed: number;
  /** Keys of vectors to count one by one, by modality, when measuring. */
  readonly frequent: Readonly<Record<string, Float64Array>>;
  /** See BlockQueue. */
  readonly queue: SharedArrayBuffer;
}

/** What one thread measured of its blocks, in the order of MODALITIES. */
export type Measured = readonly MeasuredModality[];

/** A thread's only message. */
export type Outcome = { readonly measured: Measured | null } | { readonly failed: string };

/** One byte an item: its city's label, 0 for none. */
export const CITY_FILE = 'city.u8';

/** The files of words of every modality, in one order. */
export const ALL_WORD_FILES: readonly string[] = MODALITIES.flatMap(({ name }) =>
  WORD_FILES.map((file) => join(name, file)),
);

/** Labels, statistics and layouts beside the vectors: 500,000 item numbers of at most eleven characters, and more. */
const OTHER_BYTES = 8 * 2 ** 20;

/** What a collection takes on disk. */
export function collectionBytes(items: number): number {
  return items * (ALL_WORD_FILES.length * WORD_BYTES + 1) + OTHER_BYTES;
}

/** What the threads of a job share: the next block, how many are done, and whether to stop. */
export class BlockQueue {
  readonly shared: SharedArrayBuffer;
  readonly blocks: number;
  readonly #items: number;
  readonly #numbers: Int32Array;

  constructor(items: number, shared = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.blocks = Math.ceil(items / BLOCK_ITEMS);
    this.#items = items;
    this.#numbers = new Int32Array(shared);
  }

  /** The blocks nobody else has taken, one after the other, until all are done or the work is stopped. */
  *take(): Generator<{ readonly number: number; readonly first: number; readonly count: number }> {
    while (Atomics.load(this.#numbers, 2) === 0) {
      const number = Atomics.add(this.#numbers, 0, 1);
      if (number >= this.blocks) return;
      const first = number * BLOCK_ITEMS;
      yield { number, first, count: Math.min(BLOCK_ITEMS, this.#items - first) };
      Atomics.add(this.#numbers, 1, 1);
    }
  }

  get finished(): number {
    return Atomics.load(this.#numbers, 1);
  }

  stop(): void {
    Atomics.store(this.#numbers, 2, 1);
  }
}
