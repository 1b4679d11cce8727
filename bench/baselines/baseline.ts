// What a user would pick instead of an index: one interface to find one modality's best items for a linear model.

import type { LinearModel } from '../../src/models/model.ts';

/** Finds the items with the highest score of a linear model. */
export interface Baseline {
  readonly name: string;
  /** The best items, in any order: what the method takes for them. */
  search(model: LinearModel, wanted: Wanted): Uint32Array;
}

export interface Wanted {
  /** Items to return at most: r of a round. */
  readonly most: number;
  /** Items to return at least, where a method has the choice and as long as there are any: k of a round. */
  readonly least: number;
  /** Items never to return, ascending. */
  readonly skip: Uint32Array;
}

/** Wants the k best of every item. */
export function best(k: number): Wanted {
  return { most: k, least: k, skip: new Uint32Array(0) };
}
