// The head scores of a round over a large collection, standardised by a sample: what RandS and GridS compare items by.

import type { CollectionSample } from './collection-sample.ts';
import { type Head, preparedFor } from './head.ts';
import { isMlp } from './models/model.ts';
import { type Moments, moments } from './moments.ts';
import { native } from './native.ts';
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

  private constructor(terms: readonly Term[], sampled: Float64Array, moments: Moments) {
    this.terms = terms;
    this.sampled = sampled;
    this.moments = moments;
  }

  /** Null when the deadline passed first. */
  static of(heads: readonly Head[], { weights }: Spaces, sample: CollectionSample, scan: Scan): Fused | null {
    const sums = new Float64Array(sample.items.length);
    const scores = new Float64Array(sample.items.length);
    const terms: Term[] = [];
    let fused: Moments = { mean: 0, deviation: 0 };
    for (const [h, head] of heads.entries()) {
      const own = sampleScores(head, sample, scan, scores);
      if (own === null) return null;
      if (heads.length === 1) return new Fused([{ head, factor: 1, offset: 0 }], scores, own);
      const factor = own.deviation > 0 ? (weights[h] as number) / own.deviation : 0;
      fused = native.addStandardised(scores, factor, own.mean, sums);
      terms.push({ head, factor, offset: own.mean });
    }
    return new Fused(terms, sums, fused);
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

/** Writes the scores of a whole sample, of a network exactly; null when the deadline passed first. */
function sampleScores(head: Head, sample: CollectionSample, scan: Scan, scores: Float64Array): Moments | null {
  const prepared = preparedFor(sample.cellsOf(head.modality), head.model);
  if (!isMlp(head.model)) return native.scanSample(prepared, scores);
  return native.scoreAll(prepared, scan.workers, scan.deadlineMs, scores) ? moments(scores) : null;
}
