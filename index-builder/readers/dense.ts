// Dense vectors from any format that holds arrays: one row per item. Numbers become float32: float16, bfloat16, uint8
// and int8 are exact, float64 is rounded to nearest.

import { native } from '../../src/native.ts';
import type { ArrayFile, Elements, ElementType } from './arrays/array.ts';
import { bfloatToFloat } from './arrays/bfloat.ts';
import { arrayFormats, openArray } from './arrays/open-array.ts';
import { openConcatenated } from './concatenation.ts';
import { type DenseChunk, InputError, type InputFormat, type VectorReader } from './reader.ts';

/** 2 MiB of floats: buffers that stay in cache are filled many times faster than ones that take fresh memory. */
const LARGEST_CHUNK_VALUES = 2 ** 19;

const ACCEPTED: readonly ElementType[] = ['f4', 'f2', 'b2', 'f8', 'u1', 'i1'];

/** Every format of arrays as a format of dense vectors. */
export const denseFormats: readonly InputFormat[] = arrayFormats.map((format) => ({
  name: format.name,
  summary: format.summary,
  keys: format.keys,
  matches: (candidate) => format.matches(candidate),
  open: (paths, options) =>
    openConcatenated(paths, async (path) => new DenseReader(await openArray(path, options, ACCEPTED, format))),
}));

class DenseReader implements VectorReader {
  readonly kind = 'dense';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained = false;
  readonly files: readonly string[];
  readonly heldBytes: number;
  readonly #array: ArrayFile;

  constructor(array: ArrayFile) {
    this.#array = array;
    this.rows = array.rows;
    this.dims = array.columns;
    this.perRow = array.columns;
    this.files = [array.path];
    this.heldBytes = array.heldBytes;
  }

  async *chunks(rowsPerChunk: number, firstRow = 0): AsyncGenerator<DenseChunk> {
    const { rows, dims } = this;
    const rowsAtOnce = Math.min(rowsPerChunk, Math.max(1, Math.floor(LARGEST_CHUNK_VALUES / dims)));
    let converted: Float32Array | null = null;
    for await (const { first, count, elements } of this.#array.blocks(rowsAtOnce, firstRow)) {
      let values: Float32Array;
      if (elements instanceof Float32Array) {
        values = elements;
      } else {
        converted ??= new Float32Array(Math.min(rowsAtOnce, rows) * dims);
        values = converted.subarray(0, count * dims);
        this.#convert(elements, values, first);
      }
      yield { kind: 'dense', firstRow: first, rows: count, values };
    }
  }

  locate(row: number): string {
    return `${this.#array.path} row ${row}`;
  }

  close(): void {
    this.#array.close();
  }

  #convert(elements: Elements, values: Float32Array, firstRow: number): void {
    if (this.#array.type === 'f2') {
      native.halfToFloat(elements as Uint16Array, values);
    } else if (this.#array.type === 'b2') {
      bfloatToFloat(elements as Uint16Array, values);
    } else {
      values.set(elements as Float64Array | Uint8Array | Int8Array);
      if (elements instanceof Float64Array) this.#requireInRange(elements, values, firstRow);
    }
  }

  /** A number that float32 has no room for would look like an infinity that nobody wrote. */
  #requireInRange(elements: Float64Array, values: Float32Array, firstRow: number): void {
    for (let at = 0; at < values.length; at++) {
      if (Math.abs(values[at] as number) !== Number.POSITIVE_INFINITY) continue;
      const value = elements[at] as number;
      if (!Number.isFinite(value)) continue;
      throw new InputError(
        this.locate(firstRow + Math.floor(at / this.dims)),
        `has ${value} in column ${at % this.dims}`,
        'expected numbers that float32 can hold, up to 3.4e38',
        'scale or clip the values',
      );
    }
  }
}
