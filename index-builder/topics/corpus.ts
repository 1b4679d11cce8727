// Texts as counted words in a file: written once, in item order, and read again in batches, so that memory holds eight
// bytes a text and a batch, whatever the number of texts.

import { closeSync, fsyncSync, openSync, readSync } from 'node:fs';
import { changing, writeAt } from '../stages/disk.ts';
import { TopicError } from './topic-error.ts';

/** Of a text's words beyond this number the rest is left out: no title has as many. */
const MOST_WORDS = 65_536;
const WRITE_WORDS = 1 << 18;
/** A word and its count. */
const PAIR_BYTES = 8;

/** Counted words of some texts: those of text t are [starts[t], starts[t + 1]). */
export interface Batch {
  readonly starts: Uint32Array;
  readonly words: Uint32Array;
  readonly counts: Float32Array;
}

export class CorpusWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #pending = new Uint32Array(2 * (WRITE_WORDS + MOST_WORDS));
  #used = 0;
  #written = 0;
  #ends = new Float64Array(1024);
  #texts = 0;

  constructor(path: string, vocabulary: readonly string[]) {
    this.#path = path;
    this.#file = changing(path, () => openSync(path, 'w'));
    this.#numbers = new Map(vocabulary.map((word, number) => [word, number]));
  }

  /** Words outside the vocabulary are passed over; the others keep the order in which they first come. */
  add(words: readonly string[]): void {
    const counts = new Map<number, number>();
    for (const word of words) {
      const number = this.#numbers.get(word);
      if (number === undefined) continue;
      const count = counts.get(number);
      if (count === undefined && counts.size === MOST_WORDS) continue;
      counts.set(number, (count ?? 0) + 1);
    }
    for (const [number, count] of counts) {
      this.#pending[this.#used++] = number;
      this.#pending[this.#used++] = count;
    }
    if (this.#texts === this.#ends.length) {
      const longer = new Float64Array(2 * this.#ends.length);
      longer.set(this.#ends);
      this.#ends = longer;
    }
    this.#ends[this.#texts++] = this.#written / 2 + this.#used / 2;
    if (this.#used >= 2 * WRITE_WORDS) this.#flush();
  }

  /** Waits until all is on disk. Returns the pairs up to the end of each text, with which a Corpus is opened. */
  end(): Float64Array {
    this.#flush();
    changing(this.#path, () => {
      fsyncSync(this.#file);
      closeSync(this.#file);
    });
    return this.#ends.slice(0, this.#texts);
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#pending.buffer, 0, this.#used * 4);
    changing(this.#path, () => writeAt(this.#file, bytes, this.#written * 4));
    this.#written += this.#used;
    this.#used = 0;
  }
}

export class Corpus {
  readonly #path: string;
  readonly #file: number;
  /** Pairs up to the end of each text. */
  readonly #ends: Float64Array;

  constructor(path: string, ends: Float64Array) {
    this.#path = path;
    this.#ends = ends;
    this.#file = openSync(path, 'r');
  }

  get texts(): number {
    return this.#ends.length;
  }

  /** Distinct words of each text, summed. */
  get pairs(): number {
    return this.#end(this.texts - 1);
  }

  /** The texts of some ranges [first, first + count), those left out for which `skip` holds. */
  read(ranges: readonly { first: number; count: number }[], skip: (text: number) => boolean = () => false): Batch {
    const kept = ranges.flatMap(({ first, count }) =>
      Array.from({ length: count }, (_, i) => first + i).filter((text) => !skip(text)),
    );
    const starts = new Uint32Array(kept.length + 1);
    kept.forEach((text, i) => {
      starts[i + 1] = (starts[i] as number) + this.#end(text) - this.#end(text - 1);
    });
    const total = starts[kept.length] as number;
    const words = new Uint32Array(total);
    const counts = new Float32Array(total);
    let next = 0;
    for (const { first, count } of ranges) {
      const origin = this.#end(first - 1);
      const pairs = this.#pairs(origin, this.#end(first + count - 1));
      for (let text = first; text < first + count; text++) {
        if (skip(text)) continue;
        for (let at = this.#end(text - 1) - origin; at < this.#end(text) - origin; at++, next++) {
          words[next] = pairs[2 * at] as number;
          counts[next] = pairs[2 * at + 1] as number;
        }
      }
    }
    return { starts, words, counts };
  }

  close(): void {
    closeSync(this.#file);
  }

  #end(text: number): number {
    return text < 0 ? 0 : (this.#ends[text] as number);
  }

  #pairs(from: number, to: number): Uint32Array {
    const bytes = new Uint8Array((to - from) * PAIR_BYTES);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#file, bytes, done, bytes.length - done, from * PAIR_BYTES + done);
      if (read === 0) throw new TopicError(`${this.#path}: became shorter while it was read; start again`);
      done += read;
    }
    return new Uint32Array(bytes.buffer);
  }
}
