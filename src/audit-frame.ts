// The sample that a person labels to audit a sweep: the unlabelled items, selected and not, are cut into strata of like
// scores, and from each some are drawn uniformly.

import { native } from './native.ts';
import { type Random, sampleAscending, seededRandom } from './random.ts';

export interface FrameRequest {
  /** Strata of the selected items, and as many of the rest. */
  readonly strata: number;
  readonly perStratum: number;
  /** Items that might have been selected: those that do not score minus infinity. */
  readonly population: number;
  readonly seed: number;
}

/** Items of like scores, and those drawn from them. */
export interface Stratum {
  readonly selected: boolean;
  /** Unlabelled items in it. */
  readonly items: number;
  /** Drawn uniformly, in random order: the first of them are a uniform sample too. */
  readonly sample: readonly number[];
}

/**
 * Cuts and draws. `scanned` are scores by item number; `selected` and `labelled` ascend, and labelled items belong to no
 * stratum: what they are is known. Strata of the selected are of equal size, those of the rest grow away from the
 * threshold, where relevant items are rarer; equal scores are never parted.
 */
export function drawFrame(
  scanned: Float32Array,
  selected: Uint32Array,
  labelled: Uint32Array,
  { strata, perStratum, population, seed }: FrameRequest,
): Stratum[] {
  const random = seededRandom(seed, 'audit');
  const chosen = new Float32Array(selected.length);
  for (let i = 0; i < selected.length; i++) chosen[i] = scanned[selected[i] as number] as number;
  const rest = growingSizes(population - selected.length, strata, selected.length);
  // What is selected scores highest, but for the error of the scan: any cut will do, as long as it is by score.
  const cuts = [
    cutsAt(chosen, cumulated(equalSizes(selected.length, strata))),
    cutsAt(
      scanned,
      cumulated(rest).map((rank) => selected.length + rank),
    ),
  ] as const;
  const counts = new Float64Array(2 * strata);
  native.countStrata(scanned, selected, labelled, ...cuts, counts);
  const places = Array.from(counts, (count) => sampleAscending(random, perStratum, count));
  const starts = Uint32Array.of(0, ...places.map(({ length }) => length));
  for (let s = 1; s < starts.length; s++) starts[s] = (starts[s] as number) + (starts[s - 1] as number);
  const drawn = new Uint32Array(starts.at(-1) as number);
  native.pickFromStrata(scanned, selected, labelled, ...cuts, concatenated(places, drawn.length), starts, drawn);
  return places
    .map((_, s) => ({
      selected: s < strata,
      items: counts[s] as number,
      sample: shuffled([...drawn.subarray(starts[s], starts[s + 1])], random),
    }))
    .filter(({ items }) => items > 0);
}

/** The scores at such ranks from above, from 1. */
function cutsAt(scores: Float32Array, ranks: readonly number[]): Float32Array {
  const cuts = new Float32Array(ranks.length);
  native.greatestValues(scores, Uint32Array.from(ranks), cuts);
  return cuts;
}

function concatenated(parts: readonly Uint32Array[], length: number): Uint32Array {
  const whole = new Uint32Array(length);
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

function equalSizes(items: number, strata: number): number[] {
  return Array.from({ length: strata }, () => items / strata);
}

/** Sizes of which each is r times the one before, the first as near to `first` as can be with r at least 1. */
function growingSizes(items: number, strata: number, first: number): number[] {
  const least = Math.min(Math.max(1, first), items / strata);
  const sumOf = (ratio: number) => Array.from({ length: strata }, (_, s) => least * ratio ** s).reduce((a, b) => a + b);
  let low = 1;
  let high = Math.max(2, items / Math.max(least, 1));
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (sumOf(middle) < items) low = middle;
    else high = middle;
  }
  return Array.from({ length: strata }, (_, s) => least * low ** s);
}

/** Ranks of the last item of every stratum but the last. */
function cumulated(sizes: readonly number[]): number[] {
  let sum = 0;
  return sizes.slice(0, -1).map((size) => {
    sum += size;
    return Math.max(1, Math.round(sum));
  });
}

/** Fisher and Yates. */
function shuffled(items: readonly number[], random: Random): number[] {
  const rest = [...items];
  for (let left = rest.length; left > 1; left--) {
    const at = random.below(left);
    [rest[at], rest[left - 1]] = [rest[left - 1] as number, rest[at] as number];
  }
  return rest;
}
