// The interface of a sampler: which items it would have a person look at next.

import type { Moments } from '../moments.ts';
import type { Random } from '../random.ts';

/** The samplers, in the order in which a round lets them choose. */
export const SAMPLERS = ['farthest', 'spread', 'random', 'grid'] as const;

export type SamplerName = (typeof SAMPLERS)[number];

/**
 * What a sampler can learn of the collection: exactly, or of a large one nearly so (docs/samplers.md). Items come as far as
 * they are asked for, and end early when time ran out. Labelled ones may be among them.
 */
export interface Survey {
  /**
   * Mean and deviation of the head scores: the model's with one modality, else the weighted mean of the modalities'
   * standardised scores. Null: there was no time for it.
   */
  moments(): Moments | null;
  /** Items with a head score above the threshold, in random order: every set of them is as likely as any other of its size. */
  above(threshold: number, random: Random): Iterable<number>;
  /** Items by squared distance to the nearest of the query items, ascending; over several modalities their weighted mean. */
  nearest(queries: Uint32Array): Iterable<number>;
  /**
   * Items to choose the best of each cell from: each pool has those of the one before and more. Cells are one of `segments`
   * quantile segments along each of `components` principal components.
   */
  pools(grid: GridOptions, positive: Uint32Array): Iterable<GridPool>;
}

export interface GridOptions {
  /** m, the principal components that span the grid. */
  readonly components: number;
  /** N, the quantile segments along each. */
  readonly segments: number;
  /** Weight of the head's score; the rest is that of the distance to the nearest positive. */
  readonly zeta: number;
}

export interface GridPool {
  readonly items: Uint32Array;
  /**
   * zeta * f + (1 - zeta) * min |l - v| over the positives l. Heads have scales of their own, so score and distance are
   * standardised over the collection; order and cells are then those of the paper for the zeta that the two deviations
   * translate into.
   */
  readonly values: Float64Array;
  readonly cells: Uint32Array;
  /** No item outside the pool has a larger value, so the best of cells are known down to here. */
  readonly floor: number;
}

export interface SampleContext {
  readonly survey: Survey;
  /** Labelled items, in the order of labelling. */
  readonly positive: Uint32Array;
  /** Whether an item may be suggested: not labelled, excluded or looked at in this round. */
  readonly isFree: (item: number) => boolean;
  readonly seed: number;
}

/**
 * The items a sampler would suggest, most wanted first, each once, computed as far as they are asked for. It ends when
 * the sampler has no more to offer. An item that is not free may be among them.
 */
export type Sampler<Options> = (context: SampleContext, options: Options) => Iterable<number>;
