// The sweep at scale (IRIS, steps 3 to 8): a scan scores every item, exact scores decide near the threshold and are what
// is told. A generator, so that whoever drives it can report progress and stop between two steps.

import { type Head, headOf } from './head.ts';
import type { Collection } from './index/open.ts';
import type { Model } from './models/model.ts';
import { native } from './native.ts';
import { greatest } from './rank.ts';

/** What is worth telling: scores above mean + alpha deviations, above a score, or a number of the best. */
export type Selection =
  | { readonly by: 'alpha'; readonly alpha: number }
  | { readonly by: 'score'; readonly score: number }
  | { readonly by: 'count'; readonly count: number };

/** A trained modality and its weight in the fusion. */
export interface SweptModality {
  readonly name: string;
  readonly weight: number;
  readonly model: Model;
}

export interface ScanSweepRequest {
  readonly modalities: readonly SweptModality[];
  readonly selection: Selection;
  /** Best first, or by item number. */
  readonly order: 'score' | 'item';
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
  /** Everything selected scores above it (by count: at least it). */
  readonly threshold: number;
  /** Of the scan's fused scores of all items. */
  readonly mean: number;
  readonly deviation: number;
  /** The scan's fused score of every item, by item number, and how far it may be from the exact one. */
  readonly scanned: Float32Array;
  readonly error: number;
}

/** Items scored between two reports: from milliseconds, scanned in 8 bits, to about a second, exactly by a network. */
const STEP_ITEMS = 1 << 18;
/** Above the rounding of one addition in single precision (2^-24), relative to the largest sum. */
const ROUNDING = 2 ** -22;

/**
 * Sweeps a collection. With one modality the fused score is the model's; with several it is the weighted mean of the
 * scores, each standardised by the mean and deviation of its scan. Mean ranks, as a round has them, would need all items
 * in the order of every modality, and differ by little where there are millions of them.
 */
export function* scanSweep(
  collection: Collection,
  { modalities, selection, order }: ScanSweepRequest,
): Generator<SweepStep, ScanSweepResult> {
  const scan = yield* scanAll(collection, modalities);
  const { mean, deviation } = momentsOf(scan.scanned);
  const wanted = selection.by === 'alpha' ? mean + selection.alpha * deviation : thresholdOf(selection, scan);
  const bound = selection.by === 'count' ? wanted - 2 * scan.error : wanted - scan.error;
  const candidates = itemsFrom(scan.scanned, bound);
  const exact = yield* exactScores(candidates, scan.terms, collection.items);
  const byCount = selection.by === 'count';
  const chosen = byCount ? bestOf(candidates, exact, selection.count) : above(candidates, exact, wanted);
  const threshold = byCount ? (chosen.scores.at(-1) ?? Number.POSITIVE_INFINITY) : wanted;
  const isOrdered = byCount === (order === 'score');
  const { items, scores } = isOrdered ? chosen : order === 'item' ? byItem(chosen) : bestFirst(chosen);
  return { items, scores, threshold, mean, deviation, scanned: scan.scanned, error: scan.error };
}

/** One modality's part of a fused score: factor * (score - offset). */
interface Term {
  readonly head: Head;
  readonly factor: number;
  readonly offset: number;
}

interface Scan {
  readonly scanned: Float32Array;
  readonly error: number;
  readonly terms: readonly Term[];
}

function* scanAll(collection: Collection, modalities: readonly SweptModality[]): Generator<SweepStep, Scan> {
  const { items } = collection;
  const total = items * modalities.length;
  const totalWeight = modalities.reduce((sum, { weight }) => sum + weight, 0);
  const scanned = hugeFloats(items);
  const single = modalities.length === 1;
  const scores = single ? scanned : hugeFloats(items);
  const terms: Term[] = [];
  let error = 0;
  for (const [m, { name, weight, model }] of modalities.entries()) {
    const modality = collection.modalities.get(name);
    if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
    const head = headOf(modality, model);
    let scanError = 0;
    for (let first = 0; first < items; first += STEP_ITEMS) {
      const count = Math.min(STEP_ITEMS, items - first);
      scanError = Math.max(scanError, native.scanSlots(head.prepared, first, count, scores));
      yield { stage: 'score', done: m * items + first + count, total };
    }
    if (single) return { scanned, error: scanError, terms: [{ head, factor: 1, offset: 0 }] };
    const { mean, deviation } = momentsOf(scores);
    const factor = deviation > 0 ? weight / totalWeight / deviation : 0;
    const largest = add(scanned, scores, factor, mean);
    error += factor * scanError + largest * ROUNDING;
    terms.push({ head, factor, offset: mean });
  }
  return { scanned, error, terms };
}

/** sum += factor * (scores - offset); returns the largest magnitude of what was added and of the sums. */
function add(sum: Float32Array, scores: Float32Array, factor: number, offset: number): number {
  let largest = 0;
  for (let item = 0; item < sum.length; item++) {
    const part = factor * ((scores[item] as number) - offset);
    const total = (sum[item] as number) + part;
    sum[item] = total;
    largest = Math.max(largest, Math.abs(total), Math.abs(part));
  }
  return largest;
}

/** In two passes, so that a large mean costs no digits. */
function momentsOf(values: Float32Array): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  const mean = sum / Math.max(1, values.length);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length)) };
}

/** The threshold as asked for; of a count the least scanned score among that many of the greatest. */
function thresholdOf(selection: Exclude<Selection, { by: 'alpha' }>, { scanned }: Scan): number {
  if (selection.by === 'score') return selection.score;
  // That many items are scanned at it or above, so they score at least it minus the error; who is among the best scores
  // as much, and is scanned at it minus twice the error or above.
  return greatest(scanned, selection.count);
}

/** Items that are scanned at a bound or above, ascending. */
function itemsFrom(scanned: Float32Array, bound: number): Uint32Array {
  let count = 0;
  for (let item = 0; item < scanned.length; item++) if ((scanned[item] as number) >= bound) count++;
  const items = new Uint32Array(count);
  let end = 0;
  for (let item = 0; item < scanned.length; item++) if ((scanned[item] as number) >= bound) items[end++] = item;
  return items;
}

function* exactScores(
  items: Uint32Array,
  terms: readonly Term[],
  collectionItems: number,
): Generator<SweepStep, Float64Array> {
  const fused = new Float64Array(items.length);
  const part = new Float64Array(Math.min(STEP_ITEMS, items.length));
  for (let first = 0; first < items.length; first += STEP_ITEMS) {
    const some = items.subarray(first, first + STEP_ITEMS);
    const scores = part.subarray(0, some.length);
    for (const { head, factor, offset } of terms) {
      native.scoreItems(head.prepared, some, scores);
      for (let i = 0; i < some.length; i++) {
        fused[first + i] = (fused[first + i] as number) + factor * ((scores[i] as number) - offset);
      }
    }
    yield { stage: 'decide', done: first + some.length, total: Math.min(items.length, collectionItems) };
  }
  return fused;
}

interface Scored {
  readonly items: Uint32Array;
  readonly scores: Float64Array;
}

function above(items: Uint32Array, scores: Float64Array, threshold: number): Scored {
  const isAbove = (_: number, i: number) => (scores[i] as number) > threshold;
  return { items: items.filter(isAbove), scores: scores.filter(isAbove) };
}

/** Best first; equal scores by item number. */
function bestOf(items: Uint32Array, scores: Float64Array, count: number): Scored {
  const order = new Uint32Array(items.length);
  native.orderByScore(items, scores, order);
  const best = order.subarray(0, count);
  return {
    items: Uint32Array.from(best, (i) => items[i] as number),
    scores: Float64Array.from(best, (i) => scores[i] as number),
  };
}

function bestFirst({ items, scores }: Scored): Scored {
  return bestOf(items, scores, items.length);
}

function byItem({ items, scores }: Scored): Scored {
  // Ordering by the negated number: the greatest is the first item.
  const order = new Uint32Array(items.length);
  native.orderByScore(
    items,
    Float64Array.from(items, (item) => -item),
    order,
  );
  return {
    items: Uint32Array.from(order, (i) => items[i] as number),
    scores: Float64Array.from(order, (i) => scores[i] as number),
  };
}

function hugeFloats(count: number): Float32Array {
  const floats = new Float32Array(count);
  native.preferHugePages(new Uint8Array(floats.buffer));
  return floats;
}
