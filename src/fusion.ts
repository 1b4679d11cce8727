// Late fusion of modalities by mean rank (Exquisitor §3.3).

import { native } from './native.ts';

/** One modality's scores of the round's candidates, and its weight. */
export interface RankedModality {
  readonly weight: number;
  readonly scores: Float64Array;
}

export interface Fused {
  /** Candidate numbers, best first. */
  readonly order: Uint32Array;
  /** Fused score per candidate number. */
  readonly scores: Float64Array;
  /** Rank per modality and candidate number, from 1; equal scores share their mean rank. */
  readonly ranks: readonly Float64Array[];
}

/**
 * Fuses the scores of `candidates` (item numbers, which break ties). With one modality the fused score is its score;
 * with several it is 1 - (weighted mean rank - 1) / candidates, so 1 is first in every modality.
 */
export function fuse(candidates: Uint32Array, modalities: readonly RankedModality[]): Fused {
  const ranks = modalities.map(({ scores }) => meanRanks(candidates, scores));
  const [first] = modalities;
  const scores = first !== undefined && modalities.length === 1 ? first.scores : rankScores(modalities, ranks);
  return { order: byScore(candidates, scores), scores, ranks };
}

function rankScores(modalities: readonly RankedModality[], ranks: readonly Float64Array[]): Float64Array {
  const total = modalities.reduce((sum, { weight }) => sum + weight, 0);
  const count = ranks[0]?.length ?? 0;
  const scores = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let m = 0; m < modalities.length; m++) {
      sum += (modalities[m] as RankedModality).weight * ((ranks[m] as Float64Array)[i] as number);
    }
    scores[i] = 1 - (sum / total - 1) / count;
  }
  return scores;
}

/** Ranks from 1 in descending score; equal scores share the mean of their ranks, as in Borda counts with ties. */
function meanRanks(candidates: Uint32Array, scores: Float64Array): Float64Array {
  const order = byScore(candidates, scores);
  const ranks = new Float64Array(order.length);
  for (let from = 0; from < order.length; ) {
    const score = scores[order[from] as number];
    let to = from + 1;
    while (to < order.length && scores[order[to] as number] === score) to++;
    for (let i = from; i < to; i++) ranks[order[i] as number] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** Candidate numbers by score descending, then item ascending. */
function byScore(candidates: Uint32Array, scores: Float64Array): Uint32Array {
  const order = new Uint32Array(candidates.length);
  native.orderByScore(candidates, scores, order);
  return order;
}
