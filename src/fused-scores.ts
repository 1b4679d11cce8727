// The head scores of a round over a large collection, standardised by a sample: what RandS and GridS compare items by.

import type { CollectionSample } from './collection-sample.ts';
import { type Head, preparedFor } from './head.ts';
import { isMlp } from './models/model.ts';
import { type Moments, moments } from './moments.ts';
import { native } from './native.ts';
import type { HeadHandle } from './native-types.ts';
import type { Scan, Spaces } from './spaces.ts';

/** One head's part of a fused score: factor * (score - offset). */
interface Term {
  readonly head: Head;
  readonly factor: number;
  readonly offset: number;
}

/** With one head its score, else the weighted sum of standardised scores. */
export class Fused {
  readonly terms: readonly Term[];
  /** Of the items of the sample. */
  readonly sampled: Float64Array;
  readonly moments: Moments;

  private constructor(terms: readonly Term[], sampled: Float64Array) {
    this.terms = terms;
    this.sampled = sampled;
    this.moments = moments(sampled);
  }

  /** Null when the deadline passed first. */
  static of(heads: readonly Head[], { weights }: Spaces, sample: CollectionSample, scan: Scan): Fused | null {
    const sum = new Float64Array(sample.items.length);
    const scores = new Float64Array(sample.items.length);
    const terms: Term[] = [];
    for (const [h, head] of heads.entries()) {
      const prepared = preparedFor(sample.cellsOf(head.modality), head.model);
      if (isMlp(head.model)) {
        if (!native.scoreAll(prepared, scan.workers, scan.deadlineMs, scores)) return null;
      } else {
        scanSample(prepared, scores);
      }
      if (heads.length === 1) return new Fused([{ head, factor: 1, offset: 0 }], scores);
      const { mean, deviation } = moments(scores);
      const factor = deviation > 0 ? (weights[h] as number) / deviation : 0;
      for (let i = 0; i < sum.length; i++) (sum[i] as number) += factor * ((scores[i] as number) - mean);
      terms.push({ head, factor, offset: mean });
    }
    return new Fused(terms, sum);
  }

  /** Of given items, exact but for the moments of the sample. */
  scoresOf(items: Uint32Array): Float64Array {
    return this.fuse(
      this.terms.map(({ head }) => {
        const scores = new Float64Array(items.length);
        native.scoreItems(head.prepared, items, scores);
        return scores;
      }),
    );
  }

  /** Of the heads' scores of some items. */
  fuse(scores: readonly Float64Array[]): Float64Array {
    const sum = new Float64Array(scores[0]?.length ?? 0);
    for (const [h, { factor, offset }] of this.terms.entries()) {
      const own = scores[h] as Float64Array;
      for (let i = 0; i < sum.length; i++) (sum[i] as number) += factor * ((own[i] as number) - offset);
    }
    return sum;
  }

  /** Share of the sample above a score. */
  shareAbove(score: number): number {
    let above = 0;
    for (let i = 0; i < this.sampled.length; i++) if ((this.sampled[i] as number) > score) above++;
    return above / this.sampled.length;
  }
}

/** Items of a sample whose scan is compared with their exact scores. */
const COMPARED = 16_384;

/**
 * Scores of a whole sample by a scan in 8 bits, some milliseconds at most, moved and stretched so that some of them, evenly
 * spaced, have the mean and the deviation of their exact scores: what the scan gets wrong is so small a part of a deviation
 * that a few items tell it for all.
 */
function scanSample(prepared: HeadHandle, scores: Float64Array): void {
  const rough = new Float32Array(scores.length);
  native.scanSlots(prepared, 0, rough.length, rough);
  const count = Math.min(COMPARED, rough.length);
  const items = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * rough.length) / count));
  const exact = new Float64Array(count);
  native.scoreItems(prepared, items, exact);
  const right = moments(exact);
  const found = moments(Float64Array.from(items, (item) => rough[item] as number));
  const stretch = found.deviation > 0 ? right.deviation / found.deviation : 1;
  for (let i = 0; i < scores.length; i++) scores[i] = right.mean + stretch * ((rough[i] as number) - found.mean);
}
