// The papers' packed form of sparse vectors: a folder with init.u64, ids.u64 and ratios.u64, one little-endian uint64
// an item in each. native/src/encode.h gives the layout of the bits, which these files do not state: it comes from the keys
//   features=5,id_bits=16,value_bits=48,value_divisor=2e14,ratio_bits=16,ratio_divisor=50000
// and pad_bits, the low bits of ids and ratios that hold no code (default 64 % id_bits and 64 % ratio_bits). A file
// layout.json in the folder gives those that --modality does not (r64-layout.ts).
// `dims` defaults to 1 + the largest id with a value other than 0, found in one pass at opening (12,988 in lsc100k
// where id_bits allows 65,536): the tables of an index grow with dims. Give it where indexes must agree.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../../src/native.ts';
import type { R64Layout } from '../../src/native-types.ts';
import { integerOption } from '../modality-spec.ts';
import { openConcatenated } from './concatenation.ts';
import { explained, InputFile } from './input-file.ts';
import { LAYOUT_KEYS, parseLayout, withLayoutFile } from './r64-layout.ts';
import { InputError, type InputFormat, rowRanges, type SparseChunk, type VectorReader } from './reader.ts';

const FILES = ['init.u64', 'ids.u64', 'ratios.u64'] as const;
const WORD_BYTES = 8;
/** Rows looked at together when the largest id is wanted. */
const SURVEY_ROWS = 8192;

export const r64: InputFormat = {
  name: 'r64',
  summary: `folder with ${FILES.join(', ')}`,
  keys: LAYOUT_KEYS,
  matches: ({ entries }) => entries !== null && FILES.some((name) => entries.includes(name)),
  open: (paths, options) =>
    openConcatenated(paths, async (path) => {
      const all = withLayoutFile(path, options);
      const layout = parseLayout(path, all);
      const dims = integerOption(path, all, 'dims', 1, 2 ** layout.idBits);
      const files = openFiles(path);
      try {
        return new R64Reader(
          path,
          files,
          layout,
          dims ?? (await largestId(new R64Reader(path, files, layout, 2 ** layout.idBits))) + 1,
        );
      } catch (error) {
        for (const file of files) file.close();
        throw error;
      }
    }),
};

class R64Reader implements VectorReader {
  readonly kind = 'sparse';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained = true;
  readonly files: readonly string[];
  readonly heldBytes = 0;
  readonly #path: string;
  readonly #files: readonly InputFile[];
  readonly #layout: R64Layout;

  constructor(path: string, files: readonly InputFile[], layout: R64Layout, dims: number) {
    this.rows = (files[0] as InputFile).size / WORD_BYTES;
    this.dims = dims;
    this.perRow = layout.features;
    this.files = files.map((file) => file.path);
    this.#path = path;
    this.#files = files;
    this.#layout = layout;
  }

  async *chunks(rowsPerChunk: number, firstRow = 0): AsyncGenerator<SparseChunk> {
    const capacity = Math.min(rowsPerChunk, this.rows);
    const words = this.#files.map(() => new BigUint64Array(capacity));
    const allIds = new Uint32Array(capacity * this.perRow);
    const allValues = new Float64Array(capacity * this.perRow);
    for (const { first, count } of rowRanges(this.rows, rowsPerChunk, firstRow)) {
      const [init, ids, ratios] = this.#files.map((file, at) => {
        const part = (words[at] as BigUint64Array).subarray(0, count);
        file.read(first * WORD_BYTES, new Uint8Array(part.buffer, 0, part.byteLength));
        return part;
      }) as [BigUint64Array, BigUint64Array, BigUint64Array];
      const outIds = allIds.subarray(0, count * this.perRow);
      const outValues = allValues.subarray(0, count * this.perRow);
      // Ids of zeros mean nothing (lsc100k has such rows) and become 0.
      const refused = native.decodeR64(init, ids, ratios, this.#layout, this.dims, outIds, outValues);
      if (refused >= 0) this.#refuse(first + Math.floor(refused / this.perRow), outIds[refused] as number);
      yield { kind: 'sparse', firstRow: first, rows: count, ids: outIds, values: outValues };
    }
  }

  locate(row: number): string {
    return `${this.#path} row ${row}`;
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  #refuse(row: number, id: number): never {
    throw new InputError(
      this.locate(row),
      `has id ${id}`,
      `expected 0 to ${this.dims - 1}`,
      'give a larger dims=, or check the layout keys',
    );
  }
}

function openFiles(path: string): readonly InputFile[] {
  const entries = explained(path, () => readdirSync(path));
  const missing = FILES.filter((name) => !entries.includes(name));
  if (missing.length > 0) {
    throw new InputError(
      path,
      `has no ${missing.join(' and no ')}`,
      `expected ${FILES.join(', ')}`,
      'copy the whole folder',
    );
  }
  const files: InputFile[] = [];
  try {
    for (const name of FILES) files.push(new InputFile(join(path, name)));
    const [init, ids, ratios] = files as [InputFile, InputFile, InputFile];
    if (ids.size !== init.size || ratios.size !== init.size) {
      throw new InputError(
        path,
        `has files of different length (${files.map((file) => file.size).join(', ')} bytes)`,
        `expected one size of ${FILES.join(', ')}`,
        'copy the whole folder again',
      );
    }
    if (init.size === 0 || init.size % WORD_BYTES !== 0) {
      throw new InputError(
        path,
        `has files of ${init.size} bytes`,
        `expected ${WORD_BYTES} bytes an item, and at least one item`,
        'copy or write the folder again',
      );
    }
    return files;
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

async function largestId(reader: R64Reader): Promise<number> {
  let largest = 0;
  for await (const { ids } of reader.chunks(SURVEY_ROWS)) {
    for (let at = 0; at < ids.length; at++) largest = Math.max(largest, ids[at] as number);
  }
  return largest;
}
