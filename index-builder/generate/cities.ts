// The 50 cities: how many items each has, and which. Sizes fall by rank as a power of it, from 0.3 % of the collection
// down to 0.001 %, as places of the world do in YFCC100M: about 300,000 to 1,000 of its 99 million items. Small
// collections keep enough for the starts of an actor.

import type { Random } from '../../src/random.ts';

export const CITY_COUNT = 50;
const LARGEST_SHARE = 0.003;
const SMALLEST_SHARE = 1e-5;
/** The least a smallest city has, while that is no more than a share of the collection. */
const SMALLEST_ITEMS = 400;
const SMALLEST_ITEMS_SHARE = 1 / 500;
/** A start labels 100 items of the city and leaves some to find. */
export const LEAST_ITEMS = 120;
/** Largest over smallest, kept in small collections as far as the largest stays a small share. */
const LEAST_RATIO = 10;
const SMALL_LARGEST_SHARE = 0.02;

/** Below this the cities would not be a minority among other items. */
export const LEAST_COLLECTION = 20_000;

/** Items of each city, largest first. */
export function citySizes(items: number): Uint32Array {
  const least = Math.max(LEAST_ITEMS, Math.min(SMALLEST_ITEMS, items * SMALLEST_ITEMS_SHARE));
  const smallest = Math.max(items * SMALLEST_SHARE, least);
  const largest = Math.max(items * LARGEST_SHARE, Math.min(LEAST_RATIO * smallest, items * SMALL_LARGEST_SHARE));
  const exponent = Math.log(largest / smallest) / Math.log(CITY_COUNT);
  return Uint32Array.from({ length: CITY_COUNT }, (_, i) => Math.round(largest * (i + 1) ** -exponent));
}

/** Says of every item in which city it is: 0 for none, else 1 to 50. Each city has exactly its size. */
export class CityOfItem {
  readonly #items: number;
  readonly #ends: Uint32Array;
  readonly #cityItems: number;
  readonly #halfBits: number;
  readonly #keys: Int32Array;

  constructor(items: number, random: Random) {
    this.#items = items;
    let end = 0;
    this.#ends = citySizes(items).map((size) => {
      end += size;
      return end;
    });
    this.#cityItems = end;
    this.#halfBits = Math.ceil(Math.log2(items) / 2);
    this.#keys = Int32Array.from({ length: 4 }, () => random.below(2 ** 32) | 0);
  }

  /**
   * Places are dealt in order of a pseudo-random permutation of the items, so that no list of them is needed: a Feistel
   * network over the next even number of bits, walked on until it lands below the number of items (Black and Rogaway,
   * Ciphers with arbitrary finite domains, 2002).
   */
  of(item: number): number {
    let place = item;
    do place = this.#permute(place);
    while (place >= this.#items);
    if (place >= this.#cityItems) return 0;
    let low = 0;
    let high = CITY_COUNT - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (place < (this.#ends[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  }

  #permute(place: number): number {
    const bits = this.#halfBits;
    const mask = 2 ** bits - 1;
    let left = (place >>> bits) & mask;
    let right = place & mask;
    for (let turn = 0; turn < 4; turn++) {
      let mixed = Math.imul(right ^ (this.#keys[turn] as number), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      const next = (left ^ mixed ^ (mixed >>> 15)) & mask;
      left = right;
      right = next;
    }
    return ((left << bits) | right) >>> 0;
  }
}
