// Chance for millions of draws a second: a seeded stream of 32-bit words, and tables that turn a few bits of one into a
// number with a given distribution.

import { seededRandom } from '../../src/random.ts';

/** xoshiro128** as in src/random.ts, seeded by it, with bare words for callers that use their bits. */
export class WordStream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number, stream: string) {
    const random = seededRandom(seed, stream);
    this.#a = random.below(2 ** 32) | 0;
    this.#b = random.below(2 ** 32) | 0;
    this.#c = random.below(2 ** 32) | 0;
    // Never all zero, where the generator would stay.
    this.#d = random.below(2 ** 32) | 1;
  }

  /** 32 random bits as a signed number: use >>> to take bits from its high end. */
  word(): number {
    const fives = Math.imul(this.#b, 5);
    const result = Math.imul((fives << 7) | (fives >>> 25), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Whether an event of probability `share` of 2^32 happens. */
  happens(share: number): boolean {
    return this.word() >>> 0 < share;
  }
}

/** A probability as WordStream.happens takes it. */
export function shareOf(probability: number): number {
  return Math.round(probability * 2 ** 32);
}

/**
 * The inverse of a distribution over 0 … weights.length - 1 (at most 65,536 of them) in 2^bits entries: an index of
 * random bits draws from it, with probabilities rounded to 2^-bits.
 */
export function drawTable(weights: ArrayLike<number>, bits: number): Uint16Array {
  const table = new Uint16Array(2 ** bits);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] as number;
  let number = 0;
  let below = (weights[0] as number) / total;
  for (let entry = 0; entry < table.length; entry++) {
    const at = (entry + 0.5) / table.length;
    while (at > below && number + 1 < weights.length) {
      number += 1;
      below += (weights[number] as number) / total;
    }
    table[entry] = number;
  }
  return table;
}

/** Weights 1 / (rank + offset)^exponent for ranks from 1 (Zipf and Mandelbrot). */
export function zipfWeights(count: number, exponent: number, offset = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (i + 1 + offset) ** -exponent);
}
