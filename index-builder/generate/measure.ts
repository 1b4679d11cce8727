// Measures a generated modality by reading its files back: how often each feature occurs, empty and equal vectors.

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../../src/native.ts';
import { FEATURES, HALVES, LAYOUT, WORD_BYTES, WORD_FILES } from './layout.ts';
import { GenerateError } from './output.ts';

/** What is counted over some items of a modality. */
export interface MeasuredModality {
  /** Items in which each feature has a value. */
  readonly featureItems: Float64Array;
  /** Items with 0, 1, … FEATURES features. */
  readonly itemsByFeatures: Float64Array;
  /** Items with each of the frequent vectors. */
  readonly frequentItems: Float64Array;
  /** The keys of all other items, or of those of a sample of the vectors. */
  readonly keys: Float64Array<ArrayBuffer>;
}

/** Up to this many items equal vectors are found among all, beyond it among a sample of about as many. */
export const EXACT_ITEMS = 10_000_000;
/** Most items read at once. */
const READ_ITEMS = 65_536;

export class Measurement {
  readonly #paths: readonly string[];
  readonly #files: readonly number[];
  readonly #words = WORD_FILES.map(() => new BigUint64Array(READ_ITEMS));
  readonly #halves = this.#words.map(({ buffer }) => new Uint32Array(buffer)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  readonly #ids = new Uint32Array(READ_ITEMS * FEATURES);
  readonly #values = new Float64Array(READ_ITEMS * FEATURES);
  readonly #step: number;
  readonly #frequent: ReadonlyMap<number, number>;
  readonly #featureItems: Float64Array;
  readonly #itemsByFeatures = new Float64Array(FEATURES + 1);
  readonly #frequentItems: Float64Array;
  #keys = new Float64Array(READ_ITEMS);
  #keyCount = 0;

  /** `frequent` are keys of vectors to count one by one; they are left out of `keys`. */
  constructor(of: { folder: string; dims: number; items: number }, frequent: Float64Array) {
    this.#paths = WORD_FILES.map((name) => join(of.folder, name));
    this.#files = this.#paths.map((path) => openSync(path, 'r'));
    this.#step = sampleStep(of.items);
    this.#frequent = new Map([...frequent].map((key, i) => [key, i]));
    this.#featureItems = new Float64Array(of.dims);
    this.#frequentItems = new Float64Array(frequent.length);
  }

  /** Counts `count` items from `first` on. */
  add(first: number, count: number): void {
    this.#read(first, count);
    this.#countFeatures(count);
    this.#reserve(count);
    for (let row = 0; row < count; row++) {
      const key = this.#key(row);
      const frequent = this.#frequent.get(key);
      if (frequent !== undefined) this.#frequentItems[frequent] = (this.#frequentItems[frequent] as number) + 1;
      else if (key % this.#step === 0) this.#keys[this.#keyCount++] = key;
    }
  }

  /** The keys of `count` items from `first` on. */
  keysOf(first: number, count: number): Float64Array {
    this.#read(first, count);
    return Float64Array.from({ length: count }, (_, row) => this.#key(row));
  }

  end(): MeasuredModality {
    for (const file of this.#files) closeSync(file);
    return {
      featureItems: this.#featureItems,
      itemsByFeatures: this.#itemsByFeatures,
      frequentItems: this.#frequentItems,
      keys: this.#keys.slice(0, this.#keyCount),
    };
  }

  #read(first: number, count: number): void {
    this.#files.forEach((file, i) => {
      const words = this.#words[i] as BigUint64Array;
      const bytes = new Uint8Array(words.buffer, 0, count * WORD_BYTES);
      const read = readSync(file, bytes, 0, bytes.length, first * WORD_BYTES);
      if (read !== bytes.length) {
        throw new GenerateError(`${this.#paths[i]}: ends early when read back; check the disk and generate again`);
      }
    });
  }

  #countFeatures(count: number): void {
    const [init, ids, ratios] = this.#words.map((words) => words.subarray(0, count)) as [
      BigUint64Array,
      BigUint64Array,
      BigUint64Array,
    ];
    const outIds = this.#ids.subarray(0, count * FEATURES);
    const outValues = this.#values.subarray(0, count * FEATURES);
    const { length } = this.#featureItems;
    const refused = native.decodeR64(init, ids, ratios, LAYOUT, length, outIds, outValues);
    if (refused >= 0) {
      throw new GenerateError(`${this.#paths[1]}: holds feature ${outIds[refused]} of ${length}; generate again`);
    }
    for (let at = 0; at < outIds.length; at += FEATURES) {
      let features = 0;
      for (let j = at; j < at + FEATURES; j++) {
        if (outValues[j] === 0) continue;
        const id = outIds[j] as number;
        this.#featureItems[id] = (this.#featureItems[id] as number) + 1;
        features += 1;
      }
      this.#itemsByFeatures[features] = (this.#itemsByFeatures[features] as number) + 1;
    }
  }

  /**
   * A 53-bit hash of a vector's words: among EXACT_ITEMS different vectors a pair with one key is expected 0.006 times
   * (items^2 / 2^54).
   */
  #key(row: number): number {
    let low = 0x9e3779b9;
    let high = 0x7f4a7c15;
    for (let i = 0; i < this.#halves.length; i++) {
      const halves = this.#halves[i] as Uint32Array;
      for (let half = row * HALVES; half < (row + 1) * HALVES; half++) {
        low = Math.imul(low ^ (halves[half] as number), 0x21f0aaad);
        low ^= low >>> 15;
        high = Math.imul(high ^ (halves[half] as number) ^ (low >>> 7), 0x735a2d97);
        high ^= high >>> 16;
      }
    }
    return (high >>> 11) * 2 ** 32 + (low >>> 0);
  }

  #reserve(count: number): void {
    if (this.#keyCount + count <= this.#keys.length) return;
    const grown = new Float64Array(2 * this.#keys.length);
    grown.set(this.#keys);
    this.#keys = grown;
  }
}

/** One of so many distinct vectors is sampled, with all its copies: by its key. */
export function sampleStep(items: number): number {
  return Math.ceil(items / EXACT_ITEMS);
}
