// Which items a filter lets through, by their metadata: a bit for each item, found once per filter and kept for the rounds
// that follow. What comes down to a scan of bytes is native (native/src/filter.h).

import type { Collection } from './index/open.ts';
import { native } from './native.ts';
import type { FilterCondition } from './native-types.ts';
import type { Filter, FilterRule } from './round-request.ts';

/** What a filter lets through. */
export interface Admission {
  /** Bit i % 32 of word i / 32 is item i's. */
  readonly bits: Uint32Array;
  /** Items that were looked at, from the first on, and how many of them pass. */
  readonly looked: number;
  readonly passed: number;
  /** False when the time was over before all items were looked at: the rest do not pass. */
  readonly complete: boolean;
}

/** Bits that are kept, a byte for eight items: five filters of 100 million items. */
const KEPT_BYTES = 1 << 26;
/** Items between two looks at the clock. */
const ITEMS_AT_ONCE = 1 << 14;

interface Kept {
  readonly bits: Uint32Array;
  passed: number;
  looked: number;
}

/** The filters that were asked for. */
export class Filters {
  readonly #kept = new Map<string, Kept>();

  /** Looks at items until `isOver`, and goes on from there when it is asked again. */
  of(collection: Collection, filter: Filter, isOver: () => boolean): Admission {
    const { generation, items, metadata } = collection;
    const key = JSON.stringify([generation, filter]);
    const kept = this.#kept.get(key) ?? { bits: new Uint32Array(Math.ceil(items / 32)), passed: 0, looked: 0 };
    this.#keep(key, kept);
    if (metadata === null) return { ...kept, complete: true };
    const conditions = filter.must.map(conditionOf);
    do {
      const last = Math.min(items, kept.looked + ITEMS_AT_ONCE);
      kept.passed += native.filterRecords(metadata.offsets, metadata.bytes, conditions, kept.looked, last, kept.bits);
      kept.looked = last;
    } while (kept.looked < items && !isOver());
    const { bits, passed, looked } = kept;
    return { bits, passed, looked, complete: looked === items };
  }

  /** The least recently used ones go. */
  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    let bytes = 0;
    for (const { bits } of this.#kept.values()) bytes += bits.byteLength;
    for (const [old, { bits }] of this.#kept) {
      if (bytes <= KEPT_BYTES || old === key) break;
      this.#kept.delete(old);
      bytes -= bits.byteLength;
    }
  }
}

export function admits({ bits }: Admission, item: number): boolean {
  return (((bits[item >>> 5] as number) >>> (item & 31)) & 1) === 1;
}

/** From the rank of an item among those that pass to the item. */
export function admittedItems({ bits }: Admission): (rank: number) => number {
  const before = new Uint32Array(Math.ceil(bits.length / WORDS_A_BLOCK) + 1);
  for (let word = 0; word < bits.length; word++) {
    const block = Math.floor(word / WORDS_A_BLOCK) + 1;
    before[block] = (before[block] as number) + bitsIn(bits[word] as number);
  }
  for (let block = 1; block < before.length; block++) {
    before[block] = (before[block] as number) + (before[block - 1] as number);
  }
  return (rank) => {
    let low = 0;
    for (let high = before.length - 1; low + 1 < high; ) {
      const middle = (low + high) >>> 1;
      if ((before[middle] as number) <= rank) low = middle;
      else high = middle;
    }
    let left = rank - (before[low] as number);
    let word = low * WORDS_A_BLOCK;
    for (; left >= bitsIn(bits[word] as number); word++) left -= bitsIn(bits[word] as number);
    let rest = bits[word] as number;
    for (; left > 0; left--) rest &= rest - 1;
    // The number of zeros below the lowest bit.
    return 32 * word + 31 - Math.clz32(rest & -rest);
  };
}

const WORDS_A_BLOCK = 256;

/** Hamming weight of 32 bits (Warren, Hacker's Delight, 5-1). */
function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Metadata are kept as JSON.stringify writes them, so equal values have equal texts. */
function conditionOf({ field, range, in: values }: FilterRule): FilterCondition {
  const { gte = Number.NEGATIVE_INFINITY, gt = gte, lte = Number.POSITIVE_INFINITY, lt = lte } = range ?? {};
  return {
    field: JSON.stringify(field),
    values: values === undefined ? null : values.map((value) => JSON.stringify(value)),
    least: Math.max(gte, gt),
    most: Math.min(lte, lt),
    above: range?.gt !== undefined && gt >= gte,
    below: range?.lt !== undefined && lt <= lte,
  };
}
