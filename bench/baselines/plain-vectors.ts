// Decoded vectors of a modality, so that every method ranks the very same numbers.

import { freemem } from 'node:os';
import type { Modality } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';

/** Consecutive rows in plain form. */
export interface PlainVectors {
  readonly rows: number;
  readonly dims: number;
  /** Values per row: dims, or the entries of a sparse row, of which those with value 0 pad. */
  readonly perRow: number;
  /** Feature ids of sparse rows, null for dense ones. */
  readonly ids: Uint32Array | null;
  readonly values: Float32Array;
}

/** Rows decoded together: a typed array ends at 4 GiB, and a block passes through the caches before the next. */
const BLOCK_ROWS = 4096;

/** Items first … first + rows - 1. */
export function plainVectors(modality: Modality, first: number, rows: number): PlainVectors {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(rows * perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : rows * perRow);
  const items = Uint32Array.from({ length: rows }, (_, i) => first + i);
  native.decodeItems(modality.cells, items, ids, values);
  return { rows, dims, perRow, ids: ratio === undefined ? null : ids, values };
}

/** Every item in order, block by block, with the number of its first row. */
export function* plainBlocks(modality: Modality, items: number): Generator<readonly [number, PlainVectors]> {
  for (let first = 0; first < items; first += BLOCK_ROWS) {
    yield [first, plainVectors(modality, first, Math.min(BLOCK_ROWS, items - first))];
  }
}

/** A dense vector as a row like those of a modality: sparse modalities get its non-zero entries. */
export function plainRow(vector: Float32Array, sparse: boolean): PlainVectors {
  const dims = vector.length;
  if (!sparse) return { rows: 1, dims, perRow: dims, ids: null, values: vector };
  const ids = Uint32Array.from(vector.keys()).filter((d) => vector[d] !== 0);
  return { rows: 1, dims, perRow: ids.length, ids, values: Float32Array.from(ids, (d) => vector[d] as number) };
}

/** Throws when `bytes` would not fit into free memory: a swapping peer would be measured as a slow one. */
export function checkMemory(what: string, bytes: number): void {
  const free = freemem();
  if (bytes <= free) return;
  const gib = (value: number): string => `${(value / 2 ** 30).toFixed(1)} GiB`;
  throw new RangeError(
    `${what} needs ${gib(bytes)} of memory and ${gib(free)} are free; take a smaller collection or fewer modalities`,
  );
}
