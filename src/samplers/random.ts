// RandS (IRIS): a uniform draw among the items that the head likes.

import type { Moments } from '../moments.ts';
import { seededRandom } from '../random.ts';
import type { Sampler } from './sampler.ts';

export interface RandomOptions {
  /** An item may be drawn when its score exceeds mean + alpha * deviation over the collection; -Infinity: any item may. */
  readonly alpha: number;
}

/** Items above the threshold T = mean + alpha * deviation in random order. */
export const random: Sampler<RandomOptions> = function* ({ survey, seed }, { alpha }) {
  const moments = survey.moments();
  if (moments !== null) yield* survey.above(thresholdOf(moments, alpha), seededRandom(seed, 'random sampler'));
};

/** T. */
export function thresholdOf({ mean, deviation }: Moments, alpha: number): number {
  return alpha === Number.NEGATIVE_INFINITY ? alpha : mean + alpha * deviation;
}
