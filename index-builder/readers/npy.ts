// Dense vectors from .npy: one row per item, float32, float16, uint8 or int8.

import { native } from '../../src/native.ts';
import { openConcatenated } from './concatenation.ts';
import { NPY_MAGIC, type NpyArray, openNpyArray } from './npy-array.ts';
import { type DenseChunk, type InputFormat, rowRanges, type VectorReader } from './reader.ts';

/** 2 MiB of floats: buffers that stay in cache are filled many times faster than ones that take fresh memory. */
const LARGEST_CHUNK_VALUES = 2 ** 19;

export const npy: InputFormat = {
  name: 'npy',
  summary: 'NumPy .npy, 2-d',
  keys: [],
  matches: ({ head }) => NPY_MAGIC.every((byte, at) => head[at] === byte),
  open: (paths) => openConcatenated(paths, (path) => new NpyReader(openNpyArray(path, ['f4', 'f2', 'u1', 'i1']))),
};

class NpyReader implements VectorReader {
  readonly kind = 'dense';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained = false;
  readonly files: readonly string[];
  readonly #array: NpyArray;

  constructor(array: NpyArray) {
    this.#array = array;
    this.rows = array.rows;
    this.dims = array.columns;
    this.perRow = array.columns;
    this.files = [array.path];
  }

  *chunks(rowsPerChunk: number, firstRow = 0): Generator<DenseChunk> {
    const array = this.#array;
    const rowsAtOnce = Math.min(rowsPerChunk, Math.max(1, Math.floor(LARGEST_CHUNK_VALUES / this.dims)));
    const capacity = Math.min(rowsAtOnce, this.rows);
    const stored = array.allocate(capacity);
    const converted = stored instanceof Float32Array ? stored : new Float32Array(capacity * this.dims);
    for (const { first, count } of rowRanges(this.rows, rowsAtOnce, firstRow)) {
      const elements = array.read(first, count, stored);
      const values = converted.subarray(0, count * this.dims);
      if (elements instanceof Uint16Array) native.halfToFloat(elements, values);
      else if (elements instanceof Uint8Array || elements instanceof Int8Array) values.set(elements);
      yield { kind: 'dense', firstRow: first, rows: count, values };
    }
  }

  locate(row: number): string {
    return `${this.#array.path} row ${row}`;
  }

  close(): void {
    this.#array.close();
  }
}
