// The last steps of IRIS: a head is trained on all labels, every item is scored, and what lies above the threshold is
// worth a label.

import { GridCells } from './grid-cells.ts';
import { type Training, trainHeads } from './heads.ts';
import type { Collection } from './index/open.ts';
import { moments } from './moments.ts';
import { thresholdOf } from './samplers/random.ts';
import { spacesOf } from './spaces.ts';
import { ExactSurvey } from './survey.ts';

export interface SweepRequest extends Training {
  /** T = mean + alpha * deviation of the scores of all items. */
  readonly alpha: number;
  readonly workers: number;
}

export interface SweepResult {
  /** Items with a score above the threshold, ascending; labelled ones among them. */
  readonly items: Uint32Array;
  /** Of every item, by item number. */
  readonly scores: Float64Array;
  readonly threshold: number;
}

/** Scores every item. Null when the deadline passed first. */
export function sweep(collection: Collection, request: SweepRequest): SweepResult | null {
  const labelled = Uint32Array.from(new Set([...request.positive, ...request.negative])).sort();
  const { heads } = trainHeads(collection, request, labelled);
  const spaces = spacesOf(collection, request.modalities);
  const scores = new ExactSurvey(heads, spaces, request, collection.generation, new GridCells()).scores();
  if (scores === null) return null;
  const threshold = thresholdOf(moments(scores), request.alpha);
  const items = Uint32Array.from(scores, (_, item) => item).filter((item) => (scores[item] as number) > threshold);
  return { items, scores, threshold };
}
