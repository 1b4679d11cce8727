// Whether the fast form of RandS draws uniformly: a chi-square over classes of the items that are truly above a threshold.

import { seededRandom } from '../../src/random.ts';
import { thresholdOf } from '../../src/samplers/random.ts';
import { short } from '../measure.ts';
import { first, type Row, type Surveys } from './surveys.ts';

/** Draws, a round's worth for each seed, over classes of neighbouring items; and repetitions of that with other seeds. */
const DRAWS = 20_000;
const PER_SEED = 25;
const CLASSES = 50;
const REPETITIONS = 4;
const FREEDOM = CLASSES - 1;

/** The p of all label sets together, and the least and the most of one; counts of all. */
export function uniformity(cases: readonly Surveys[], alpha: number): Row {
  const sets = cases.map((surveys) => drawn(surveys, alpha)).filter(({ above }) => above >= LEAST_ABOVE);
  const squares = (of: readonly Drawn[]): number[] => of.flatMap(({ statistics }) => statistics);
  const p = sets.map((set) => upperTail(squares([set])));
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const counts = sets.map(({ above }) => above);
  return {
    what:
      `random alpha=${alpha}: ${sets.length} of ${cases.length} sets, ${Math.min(...counts)} to ${Math.max(...counts)} above, ` +
      `${REPETITIONS} x ${DRAWS} draws a set, ${sum(sets.map(({ outside }) => outside))} outside; ` +
      `p of chi-square over ${CLASSES} classes: of all together, the least and the most of a set`,
    mean: short(upperTail(squares(sets))),
    least: short(Math.min(...p)),
    most: short(Math.max(...p)),
  };
}

/** Below, a class would expect too few for the statistic to have its distribution, or a round would draw nearly all. */
const LEAST_ABOVE = 20 * PER_SEED;

interface Drawn {
  /** Items truly above the threshold, and draws that are not among them. */
  readonly above: number;
  readonly outside: number;
  /** Chi-square of each repetition, of FREEDOM degrees. */
  readonly statistics: readonly number[];
}

function drawn({ exact, fast }: Surveys, alpha: number): Drawn {
  const threshold = thresholdOf(exact.moments() ?? { mean: Number.NaN, deviation: 0 }, alpha);
  const scores = exact.scores() ?? new Float64Array(0);
  const above = [...scores.keys()].filter((item) => (scores[item] as number) > threshold);
  const place = new Map(above.map((item, i) => [item, i]));
  if (above.length < LEAST_ABOVE) return { above: above.length, outside: 0, statistics: [] };
  const survey = fast();
  let outside = 0;
  const statistics = Array.from({ length: REPETITIONS }, (_, repetition) => {
    const counts = new Float64Array(CLASSES);
    let inside = 0;
    for (let count = 0, seed = 0; count < DRAWS; count += PER_SEED, seed++) {
      const random = seededRandom(seed, `chi-square ${repetition}`);
      for (const item of first(survey.above(threshold, random), PER_SEED, () => true)) {
        const at = place.get(item);
        // The fast form standardises by its sample: near the threshold the two forms differ about an item.
        if (at === undefined) outside++;
        else {
          (counts[Math.floor((at * CLASSES) / above.length)] as number) += 1;
          inside++;
        }
      }
    }
    return chiSquare(counts, inside, above.length);
  });
  return { above: above.length, outside, statistics };
}

/**
 * A seed's draws are without repetition, n of N: counts then vary by (N - n) / (N - 1) of what they would (hypergeometric),
 * and so does the statistic.
 */
function chiSquare(counts: Float64Array, drawn: number, above: number): number {
  let square = 0;
  counts.forEach((count, c) => {
    // Classes are equally large but for one item.
    const size = Math.ceil(((c + 1) * above) / CLASSES) - Math.ceil((c * above) / CLASSES);
    const expected = (drawn * size) / above;
    square += (count - expected) ** 2 / expected;
  });
  return square / ((above - PER_SEED) / (above - 1));
}

/**
 * How likely the sum of these chi-squares is to be as large (Wilson and Hilferty 1931: of k degrees of freedom, the cube
 * root of chi-square / k is normal with mean 1 - 2 / 9k and variance 2 / 9k, within .0001 for k of 49 and more).
 */
function upperTail(statistics: readonly number[]): number {
  const freedom = FREEDOM * statistics.length;
  const sum = statistics.reduce((total, statistic) => total + statistic, 0);
  const variance = 2 / (9 * freedom);
  return normalTail((Math.cbrt(sum / freedom) - (1 - variance)) / Math.sqrt(variance));
}

/** 1 - Phi(z) (Abramowitz and Stegun 26.2.17, within 7.5e-8). */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z < 0 ? 1 - tail : tail;
}
