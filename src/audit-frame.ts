// The sample that a person labels to audit a sweep: the unlabelled items, selected and not, are cut into strata of like
// scores, and from each some are drawn uniformly.

import { type Random, sampleAscending, seededRandom } from './random.ts';
import { greatest } from './rank.ts';

export interface FrameRequest {
  /** Strata of the selected items, and as many of the rest. */
  readonly strata: number;
  readonly perStratum: number;
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
  { strata, perStratum, seed }: FrameRequest,
): Stratum[] {
  const random = seededRandom(seed, 'audit');
  const chosen = Float32Array.from(selected, (item) => scanned[item] as number);
  const edges = [
    cumulated(equalSizes(selected.length, strata)).map((rank) => greatest(chosen, rank)),
    // What is selected scores highest, but for the error of the scan: any cut will do, as long as it is by score.
    cumulated(growingSizes(scanned.length - selected.length, strata, selected.length)).map((rank) =>
      greatest(scanned, selected.length + rank),
    ),
  ] as const;
  const stratumOf = (item: number, isSelected: boolean): number => {
    const score = scanned[item] as number;
    const cuts = edges[isSelected ? 0 : 1];
    let s = 0;
    while (s < cuts.length && score < (cuts[s] as number)) s++;
    return isSelected ? s : strata + s;
  };
  const counts = new Float64Array(2 * strata);
  walk(scanned.length, selected, labelled, (item, isSelected) => {
    const stratum = stratumOf(item, isSelected);
    counts[stratum] = (counts[stratum] as number) + 1;
  });
  const places = Array.from(counts, (count) => sampleAscending(random, perStratum, count));
  const samples = Array.from(counts, (): number[] => []);
  const passed = new Float64Array(2 * strata);
  walk(scanned.length, selected, labelled, (item, isSelected) => {
    const stratum = stratumOf(item, isSelected);
    const sample = samples[stratum] as number[];
    const place = (passed[stratum] as number)++;
    if (places[stratum]?.[sample.length] === place) sample.push(item);
  });
  return samples
    .map((sample, s) => ({ selected: s < strata, items: counts[s] as number, sample: shuffled(sample, random) }))
    .filter(({ items }) => items > 0);
}

/** Calls visit for every item that has no label. */
function walk(
  items: number,
  selected: Uint32Array,
  labelled: Uint32Array,
  visit: (item: number, isSelected: boolean) => void,
): void {
  let s = 0;
  let l = 0;
  for (let item = 0; item < items; item++) {
    const isSelected = selected[s] === item;
    if (isSelected) s++;
    if (labelled[l] === item) l++;
    else visit(item, isSelected);
  }
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
