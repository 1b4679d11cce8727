// The interface of a sampler: which items it would have a person look at next.

/** The samplers, in the order in which a round lets them choose. */
export const SAMPLERS = ['farthest', 'spread', 'random', 'grid'] as const;

export type SamplerName = (typeof SAMPLERS)[number];

/** What a sampler can learn of every item, by item number. Null: there was no time for it. */
export interface Survey {
  /** Head scores: the model's with one modality, else the weighted mean of the modalities' standardised scores. */
  scores(): Float64Array | null;
  /** Squared distance to the nearest of the query items; over several modalities their weighted mean. */
  distances(queries: Uint32Array): Float64Array | null;
  /** Cell number: one of `segments` quantile segments along each of `components` principal components. */
  cells(components: number, segments: number): Uint32Array | null;
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
