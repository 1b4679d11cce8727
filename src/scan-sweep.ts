// The sweep at scale (IRIS, steps 3 to 8): a scan scores every item, exact scores decide near the threshold and are what
// is told. A generator, so that whoever drives it can report progress and stop between two steps.

import type { Admission } from './filter.ts';
import { fusedScan, SCAN_BYTES, type SweptModality, type Term } from './fused-scan.ts';
import type { Collection } from './index/open.ts';
import { native } from './native.ts';

/** What is worth telling: scores above mean + alpha deviations, above a score, or a number of the best. */
export type Selection =
  | { readonly by: 'alpha'; readonly alpha: number }
  | { readonly by: 'score'; readonly score: number }
  | { readonly by: 'count'; readonly count: number };

export interface ScanSweepRequest {
  readonly modalities: readonly SweptModality[];
  readonly selection: Selection;
  /** Best first, or by item number. */
  readonly order: 'score' | 'item';
  /** What may be selected; null: every item. Mean and deviation are those of all items in any case. */
  readonly admission: Admission | null;
  /** Memory that the sweep may take beside the index. */
  readonly maxBytes: number;
}

/** How far a sweep is: units done of all, known from the start as well as they can be. */
export interface SweepStep {
  readonly stage: 'score' | 'decide';
  readonly done: number;
  readonly total: number;
}

export interface ScanSweepResult {
  /** What was selected, in the order asked for, and the exact fused scores. */
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  /** What was selected, ascending. */
  readonly selected: Uint32Array;
  /** Everything selected scores above it (by count: at least it). */
  readonly threshold: number;
  /** Of the scan's fused scores of all items. */
  readonly mean: number;
  readonly deviation: number;
  /** Items that might have been selected. */
  readonly population: number;
  /**
   * The scan's fused score of every item, by item number, minus infinity for those that might not be selected, and how far
   * it may be from the exact one.
   */
  readonly scanned: Float32Array;
  readonly error: number;
}

/** Items scored exactly between two reports. */
const STEP_ITEMS = 1 << 18;
/** Bytes that an item takes which may be selected: its number and exact score, its slot, and 40 more to be put in order. */
const CANDIDATE_BYTES = 28;
const ORDERED_BYTES = CANDIDATE_BYTES + 40;

/**
 * Sweeps a collection. With one modality the fused score is the model's; with several it is the weighted mean of the
 * scores, each standardised by the mean and deviation of its scan. Mean ranks, as a round has them, would need all items
 * in the order of every modality, and differ by little where there are millions of them. Throws RangeError when it would
 * take more memory than it may.
 */
export function* scanSweep(
  collection: Collection,
  { modalities, selection, order, admission, maxBytes }: ScanSweepRequest,
): Generator<SweepStep, ScanSweepResult> {
  const held = collection.items * SCAN_BYTES + (admission === null ? 0 : admission.bits.byteLength);
  requireRoom(held, collection.items, 0, 0, maxBytes);
  const steps = fusedScan(collection, modalities);
  let step = steps.next();
  const total = collection.items * modalities.length;
  for (; step.done !== true; step = steps.next()) yield { stage: 'score', done: step.value, total };
  const { scores: scanned, error, mean, deviation, terms } = step.value;
  if (admission !== null) native.leaveOut(scanned, admission.bits);
  const population = admission === null ? collection.items : admission.passed;
  const byCount = selection.by === 'count';
  const wanted = wantedScore(selection, mean, deviation, scanned, population);
  const bound = wanted - (byCount ? 2 : 1) * error;
  const candidates = new Uint32Array(native.numbersAtLeast(scanned, bound, new Uint32Array(0)));
  const ordered = byCount || order === 'score';
  requireRoom(held, collection.items, candidates.length, ordered ? ORDERED_BYTES : CANDIDATE_BYTES, maxBytes);
  native.numbersAtLeast(scanned, bound, candidates);
  const exact = yield* exactScores(candidates, terms);
  const kept = byCount ? Math.min(selection.count, candidates.length) : countAbove(exact, wanted);
  const best = ordered ? bestPlaces(candidates, exact, kept) : new Uint32Array(0);
  const ascending = byCount ? best.slice().sort() : placesAbove(exact, wanted, kept);
  const last = best.at(-1);
  const threshold = !byCount ? wanted : last === undefined ? Number.POSITIVE_INFINITY : (exact[last] as number);
  const places = order === 'score' ? best : ascending;
  const selected = takeItems(candidates, ascending);
  const items = order === 'score' ? takeItems(candidates, best) : selected;
  return { items, scores: takeScores(exact, places), selected, threshold, mean, deviation, population, scanned, error };
}

function requireRoom(held: number, items: number, candidates: number, each: number, maxBytes: number): void {
  const bytes = held + candidates * each;
  if (bytes <= maxBytes) return;
  const what = candidates === 0 ? `${items} items` : `${items} items, ${candidates} of them selected,`;
  const advice = candidates === 0 ? 'raise it' : 'raise it, ask for fewer, or in the order of items';
  throw new RangeError(
    `a sweep of ${what} takes ${bytes} bytes of memory, of ${maxBytes} (max_sweep_bytes); ${advice}`,
  );
}

/** The score to pass; by count the least scanned score among that many of the greatest, as far as there are. */
function wantedScore(
  selection: Selection,
  mean: number,
  deviation: number,
  scanned: Float32Array,
  population: number,
): number {
  if (selection.by === 'alpha') return mean + selection.alpha * deviation;
  if (selection.by === 'score') return selection.score;
  // That many items are scanned at it or above, so they score at least it minus the error; who is among the best scores
  // as much, and is scanned at it minus twice the error or above.
  const count = Math.min(selection.count, population);
  if (count === 0) return Number.POSITIVE_INFINITY;
  const greatest = new Float32Array(1);
  native.greatestValues(scanned, Uint32Array.of(count), greatest);
  return greatest[0] as number;
}

function* exactScores(items: Uint32Array, terms: readonly Term[]): Generator<SweepStep, Float64Array> {
  const sums = new Float64Array(items.length);
  const slots = new Uint32Array(items.length);
  const places = new Uint32Array(items.length);
  const total = items.length * terms.length;
  for (const [m, { head, factor, offset }] of terms.entries()) {
    native.sortBySlot(head.prepared, items, slots, places);
    for (let first = 0; first < items.length; first += STEP_ITEMS) {
      const last = Math.min(items.length, first + STEP_ITEMS);
      const some = [slots.subarray(first, last), places.subarray(first, last)] as const;
      native.addExactScores(head.prepared, ...some, factor, offset, sums);
      yield { stage: 'decide', done: m * items.length + last, total };
    }
  }
  return sums;
}

function countAbove(scores: Float64Array, threshold: number): number {
  let count = 0;
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) > threshold) count++;
  return count;
}

/** Ascending; `count` is how many there are. */
function placesAbove(scores: Float64Array, threshold: number, count: number): Uint32Array {
  const places = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) > threshold) places[end++] = i;
  return places;
}

/** Best first; equal scores by item number. */
function bestPlaces(items: Uint32Array, scores: Float64Array, count: number): Uint32Array {
  const order = new Uint32Array(items.length);
  native.orderByScore(items, scores, order);
  return order.subarray(0, count);
}

function takeItems(items: Uint32Array, places: Uint32Array): Uint32Array {
  const taken = new Uint32Array(places.length);
  for (let i = 0; i < places.length; i++) taken[i] = items[places[i] as number] as number;
  return taken;
}

function takeScores(scores: Float64Array, places: Uint32Array): Float64Array {
  const taken = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) taken[i] = scores[places[i] as number] as number;
  return taken;
}
