// Vectors of labelled items, decoded: a session trains on growing lists of them round after round.

import type { Modality } from './index/open.ts';
import { native } from './native.ts';
import type { RowCacheHandle } from './native-types.ts';

/** Rows of a modality; ids are null for dense ones. */
export interface Rows {
  /** Values per row: dims, or the entries of a sparse row. */
  readonly perRow: number;
  readonly ids: Uint32Array | null;
  readonly values: Float32Array;
}

/** Decodes rows and keeps those used last, of all modalities together. What it answers does not depend on what is kept. */
export class DecodedRows {
  readonly #kept: RowCacheHandle;
  /** A number per opened modality: one that was opened anew, of another generation perhaps, has another. */
  readonly #spaces = new WeakMap<Modality, number>();
  #opened = 0;

  /** Keeps at most so many bytes of rows; none with 0. */
  constructor(limitBytes: number) {
    this.#kept = native.rowCache(limitBytes);
  }

  of(modality: Modality, items: Uint32Array): Rows {
    const { dims, ratio } = modality.manifest;
    const perRow = ratio?.items.features ?? dims;
    const values = new Float32Array(items.length * perRow);
    const ids = new Uint32Array(ratio === undefined ? 0 : values.length);
    native.decodeKeptItems(this.#kept, this.#spaceOf(modality), modality.cells, items, ids, values);
    return { perRow, ids: ratio === undefined ? null : ids, values };
  }

  #spaceOf(modality: Modality): number {
    const space = this.#spaces.get(modality) ?? this.#opened++;
    this.#spaces.set(modality, space);
    return space;
  }
}
