// Sparse vectors from a pair of arrays of one shape, in any format that holds arrays: scores, and with `ids=` the feature
// each score is of. Keys that choose an array within the file of ids have `ids_` before them: column=scores,ids_column=ids.
// A score of 0 pads, whatever its id. `dims` defaults to 1 + the largest id with a score other than 0, which costs a
// pass over both files; give it where indexes of several collections must agree.

import { native } from '../../src/native.ts';
import { integerOption } from '../modality-spec.ts';
import type { ArrayFile, Elements, ElementType } from './arrays/array.ts';
import { bfloatToFloat } from './arrays/bfloat.ts';
import { arrayFormats, openArray } from './arrays/open-array.ts';
import { openConcatenated } from './concatenation.ts';
import { expandPath } from './paths.ts';
import { InputError, type InputFormat, type SparseChunk, type VectorReader } from './reader.ts';

/** Rows looked at together when the largest id is wanted. */
const SURVEY_ROWS = 8192;

const SCORES: readonly ElementType[] = ['f2', 'b2', 'f4', 'f8'];
const IDS: readonly ElementType[] = ['u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8'];
const LARGEST_DIMS = 2 ** 32 - 1;

const ARRAY_KEYS: readonly string[] = arrayFormats.flatMap(({ keys }) => keys);
const IDS_PREFIX = 'ids_';

export const sparsePair: InputFormat = {
  name: 'sparse pair',
  summary: 'scores in a format of arrays, with ids=FILE',
  keys: ['ids', 'dims', ...new Set(ARRAY_KEYS), ...new Set(ARRAY_KEYS.map((key) => IDS_PREFIX + key))],
  matches: ({ entries, options }) => entries === null && options.has('ids'),
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
    const dims = integerOption(idsPath, options, 'dims', 1, LARGEST_DIMS);
    return openConcatenated(paths, (path) => openPair(path, idsOf.get(path) as string, options, dims));
  },
};

async function openPair(
  scoresPath: string,
  idsPath: string,
  options: ReadonlyMap<string, string>,
  dims: number | undefined,
): Promise<VectorReader> {
  const opened: ArrayFile[] = [];
  try {
    const scores = await openHalf(scoresPath, options, '', SCORES);
    opened.push(scores);
    const ids = await openHalf(idsPath, options, IDS_PREFIX, IDS);
    opened.push(ids);
    if (ids.rows !== scores.rows || ids.columns !== scores.columns) {
      throw new InputError(
        idsPath,
        `has shape (${ids.rows}, ${ids.columns})`,
        `expected (${scores.rows}, ${scores.columns}) as in ${scoresPath}`,
        'pair each file of ids with its own scores',
      );
    }
    const given = dims ?? (await largestId(new SparsePairReader(scores, ids, LARGEST_DIMS))) + 1;
    return new SparsePairReader(scores, ids, given);
  } catch (error) {
    for (const array of opened) array.close();
    throw error;
  }
}

/** Opens one of the two with the keys that are meant for it, without their prefix. */
async function openHalf(
  path: string,
  options: ReadonlyMap<string, string>,
  prefix: string,
  accepted: readonly ElementType[],
): Promise<ArrayFile> {
  const chosen = [...options].flatMap(([key, value]) =>
    key.startsWith(prefix) && ARRAY_KEYS.includes(key.slice(prefix.length))
      ? [[key.slice(prefix.length), value] as const]
      : [],
  );
  return openArray(path, new Map(chosen), accepted);
}

class SparsePairReader implements VectorReader {
  readonly kind = 'sparse';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained = false;
  readonly files: readonly string[];
  readonly heldBytes: number;
  readonly #scores: ArrayFile;
  readonly #ids: ArrayFile;

  constructor(scores: ArrayFile, ids: ArrayFile, dims: number) {
    this.rows = scores.rows;
    this.dims = dims;
    this.perRow = scores.columns;
    this.files = scores.path === ids.path ? [scores.path] : [scores.path, ids.path];
    this.heldBytes = scores.heldBytes + ids.heldBytes;
    this.#scores = scores;
    this.#ids = ids;
  }

  async *chunks(rowsPerChunk: number, firstRow = 0): AsyncGenerator<SparseChunk> {
    const capacity = Math.min(rowsPerChunk, this.rows) * this.perRow;
    const allValues = new Float64Array(capacity);
    const allIds = new Uint32Array(capacity);
    const halves = new Float32Array(this.#scores.type === 'f2' || this.#scores.type === 'b2' ? capacity : 0);
    const idBlocks = this.#ids.blocks(rowsPerChunk, firstRow)[Symbol.asyncIterator]();
    try {
      for await (const { first, count, elements } of this.#scores.blocks(rowsPerChunk, firstRow)) {
        const values = allValues.subarray(0, count * this.perRow);
        const ids = allIds.subarray(0, count * this.perRow);
        toDoubles(this.#scores.type, elements, halves, values);
        // Both files have the same rows, so their blocks are cut alike.
        const { value } = await idBlocks.next();
        this.#checkIds(value.elements, first, values, ids);
        yield { kind: 'sparse', firstRow: first, rows: count, ids, values };
      }
    } finally {
      await idBlocks.return?.();
    }
  }

  locate(row: number): string {
    return `${this.#scores.path} row ${row}`;
  }

  close(): void {
    this.#scores.close();
    this.#ids.close();
  }

  #checkIds(stored: Elements, firstRow: number, values: Float64Array, ids: Uint32Array): void {
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

function toDoubles(type: ElementType, scores: Elements, halves: Float32Array, values: Float64Array): void {
  if (scores instanceof Uint16Array) {
    const floats = halves.subarray(0, scores.length);
    if (type === 'f2') native.halfToFloat(scores, floats);
    else bfloatToFloat(scores, floats);
    values.set(floats);
  } else {
    values.set(scores as Float32Array | Float64Array);
  }
}

async function largestId(reader: SparsePairReader): Promise<number> {
  let largest = 0;
  for await (const { ids } of reader.chunks(SURVEY_ROWS)) {
    for (let at = 0; at < ids.length; at++) largest = Math.max(largest, ids[at] as number);
  }
  return largest;
}
