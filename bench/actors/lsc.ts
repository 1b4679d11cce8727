// The lsc protocol (PROTOCOLS.md; the authors' LSC evaluation): a searcher has a lifelog moment in mind and answers
// every suggestion by how close it is to that.
//
// A topic has relevant items (the ground truth), a target vector (what the searcher has in mind) and starts: five items
// to label positive, five negative. Each round suggests 25 unseen items; of all items labelled so far and these, the
// nearest 5 * round to the target are the positives of the next round and the farthest 15 * round the negatives.
// found@n: a relevant item was suggested by round n.

import { readFileSync } from 'node:fs';
import type { Collection, Modality } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import type { RoundRequest, RoundResult } from '../../src/round-request.ts';

export interface LscTopic {
  readonly topic: number;
  readonly relevant: readonly number[];
  /** Feature id to value. */
  readonly target: Readonly<Record<string, number>>;
  readonly starts: readonly (readonly number[])[];
}

export type Suggest = (request: Pick<RoundRequest, 'positive' | 'negative' | 'exclude' | 'k'>) => RoundResult;

const SUGGESTIONS = 25;
const POSITIVES_PER_ROUND = 5;
const NEGATIVES_PER_ROUND = 15;

export function readTopics(file: string): readonly LscTopic[] {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Distance of every item to a topic's target, in the raw feature space the searcher knows. */
export function targetDistances(raw: Collection, topic: LscTopic): Float64Array {
  const modality = [...raw.modalities.values()][0] as Modality;
  const query = new Float32Array(modality.manifest.dims);
  for (const [feature, value] of Object.entries(topic.target)) query[Number(feature)] = value;
  const items = Uint32Array.from({ length: raw.items }, (_, item) => item);
  const distances = new Float64Array(raw.items);
  native.itemDistances(modality.cells, query, items, distances);
  return distances;
}

/** Plays one start; returns the first round (from 1) that suggested a relevant item, or Infinity. */
export function playLsc(
  topic: LscTopic,
  start: readonly number[],
  distances: Float64Array,
  rounds: number,
  suggest: Suggest,
): number {
  const relevant = new Set(topic.relevant);
  const byDistance = (items: Iterable<number>): number[] =>
    [...items].sort((a, b) => (distances[a] as number) - (distances[b] as number) || a - b);
  const shown = new Set(start);
  let positive = start.slice(0, POSITIVES_PER_ROUND);
  let negative = start.slice(POSITIVES_PER_ROUND);
  for (let round = 1; round <= rounds; round++) {
    const { items } = suggest({
      positive: Uint32Array.from(positive),
      negative: Uint32Array.from(negative),
      exclude: Uint32Array.from(shown),
      k: SUGGESTIONS,
    });
    if (items.some((item) => relevant.has(item))) return round;
    for (const item of items) shown.add(item);
    const ordered = byDistance(new Set([...positive, ...negative, ...items]));
    positive = ordered.slice(0, POSITIVES_PER_ROUND * round);
    negative = ordered.slice(Math.max(positive.length, ordered.length - NEGATIVES_PER_ROUND * round));
  }
  return Number.POSITIVE_INFINITY;
}
