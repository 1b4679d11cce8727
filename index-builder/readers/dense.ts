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
    openConcatenated(paths, async (path) => denseReader(await openArray(path, options, ACCEPTED, format))),
}));

function denseReader(array: ArrayFile): VectorReader {
  const { rows, columns } = array;
  return {
    kind: 'dense',
    rows,
    dims: columns,
    perRow: columns,
    chained: false,
    files: [array.path],
    heldBytes: array.heldBytes,
    chunks: (rowsPerChunk, firstRow = 0) => chunksOf(array, rowsPerChunk, firstRow),
    locate: (row) => placeOf(array, row),
    close: () => array.close(),
  };
}

async function* chunksOf(array: ArrayFile, rowsPerChunk: number, firstRow: number): AsyncGenerator<DenseChunk> {
  const { rows, columns } = array;
  const rowsAtOnce = Math.min(rowsPerChunk, Math.max(1, Math.floor(LARGEST_CHUNK_VALUES / columns)));
  let converted: Float32Array | null = null;
  for await (const { first, count, elements } of array.blocks(rowsAtOnce, firstRow)) {
    let values: Float32Array;
    if (elements instanceof Float32Array) {
      values = elements;
    } else {
      converted ??= new Float32Array(Math.min(rowsAtOnce, rows) * columns);
      values = converted.subarray(0, count * columns);
      convert(array, elements, values, first);
    }
    yield { kind: 'dense', firstRow: first, rows: count, values };
  }
}

function placeOf(array: ArrayFile, row: number): string {
  return `${array.path} row ${row}`;
}

function convert(array: ArrayFile, elements: Elements, values: Float32Array, firstRow: number): void {
  if (array.type === 'f2') {
    native.halfToFloat(elements as Uint16Array, values);
  } else if (array.type === 'b2') {
    bfloatToFloat(elements as Uint16Array, values);
  } else {
    values.set(elements as Float64Array | Uint8Array | Int8Array);
    if (elements instanceof Float64Array) requireInRange(array, elements, values, firstRow);
  }
}

/** A number that float32 has no room for would look like an infinity that nobody wrote. */
function requireInRange(array: ArrayFile, elements: Float64Array, values: Float32Array, firstRow: number): void {
  for (let at = 0; at < values.length; at++) {
    if (Math.abs(values[at] as number) !== Number.POSITIVE_INFINITY) continue;
    const value = elements[at] as number;
    if (!Number.isFinite(value)) continue;
    throw new InputError(
      placeOf(array, firstRow + Math.floor(at / array.columns)),
      `has ${value} in column ${at % array.columns}`,
      'expected numbers that float32 can hold, up to 3.4e38',
      'scale or clip the values',
    );
  }
}
