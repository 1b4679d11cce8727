// What sweeps of a whole collection need of C++; see native/src/sweep.h and native/src/strata.h.

import type { HeadHandle } from './native-types.ts';

export interface NativeSweep {
  /**
   * Approximate scores of slots [first, first + count) to the same places of `scores` (of all slots), and into `sums`: count,
   * shift, sum of score - shift, sum of its square, least, greatest; zeros before the first. Returns a bound of their
   * differences from the exact ones. Where codes give none, these are the exact ones, rounded.
   */
  sweepSlots(head: HeadHandle, first: number, count: number, scores: Float32Array, sums: Float64Array): number;
  /** Adds scores to such sums. */
  sumScores(scores: Float32Array, sums: Float64Array): void;
  /** fused[item] += factor * (scores[its slot] - offset) for items [first, first + count). */
  addToItems(
    head: HeadHandle,
    scores: Float32Array,
    first: number,
    count: number,
    factor: number,
    offset: number,
    fused: Float32Array,
  ): void;
  /** Minus infinity for the items without a bit in `admitted` (bit i % 32 of word i / 32 is item i's). */
  leaveOut(scores: Float32Array, admitted: Uint32Array): void;
  /** The slots of items, ascending, and the place in `items` that each is of. */
  sortBySlot(head: HeadHandle, items: Uint32Array, slots: Uint32Array, places: Uint32Array): void;
  /** sums[places[i]] += factor * (exact score of slots[i] - offset); slots ascend. */
  addExactScores(
    head: HeadHandle,
    slots: Uint32Array,
    places: Uint32Array,
    factor: number,
    offset: number,
    sums: Float64Array,
  ): void;

  /** Numbers of the values of at least `bound`, ascending, as far as there is room; returns how many there are. */
  numbersAtLeast(values: Float32Array, bound: number, numbers: Uint32Array): number;
  /** out[i] = the ranks[i]-th greatest value, from 1, at most as many as there are; infinity where there are none. */
  greatestValues(values: Float32Array, ranks: Uint32Array, out: Float32Array): void;

  /**
   * Adds the number of items of every stratum: those of `selected` first, as many as cuts and one more, then the others.
   * An item is in the first stratum of its side whose cut its score reaches; those of `labelled`, and those that score minus
   * infinity, are in none.
   */
  countStrata(
    scores: Float32Array,
    selected: Uint32Array,
    labelled: Uint32Array,
    selectedCuts: Float32Array,
    restCuts: Float32Array,
    counts: Float64Array,
  ): void;
  /** Of stratum s the items at places[starts[s]] … (ascending) among its items, to the same places of `items`. */
  pickFromStrata(
    scores: Float32Array,
    selected: Uint32Array,
    labelled: Uint32Array,
    selectedCuts: Float32Array,
    restCuts: Float32Array,
    places: Uint32Array,
    starts: Uint32Array,
    items: Uint32Array,
  ): void;
}
