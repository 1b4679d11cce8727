// Where the suggestions of two plays of the same sessions differ: by round, the rank of the first difference and
// overlap@k, the share of suggestions that both lists hold.

import { createHash } from 'node:crypto';
import { mean, quantiles } from '../measure.ts';
import { openTranscript, type ReadRound, type SessionKey } from './transcript.ts';

export interface RoundComparison {
  readonly round: number;
  /** Rounds played by both. */
  readonly pairs: number;
  /** Of these, the ones with the same suggestions in the same order. */
  readonly identical: number;
  readonly overlap: { readonly mean: number; readonly min: number };
  /** From 1, over the pairs that differ; null when none does. */
  readonly first_difference: { readonly min: number; readonly median: number } | null;
}

export interface ComparisonSummary {
  readonly pairs: number;
  readonly identical: number;
  readonly overlap: number;
  readonly rounds: readonly RoundComparison[];
  /** The first pair that differs, in the order of play. */
  readonly first: (SessionKey & { readonly round: number; readonly rank: number }) | null;
}

export interface TranscriptDifference extends ComparisonSummary {
  readonly kind: 'farsight-transcript-difference';
  readonly version: 1;
  readonly a: string;
  readonly b: string;
  /** Pairs whose labels differ too: what came before was answered differently, or the actors are others. */
  readonly labels_differ: number;
  readonly only_in_a: number;
  readonly only_in_b: number;
}

interface Pair {
  readonly overlap: number;
  /** Infinity when the lists are the same. */
  readonly rank: number;
}

export class Comparison {
  readonly #rounds: Pair[][] = [];
  #first: ComparisonSummary['first'] = null;

  add(key: SessionKey, round: number, a: ArrayLike<number>, b: ArrayLike<number>): void {
    const rank = firstDifference(a, b);
    this.#rounds[round - 1] ??= [];
    (this.#rounds[round - 1] as Pair[]).push({ rank, overlap: overlapOf(a, b) });
    const { run, collection, actor, start } = key;
    if (Number.isFinite(rank)) this.#first ??= { run, collection, actor, start, round, rank };
  }

  summary(): ComparisonSummary {
    const rounds = Array.from(this.#rounds, (pairs = [], r) => ({ round: r + 1, pairs })).filter(
      ({ pairs }) => pairs.length > 0,
    );
    const all = rounds.flatMap(({ pairs }) => pairs);
    return {
      pairs: all.length,
      identical: all.filter(({ rank }) => !Number.isFinite(rank)).length,
      overlap: all.length === 0 ? 0 : mean(all.map(({ overlap }) => overlap)),
      rounds: rounds.map(({ round, pairs }) => summarize(round, pairs)),
      first: this.#first,
    };
  }
}

/** Compares two transcripts without playing anything. Rounds belong together by run, collection, actor, start and round. */
export async function diffTranscripts(a: string, b: string): Promise<TranscriptDifference> {
  const before = new Map<string, { readonly labels: string; readonly suggested: Uint32Array }>();
  for await (const round of (await openTranscript(a)).rounds) {
    before.set(nameOf(round), { labels: labelHash(round), suggested: Uint32Array.from(round.suggested) });
  }
  const comparison = new Comparison();
  let onlyInB = 0;
  let labelsDiffer = 0;
  for await (const round of (await openTranscript(b)).rounds) {
    const other = before.get(nameOf(round));
    if (other === undefined) {
      onlyInB++;
      continue;
    }
    before.delete(nameOf(round));
    if (other.labels !== labelHash(round)) labelsDiffer++;
    comparison.add(round.key, round.round, other.suggested, round.suggested);
  }
  return {
    kind: 'farsight-transcript-difference',
    version: 1,
    a,
    b,
    ...comparison.summary(),
    labels_differ: labelsDiffer,
    only_in_a: before.size,
    only_in_b: onlyInB,
  };
}

function nameOf({ key, round }: ReadRound): string {
  return JSON.stringify([key, round]);
}

/** Equal for equal labels in the same order, which is what training sees. */
function labelHash({ positive, negative }: ReadRound): string {
  return createHash('sha256')
    .update(JSON.stringify([positive, negative]))
    .digest('base64');
}

function summarize(round: number, pairs: readonly Pair[]): RoundComparison {
  const overlaps = pairs.map(({ overlap }) => overlap);
  const ranks = pairs.map(({ rank }) => rank).filter(Number.isFinite);
  const { min, median } = quantiles(ranks);
  return {
    round,
    pairs: pairs.length,
    identical: pairs.length - ranks.length,
    overlap: { mean: mean(overlaps), min: quantiles(overlaps).min },
    first_difference: ranks.length === 0 ? null : { min, median },
  };
}

/** The first rank (from 1) at which two lists differ, the end of the shorter one included; Infinity for equal lists. */
function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i + 1;
  return Number.POSITIVE_INFINITY;
}

/** Items in both lists, over the length of the longer; 1 for two empty lists. */
function overlapOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const longer = Math.max(a.length, b.length);
  if (longer === 0) return 1;
  const other = new Set(Array.from(b));
  return Array.from(a).filter((item) => other.has(item)).length / longer;
}
