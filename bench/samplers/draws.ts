// Whether the fast form of RandS draws uniformly: a chi-square over classes of the items that are truly above a threshold.

import { seededRandom } from '../../src/random.ts';
import { thresholdOf } from '../../src/samplers/random.ts';
import { mean, short } from '../measure.ts';
import { first, type Row, type Surveys } from './surveys.ts';

/** Draws, a round's worth for each seed, over classes of neighbouring items; and repetitions of that with other seeds. */
const DRAWS = 20_000;
const PER_SEED = 25;
const CLASSES = 50;
const REPETITIONS = 8;

/** In deviations of the statistic: of all repetitions together, of the least and of the most. */
export function uniformity({ exact, fast }: Surveys, alpha: number): Row {
  const threshold = thresholdOf(exact.moments() ?? { mean: Number.NaN, deviation: 0 }, alpha);
  const scores = exact.scores() ?? new Float64Array(0);
  const above = [...scores.keys()].filter((item) => (scores[item] as number) > threshold);
  const place = new Map(above.map((item, i) => [item, i]));
  const survey = fast();
  let outside = 0;
  const statistics = Array.from({ length: REPETITIONS }, (_, repetition) => {
    const counts = new Float64Array(CLASSES);
    let inside = 0;
    for (let drawn = 0, seed = 0; drawn < DRAWS; drawn += PER_SEED, seed++) {
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
    return deviationsOf(counts, inside, above.length);
  });
  return {
    what:
      `random alpha=${alpha}: ${above.length} above, ${REPETITIONS} x ${DRAWS} draws, ${outside} outside; ` +
      `chi-square of ${CLASSES} classes, in deviations`,
    mean: short(mean(statistics) * Math.sqrt(REPETITIONS)),
    least: short(Math.min(...statistics)),
    most: short(Math.max(...statistics)),
  };
}

/**
 * Of k - 1 degrees of freedom the statistic has that mean and variance 2 (k - 1). A seed's draws are without repetition,
 * n of N: counts then vary by (N - n) / (N - 1) of what they would (hypergeometric), and so does the statistic.
 */
function deviationsOf(counts: Float64Array, drawn: number, above: number): number {
  const freedom = CLASSES - 1;
  let square = 0;
  counts.forEach((count, c) => {
    // Classes are equally large but for one item.
    const size = Math.ceil(((c + 1) * above) / CLASSES) - Math.ceil((c * above) / CLASSES);
    const expected = (drawn * size) / above;
    square += (count - expected) ** 2 / expected;
  });
  return (square / ((above - PER_SEED) / (above - 1)) - freedom) / Math.sqrt(2 * freedom);
}
