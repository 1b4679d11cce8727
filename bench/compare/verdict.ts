// What pairs of runs say about a row: the ratio B/A of every pair, and whether chance alone would give it.

import type { MeasuredRow } from './rows.ts';

export type Verdict = 'faster' | 'slower' | 'no difference' | 'too few pairs';

export interface Comparison {
  readonly name: string;
  /** Medians over the kept pairs. */
  readonly a: number;
  readonly b: number;
  /** B/A over the kept pairs. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
  readonly verdict: Verdict;
}

/** A bench has up to a hundred rows: one of them errs by chance now and then at 95 %, one run in many at 99 %. */
export const CONFIDENCE = 0.99;
/** Pairs below which no interval is that sure: 2 * (1/2)^8 < 1 %. */
export const LEAST_PAIRS = 8;

/** Compares the rows that every run has; `pairs` are kept ones, one row of A and of B in each. */
export function compareRow(name: string, pairs: readonly (readonly [a: MeasuredRow, b: MeasuredRow])[]): Comparison {
  const ratios = pairs.map(([a, b]) => b.value / a.value).sort((x, y) => x - y);
  return {
    name,
    a: median(pairs.map(([a]) => a.value)),
    b: median(pairs.map(([, b]) => b.value)),
    ratio: { median: median(ratios), min: ratios[0] as number, max: ratios.at(-1) as number },
    verdict: verdictOf(ratios, pairs[0]?.[0].better ?? 'lower'),
  };
}

/**
 * The interval of the sign test: if the true median ratio were 1, each of n pairs would fall to either side like a coin,
 * so [x_k, x_(n+1-k)] misses it with probability 2 P(Bin(n, 1/2) < k). Nothing is assumed about the distribution.
 * Returns null when even [min, max] is not sure enough.
 */
export function medianInterval(sorted: readonly number[], confidence: number): readonly [number, number] | null {
  const n = sorted.length;
  let outside = 0;
  let ways = 1;
  let k = 0;
  for (; k < n / 2; k++) {
    outside += (2 * ways) / 2 ** n;
    if (outside > 1 - confidence) break;
    ways = (ways * (n - k)) / (k + 1);
  }
  return k === 0 ? null : [sorted[k - 1] as number, sorted[n - k] as number];
}

function verdictOf(sorted: readonly number[], better: MeasuredRow['better']): Verdict {
  const interval = medianInterval(sorted, CONFIDENCE);
  if (interval === null) return 'too few pairs';
  const [low, high] = interval;
  if (high < 1) return better === 'lower' ? 'faster' : 'slower';
  if (low > 1) return better === 'lower' ? 'slower' : 'faster';
  return 'no difference';
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}
