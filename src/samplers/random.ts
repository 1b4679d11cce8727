// RandS (IRIS): a uniform draw among the items that the head likes.

import { moments } from '../moments.ts';
import { seededRandom } from '../random.ts';
import type { Sampler } from './sampler.ts';

export interface RandomOptions {
  /** An item may be drawn when its score exceeds mean + alpha * deviation over the collection; -Infinity: any item may. */
  readonly alpha: number;
}

/** Free items above the threshold in random order: every set of them is as likely as any other of its size. */
export const random: Sampler<RandomOptions> = function* ({ survey, isFree, seed }, { alpha }) {
  const scores = survey.scores();
  if (scores === null) return;
  const threshold = thresholdOf(scores, alpha);
  const items = Uint32Array.from(scores, (_, item) => item).filter(
    (item) => (scores[item] as number) > threshold && isFree(item),
  );
  const { below } = seededRandom(seed, 'random sampler');
  // Fisher and Yates' shuffle, as far as it is asked for.
  for (let left = items.length; left > 0; left--) {
    const at = below(left);
    yield items[at] as number;
    items[at] = items[left - 1] as number;
  }
};

/** T = mean + alpha * deviation. */
export function thresholdOf(scores: Float64Array, alpha: number): number {
  if (alpha === Number.NEGATIVE_INFINITY) return alpha;
  const { mean, deviation } = moments(scores);
  return mean + alpha * deviation;
}
