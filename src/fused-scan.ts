// The scan of a sweep: the fused score of every item, by item number, in single precision, with a bound of its error. Codes
// are read in their own order; what they score is brought into the order of items afterwards (native/src/sweep.h).

import { type Head, headOf } from './head.ts';
import type { Collection } from './index/open.ts';
import type { Model } from './models/model.ts';
import { native } from './native.ts';

/** A trained modality and its weight in the fusion. */
export interface SweptModality {
  readonly name: string;
  readonly weight: number;
  readonly model: Model;
}

/** One modality's part of a fused score: factor * (score - offset). */
export interface Term {
  readonly head: Head;
  readonly factor: number;
  readonly offset: number;
}

export interface FusedScan {
  /** By item number. */
  readonly scores: Float32Array;
  /** How far each may be from the exact one. */
  readonly error: number;
  /** Of the scores. */
  readonly mean: number;
  readonly deviation: number;
  readonly terms: readonly Term[];
}

/** Slots scored between two reports: from milliseconds, scanned in 8 bits, to about a second, exactly by a network. */
const STEP_SLOTS = 1 << 18;
/** Items that get their scores between two reports: tens of milliseconds. */
const STEP_ITEMS = 1 << 22;
/** Above the rounding of a part and of a sum to single precision (2^-24 each), relative to the largest sum. */
const ROUNDING = 2 ** -22;

/** Bytes of two scores, in the order of slots and of items. */
export const SCAN_BYTES = 8;

/** Yields how many items of all modalities together are done. */
export function* fusedScan(collection: Collection, modalities: readonly SweptModality[]): Generator<number, FusedScan> {
  const { items } = collection;
  const single = modalities.length === 1;
  const totalWeight = modalities.reduce((sum, { weight }) => sum + weight, 0);
  const fused = hugeFloats(items);
  const scores = hugeFloats(items);
  const terms: Term[] = [];
  let error = 0;
  let largest = 0;
  let moments = { mean: 0, deviation: 0 };
  for (const [m, { name, weight, model }] of modalities.entries()) {
    const modality = collection.modalities.get(name);
    if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
    const head = headOf(modality, model);
    const sums = new Float64Array(6);
    let scanError = 0;
    for (let first = 0; first < items; first += STEP_SLOTS) {
      const count = Math.min(STEP_SLOTS, items - first);
      scanError = Math.max(scanError, native.sweepSlots(head.prepared, first, count, scores, sums));
      yield m * items + Math.floor((first + count) / 2);
    }
    moments = momentsOf(sums);
    const factor = single ? 1 : moments.deviation > 0 ? weight / totalWeight / moments.deviation : 0;
    const offset = single ? 0 : moments.mean;
    for (let first = 0; first < items; first += STEP_ITEMS) {
      const count = Math.min(STEP_ITEMS, items - first);
      native.addToItems(head.prepared, scores, first, count, factor, offset, fused);
      yield m * items + Math.floor((items + first + count) / 2);
    }
    largest += factor * largestDifference(sums, offset);
    error += factor * scanError;
    terms.push({ head, factor, offset });
  }
  if (single) return { scores: fused, error, ...moments, terms };
  const sums = new Float64Array(6);
  native.sumScores(fused, sums);
  return { scores: fused, error: error + largest * ROUNDING * modalities.length, ...momentsOf(sums), terms };
}

/** Of what sweepSlots added up. The deviation is that of the population. */
function momentsOf([count = 0, shift = 0, sum = 0, squares = 0]: Float64Array): {
  readonly mean: number;
  readonly deviation: number;
} {
  if (count === 0) return { mean: 0, deviation: 0 };
  const difference = sum / count;
  return { mean: shift + difference, deviation: Math.sqrt(Math.max(0, squares / count - difference ** 2)) };
}

/** Of a score from an offset. */
function largestDifference(sums: Float64Array, offset: number): number {
  const [, , , , least = 0, greatest = 0] = sums;
  return Math.max(Math.abs(least - offset), Math.abs(greatest - offset));
}

function hugeFloats(count: number): Float32Array {
  const floats = new Float32Array(count);
  native.preferHugePages(new Uint8Array(floats.buffer));
  return floats;
}
