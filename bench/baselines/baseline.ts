// What a user would pick instead of an index: one interface, and the plain vectors that its forms search.

import type { Modality } from '../../src/index/open.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';

/** Finds the items with the highest score of a linear model. */
export interface Baseline {
  readonly name: string;
  /** The k best items, best first; equal scores in item order where the method is exact. */
  search(model: LinearModel, k: number): Uint32Array;
}

/** Decoded vectors of a modality in item order, so that every method ranks the very same numbers. */
export interface PlainVectors {
  readonly rows: number;
  readonly dims: number;
  /** Values per row: dims, or the entries of a sparse row. */
  readonly perRow: number;
  /** Feature ids of sparse rows, null for dense ones. */
  readonly ids: Uint32Array | null;
  readonly values: Float32Array;
}

export function plainVectors(modality: Modality, rows: number): PlainVectors {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(rows * perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : rows * perRow);
  const items = Uint32Array.from({ length: rows }, (_, item) => item);
  native.decodeItems(modality.cells, items, ids, values);
  return { rows, dims, perRow, ids: ratio === undefined ? null : ids, values };
}
