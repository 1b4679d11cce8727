// Sparse vectors from a pair of .npy files of one shape: scores, and with `ids=` the feature each score is of.
// A score of 0 pads, whatever its id. `dims` defaults to 1 + the largest id with a score other than 0, which costs a
// pass over both files; give it where indexes of several collections must agree.

import { native } from '../../src/native.ts';
import { integerOption } from '../modality-spec.ts';
import { openConcatenated } from './concatenation.ts';
import { closingOnError } from './input-file.ts';
import { NPY_MAGIC, type NpyArray, type NpyElements, openNpyArray } from './npy-array.ts';
import { expandPath } from './paths.ts';
import { InputError, type InputFormat, rowRanges, type SparseChunk, type VectorReader } from './reader.ts';

/** Rows looked at together when the largest id is wanted. */
const SURVEY_ROWS = 8192;

export const sparsePair: InputFormat = {
  name: 'sparse pair',
  summary: 'NumPy .npy scores with ids=IDS.npy',
  keys: ['ids', 'dims'],
  matches: ({ head, options }) => options.has('ids') && NPY_MAGIC.every((byte, at) => head[at] === byte),
  open(paths, options) {
    const idsPath = options.get('ids') as string;
    const idsPaths = expandPath(idsPath);
    if (idsPaths.length !== paths.length) {
      throw new InputError(
        idsPath,
        `ids= means ${idsPaths.length} files`,
        `expected one for each of the ${paths.length} files of scores`,
        'name both patterns so that the files pair up in name order',
      );
    }
    const idsOf = new Map(paths.map((path, at) => [path, idsPaths[at] as string]));
    const dims = integerOption(idsPath, options, 'dims', 1, 2 ** 32 - 1);
    return openConcatenated(paths, (path) => openPair(path, idsOf.get(path) as string, dims));
  },
};

function openPair(scoresPath: string, idsPath: string, dims: number | undefined): VectorReader {
  return closingOnError(openNpyArray(scoresPath, ['f2', 'f4', 'f8']), (scores) =>
    closingOnError(openNpyArray(idsPath, ['u1', 'u2', 'u4', 'i4', 'i8']), (ids) => {
      if (ids.rows !== scores.rows || ids.columns !== scores.columns) {
        throw new InputError(
          idsPath,
          `has shape (${ids.rows}, ${ids.columns})`,
          `expected (${scores.rows}, ${scores.columns}) as in ${scoresPath}`,
          'pair each file of ids with its own scores',
        );
      }
      return new SparsePairReader(scores, ids, dims ?? largestId(new SparsePairReader(scores, ids, 2 ** 32 - 1)) + 1);
    }),
  );
}

class SparsePairReader implements VectorReader {
  readonly kind = 'sparse';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained = false;
  readonly files: readonly string[];
  readonly #scores: NpyArray;
  readonly #ids: NpyArray;

  constructor(scores: NpyArray, ids: NpyArray, dims: number) {
    this.rows = scores.rows;
    this.dims = dims;
    this.perRow = scores.columns;
    this.files = [scores.path, ids.path];
    this.#scores = scores;
    this.#ids = ids;
  }

  *chunks(rowsPerChunk: number, firstRow = 0): Generator<SparseChunk> {
    const capacity = Math.min(rowsPerChunk, this.rows);
    const storedScores = this.#scores.allocate(capacity);
    const storedIds = this.#ids.allocate(capacity);
    const halves = new Float32Array(storedScores instanceof Uint16Array ? storedScores.length : 0);
    const allValues = new Float64Array(capacity * this.perRow);
    const allIds = new Uint32Array(capacity * this.perRow);
    for (const { first, count } of rowRanges(this.rows, rowsPerChunk, firstRow)) {
      const values = allValues.subarray(0, count * this.perRow);
      const ids = allIds.subarray(0, count * this.perRow);
      toDoubles(this.#scores.read(first, count, storedScores), halves, values);
      this.#checkIds(this.#ids.read(first, count, storedIds), first, values, ids);
      yield { kind: 'sparse', firstRow: first, rows: count, ids, values };
    }
  }

  locate(row: number): string {
    return `${this.#scores.path} row ${row}`;
  }

  close(): void {
    this.#scores.close();
    this.#ids.close();
  }

  #checkIds(stored: NpyElements, firstRow: number, values: Float64Array, ids: Uint32Array): void {
    for (let at = 0; at < ids.length; at++) {
      const id = values[at] === 0 ? 0 : Number(stored[at]);
      if (id < 0 || id >= this.dims) {
        throw new InputError(
          `${this.#ids.path} row ${firstRow + Math.floor(at / this.perRow)}`,
          `has id ${stored[at]} in column ${at % this.perRow}`,
          `expected 0 to ${this.dims - 1}`,
          'give a larger dims=, or a score of 0 where there is no feature',
        );
      }
      ids[at] = id;
    }
  }
}

function toDoubles(scores: NpyElements, halves: Float32Array, values: Float64Array): void {
  if (scores instanceof Uint16Array) {
    const floats = halves.subarray(0, scores.length);
    native.halfToFloat(scores, floats);
    values.set(floats);
  } else if (scores instanceof Float32Array || scores instanceof Float64Array) {
    values.set(scores);
  }
}

function largestId(reader: SparsePairReader): number {
  let largest = 0;
  for (const { ids } of reader.chunks(SURVEY_ROWS)) {
    for (let at = 0; at < ids.length; at++) largest = Math.max(largest, ids[at] as number);
  }
  return largest;
}
