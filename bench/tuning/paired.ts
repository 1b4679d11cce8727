// A paired test over actors: is the mean difference of two settings larger than chance would make it?

import { seededRandom } from '../../src/random.ts';
import { mean } from '../measure.ts';

export interface PairedDifference {
  readonly actors: number;
  readonly mean: number;
  /** Standard error of the mean. */
  readonly se: number;
  readonly better: number;
  readonly worse: number;
  /** Two-sided, of the sign-flip permutation test. */
  readonly p: number;
}

/** Up to so many actors every combination of signs is looked at: 65,536. */
const MOST_EXACT = 16;
const FLIPS = 99_999;
/** Sums of the same numbers in another order differ by rounding only. */
const ROUNDING = 1e-9;

/**
 * Under the null hypothesis each actor's difference is as likely to have the other sign (Fisher's randomisation test): p
 * is the share of sign combinations with a mean as far from 0, of all of them for few actors, else of seeded draws and
 * the observed one.
 */
export function pairedTest(differences: readonly number[], seed: number): PairedDifference {
  const actors = differences.length;
  const centre = mean(differences);
  const squares = differences.reduce((sum, difference) => sum + (difference - centre) ** 2, 0);
  const observed = Math.abs(centre) * actors - ROUNDING;
  return {
    actors,
    mean: centre,
    se: actors < 2 ? 0 : Math.sqrt(squares / (actors - 1) / actors),
    better: differences.filter((difference) => difference > 0).length,
    worse: differences.filter((difference) => difference < 0).length,
    p: actors <= MOST_EXACT ? exactShare(differences, observed) : drawnShare(differences, observed, seed),
  };
}

function exactShare(differences: readonly number[], observed: number): number {
  const combinations = 2 ** differences.length;
  let extreme = 0;
  for (let signs = 0; signs < combinations; signs++) {
    const sum = differences.reduce((total, difference, i) => total + (signs & (1 << i) ? -difference : difference), 0);
    if (Math.abs(sum) >= observed) extreme++;
  }
  return extreme / combinations;
}

function drawnShare(differences: readonly number[], observed: number, seed: number): number {
  const random = seededRandom(seed, 'sign flips');
  let extreme = 1;
  for (let flip = 0; flip < FLIPS; flip++) {
    let sum = 0;
    for (const difference of differences) sum += random.below(2) === 0 ? difference : -difference;
    if (Math.abs(sum) >= observed) extreme++;
  }
  return extreme / (FLIPS + 1);
}
