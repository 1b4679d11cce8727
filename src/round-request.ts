// What a round is asked and what it answers: flat arrays that cross the thread boundary.

/** How the classifier of a round is trained. */
export type ModelOptions =
  | {
      readonly kind: 'linear_svm';
      readonly c: number;
      readonly loss: 'hinge' | 'squared_hinge';
      readonly positiveWeight: number;
    }
  | { readonly kind: 'rocchio'; readonly positiveWeight: number; readonly negativeWeight: number };

/** Everything a round depends on besides the index. Item numbers are below the collection's item count. */
export interface RoundRequest {
  readonly positive: Uint32Array;
  readonly negative: Uint32Array;
  /** Further items never to suggest (seen, excluded); may repeat labelled ones. */
  readonly exclude: Uint32Array;
  readonly k: number;
  readonly seed: number;
  readonly model: ModelOptions;
  /** b, the clusters read per modality. */
  readonly clusters: number;
  /** S_c, the segments those clusters are split into. */
  readonly segments: number;
  /** r, the candidates kept per modality. */
  readonly candidates: number;
  /** Score every item instead of the b best clusters (Blackthorn). */
  readonly exhaustive: boolean;
  /** w, threads that share the scan of this round. */
  readonly workers: number;
  /** Taking part, in the manifest's order, each with its weight in the rank fusion. */
  readonly modalities: readonly { readonly name: string; readonly weight: number }[];
  /** When the round begins: milliseconds of the monotonic clock (process.hrtime). Matters only with a deadline. */
  readonly startMs: number;
  /** When to stop and return the best so far, on the same clock, or Infinity. Training gets the first half of the time. */
  readonly deadlineMs: number;
}

/** Why an item was suggested: farthest from the plane, or drawn at random because there was nothing to learn from. */
export type Source = 'farthest' | 'random';

/** Suggestions, best first, as columns. */
export interface RoundResult {
  readonly items: Uint32Array;
  /** Fused score, descending: the model's score with one modality, else the weighted mean rank scaled to (0, 1]. */
  readonly scores: Float64Array;
  readonly source: Source;
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
  readonly coverage: {
    /** Clusters read, over all modalities taking part. */
    readonly clustersRead: number;
    /** Items scored, over all modalities taking part. */
    readonly itemsScored: number;
    /** Clusters above the size limit that were passed over, and the items in them. */
    readonly clustersOmitted: number;
    readonly itemsOmitted: number;
    /** False when the deadline cut the round short or fewer than k items were left to suggest. */
    readonly complete: boolean;
  };
}

/** The stages a round reports as it finishes each, for timing by a caller that has a clock. */
export type Stage = 'fit' | 'select' | 'score' | 'fuse';

/** What a round is when nothing else is asked for; C and the rest as measured in docs/decisions/0004. */
export const ROUND_DEFAULTS = {
  k: 25,
  seed: 0,
  model: { kind: 'linear_svm', c: 10, loss: 'squared_hinge', positiveWeight: 1 },
  clusters: 256,
  segments: 1,
  candidates: 1000,
  exhaustive: false,
  workers: 1,
  startMs: 0,
  deadlineMs: Number.POSITIVE_INFINITY,
} as const satisfies Partial<RoundRequest>;

export const ROCCHIO_DEFAULTS = {
  kind: 'rocchio',
  positiveWeight: 1,
  negativeWeight: 0.5,
} as const satisfies ModelOptions;

/** Weight of a modality in the fusion when none is given. */
export const DEFAULT_WEIGHT = 1;
