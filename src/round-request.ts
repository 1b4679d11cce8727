// What a round is asked and what it answers: flat arrays that cross the thread boundary.

import { GRID_DEFAULTS } from './grid-cells.ts';
import type { Model } from './models/model.ts';
import type { RandomOptions } from './samplers/random.ts';
import { type GridOptions, SAMPLERS, type SamplerName } from './samplers/sampler.ts';
import type { SpreadOptions } from './samplers/spread.ts';

/** How the classifier of a round is trained. */
export type ModelOptions =
  | {
      readonly kind: 'linear_svm';
      readonly c: number;
      readonly loss: 'hinge' | 'squared_hinge';
      readonly positiveWeight: number;
    }
  | {
      readonly kind: 'mlp';
      /** Units per hidden layer; none for logistic regression. */
      readonly hidden: readonly number[];
      readonly c: number;
    }
  | { readonly kind: 'rocchio'; readonly positiveWeight: number; readonly negativeWeight: number };

/** All rules must hold. */
export interface Filter {
  readonly must: readonly FilterRule[];
}

/** `range` or `in`, of a field of the items' metadata; of a list one element must meet it. */
export interface FilterRule {
  readonly field: string;
  readonly range?: { readonly gte?: number; readonly gt?: number; readonly lte?: number; readonly lt?: number };
  readonly in?: readonly (string | number | boolean | null)[];
}

/** Every item looked at, or a sample, draws and a few clusters. */
export type SurveyForm = 'exact' | 'sampled';

/** Everything a round depends on besides the index. Item numbers are below the collection's item count. */
export interface RoundRequest {
  readonly positive: Uint32Array;
  readonly negative: Uint32Array;
  /** Further items never to suggest (seen, excluded); may repeat labelled ones. */
  readonly exclude: Uint32Array;
  /** Items that do not pass are never suggested; all pass without. */
  readonly filter?: Filter;
  /** Of those, what earlier pages of the same ranking suggested: `diversity` looks at them too. */
  readonly shown: Uint32Array;
  readonly k: number;
  readonly seed: number;
  readonly model: ModelOptions;
  /** Whether the answer holds the trained models. */
  readonly returnModel: boolean;
  /** Suggestions by sampler, k in all; null: all of them farthest. */
  readonly mix: Readonly<Record<SamplerName, number>> | null;
  /**
   * Greatest cosine of two suggestions; 1 is off. Modalities at unit length, scaled by the roots of their weights. Null:
   * STANDARD_DIVERSITY, which spares what is like a positive, and what is more similar fills what would be missing of k.
   */
  readonly diversity: number | null;
  readonly spread: SpreadOptions;
  readonly random: RandomOptions;
  readonly grid: GridOptions;
  /** b, the clusters read per modality. */
  readonly clusters: number;
  /** S_c, the segments those clusters are split into. */
  readonly segments: number;
  /** r, the candidates kept per modality. */
  readonly candidates: number;
  /** Score every item instead of the b best clusters (Blackthorn). */
  readonly exhaustive: boolean;
  /** How samplers but the farthest learn of the collection; by size: as isSampled says, exactly where exhaustive. */
  readonly survey: 'by size' | SurveyForm;
  /** w, threads that share the scan of this round. */
  readonly workers: number;
  /** Taking part, in the manifest's order, each with its weight in the rank fusion and in distances. */
  readonly modalities: readonly { readonly name: string; readonly weight: number }[];
  /** When the round begins: milliseconds of the monotonic clock (process.hrtime). Matters only with a deadline. */
  readonly startMs: number;
  /** When to stop and return the best so far, on the same clock, or Infinity. Training gets the first half of the time. */
  readonly deadlineMs: number;
}

/** Suggestions, best first, as columns. */
export interface RoundResult {
  readonly items: Uint32Array;
  /** Fused score, descending: the model's score with one modality, else the weighted mean rank scaled to (0, 1]. */
  readonly scores: Float64Array;
  /** Which sampler chose each item, as its place in SAMPLERS; all random when there was nothing to learn from. */
  readonly sources: Uint8Array;
  readonly modalities: readonly {
    readonly name: string;
    /** Score in this modality. */
    readonly scores: Float64Array;
    /** Rank among the round's candidates in this modality, from 1; equal scores share their mean rank. */
    readonly ranks: Float64Array;
  }[];
  readonly model: {
    readonly kind: ModelOptions['kind'] | 'none';
    readonly positives: number;
    readonly negatives: number;
    /** Random items used as negatives because none were given. */
    readonly pseudoNegatives: number;
  };
  /** Per modality the trained model, where asked for and there is one. */
  readonly trained: readonly { readonly name: string; readonly weight: number; readonly model: Model }[];
  /** Per sampler, what it was asked for and what it suggested: the rest of a share is handed on to `farthest`. */
  readonly mix: Readonly<Record<SamplerName, { readonly share: number; readonly suggested: number }>>;
  readonly coverage: {
    /** Clusters read, over all modalities taking part. */
    readonly clustersRead: number;
    /** Items scored, over all modalities taking part. */
    readonly itemsScored: number;
    /** Clusters above the size limit that were passed over, and the items in them. */
    readonly clustersOmitted: number;
    readonly itemsOmitted: number;
    /** Items left out because they are more similar than `diversity` to one suggested. */
    readonly similarOmitted: number;
    /** With a filter: the items that pass it, of those that there was time to look at. */
    readonly itemsPassing?: number;
    /**
     * How samplers but the farthest learned of the collection: from every item, or nearly so (docs/samplers.md). None where
     * only the farthest had a share.
     */
    readonly survey?: SurveyForm;
    /** False when the deadline cut the round short or fewer than k items were left to suggest. */
    readonly complete: boolean;
  };
}

/** What a mix asks of each sampler: all k of `farthest` without one. */
export function sharesOf({ mix, k }: Pick<RoundRequest, 'mix' | 'k'>): Readonly<Record<SamplerName, number>> {
  return mix ?? { farthest: k, spread: 0, random: 0, grid: 0 };
}

/** The shares beside how many items each sampler suggested; `sources` as in RoundResult. */
export function mixAccount(request: Pick<RoundRequest, 'mix' | 'k'>, sources: Uint8Array): RoundResult['mix'] {
  const shares = sharesOf(request);
  const suggested = { farthest: 0, spread: 0, random: 0, grid: 0 };
  for (const source of sources) suggested[SAMPLERS[source] as SamplerName]++;
  const of = (sampler: SamplerName) => ({ share: shares[sampler], suggested: suggested[sampler] });
  return { farthest: of('farthest'), spread: of('spread'), random: of('random'), grid: of('grid') };
}

/** The stages a round reports as it finishes each, for timing by a caller that has a clock. */
export type Stage = 'fit' | 'select' | 'score' | 'fuse';

/**
 * The diversity of a round that names none (docs/decisions/0010): of rounds that a person looks through, up to so many
 * suggestions with earlier pages; not of longer lists, whose cost would grow with the square of k. Items with a cosine
 * above `wantedLimit` to one of the positives, of the `mostWanted` last ones, may be as similar as they like.
 */
export const STANDARD_DIVERSITY = { limit: 0.8, wantedLimit: 0.85, mostWanted: 128, mostK: 50 } as const;

/** What a round is when nothing else is asked for; C and the rest as measured in docs/decisions/0004. */
export const ROUND_DEFAULTS = {
  shown: new Uint32Array(0),
  k: 25,
  seed: 0,
  model: { kind: 'linear_svm', c: 10, loss: 'squared_hinge', positiveWeight: 1 },
  returnModel: false,
  mix: null,
  diversity: null,
  spread: { from: 'positives', count: 10 },
  random: { alpha: 2 },
  grid: { ...GRID_DEFAULTS, zeta: 1 },
  clusters: 256,
  segments: 1,
  candidates: 1000,
  exhaustive: false,
  survey: 'by size',
  workers: 1,
  startMs: 0,
  deadlineMs: Number.POSITIVE_INFINITY,
} as const satisfies Partial<RoundRequest>;

export const ROCCHIO_DEFAULTS = {
  kind: 'rocchio',
  positiveWeight: 1,
  negativeWeight: 0.5,
} as const satisfies ModelOptions;

export const MLP_DEFAULTS = { kind: 'mlp', hidden: [32], c: 10 } as const satisfies ModelOptions;

/** Limits of a network, as in native/src/mlp.h. */
export const MLP_RANGES = { layers: [0, 2], units: [1, 256] } as const;

/** Numbers a request may give to samplers: their least and greatest. */
export const SAMPLER_RANGES = {
  count: [1, 1_000_000],
  alpha: [-10, 10],
  components: [1, 6],
  /** Segments to the power of components number the cells, which fit 32 bits. */
  segments: [2, 32],
  zeta: [0, 1],
} as const;

/** Least and most rules, values of one rule, and characters of a field's name. */
export const FILTER_RANGES = { rules: [1, 32], values: [1, 1000], fieldChars: [1, 256] } as const;

/** Weight of a modality in the fusion when none is given. */
export const DEFAULT_WEIGHT = 1;
