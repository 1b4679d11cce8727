// The headed binary formats of nearest-neighbour benchmarks, little-endian and without a signature, so that the name says
// the element type and the sizes must agree with the file's:
//   .fvecs .bvecs .ivecs       every row: int32 dims, then its values (http://corpus-texmex.irisa.fr)
//   .fbin .u8bin .i8bin .ibin  once: uint32 rows, uint32 dims; then all values (https://big-ann-benchmarks.com)
// Those of int32 serve as ids of sparse rows.

import { extname } from 'node:path';
import { closingOnError, InputFile } from '../input-file.ts';
import { InputError, rowRanges } from '../reader.ts';
import {
  type ArrayBlock,
  type ArrayFile,
  type ArrayFormat,
  allocate,
  bytesOf,
  type ElementType,
  elementBytes,
  requireMatrix,
  requireType,
} from './array.ts';
import { requireBytes, StoredArray } from './stored-array.ts';

const VECS: Readonly<Record<string, ElementType>> = { '.fvecs': 'f4', '.bvecs': 'u1', '.ivecs': 'i4' };
const BINS: Readonly<Record<string, ElementType>> = { '.fbin': 'f4', '.u8bin': 'u1', '.i8bin': 'i1', '.ibin': 'i4' };

const PREFIX_BYTES = 4;

export const vecs: ArrayFormat = {
  name: 'vecs',
  summary: '.fvecs, .bvecs, .ivecs (ids)',
  keys: [],
  matches: ({ path, entries }) => entries === null && Object.hasOwn(VECS, extension(path)),
  open: async (path, _options, accepted) =>
    closingOnError(new InputFile(path), (file) => {
      const code = VECS[extension(path)] as ElementType;
      const type = requireType(path, code, accepted, `elements of ${extension(path)}`);
      if (file.size < PREFIX_BYTES) throw tooShort(path, file.size, PREFIX_BYTES);
      const head = Buffer.alloc(PREFIX_BYTES);
      file.read(0, head);
      const columns = head.readInt32LE();
      const rowBytes = PREFIX_BYTES + columns * elementBytes(type);
      if (columns < 1 || file.size % rowBytes !== 0) {
        throw new InputError(
          path,
          columns < 1
            ? `row 0 has ${columns} dims`
            : `is truncated or ragged: ${file.size} bytes end in row ${Math.floor(file.size / rowBytes)}`,
          columns < 1 ? 'expected at least 1' : `expected whole rows of ${columns} dims, ${rowBytes} bytes each`,
          'copy or write the file again',
        );
      }
      return new PrefixedRows(file, type, requireMatrix(path, [file.size / rowBytes, columns]));
    }),
};

export const bin: ArrayFormat = {
  name: 'bin',
  summary: '.fbin, .u8bin, .i8bin, .ibin (ids)',
  keys: [],
  matches: ({ path, entries }) => entries === null && Object.hasOwn(BINS, extension(path)),
  open: async (path, _options, accepted) =>
    closingOnError(new InputFile(path), (file) => {
      const code = BINS[extension(path)] as ElementType;
      const type = requireType(path, code, accepted, `elements of ${extension(path)}`);
      const offset = 2 * PREFIX_BYTES;
      if (file.size < offset) throw tooShort(path, file.size, offset);
      const head = Buffer.alloc(offset);
      file.read(0, head);
      const shape = { type, ...requireMatrix(path, [head.readUInt32LE(0), head.readUInt32LE(PREFIX_BYTES)]) };
      requireBytes(path, file.size - offset, shape, 'check that the name says the type of its elements');
      return new StoredArray(file, { ...shape, offset, bigEndian: false, columnOrder: false });
    }),
};

/** Rows that each begin with their own length, which must be that of the first. */
class PrefixedRows implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes = 0;
  readonly #file: InputFile;

  constructor(file: InputFile, type: ElementType, { rows, columns }: { rows: number; columns: number }) {
    this.#file = file;
    this.path = file.path;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
  }

  async *blocks(rowsPerBlock: number, firstRow: number): AsyncGenerator<ArrayBlock> {
    const { type, rows, columns } = this;
    const valueBytes = columns * elementBytes(type);
    const rowBytes = PREFIX_BYTES + valueBytes;
    const capacity = Math.min(rowsPerBlock, rows);
    const stored = Buffer.alloc(capacity * rowBytes);
    const elements = allocate(type, capacity * columns);
    const out = bytesOf(elements);
    for (const { first, count } of rowRanges(rows, rowsPerBlock, firstRow)) {
      this.#file.read(first * rowBytes, stored.subarray(0, count * rowBytes));
      for (let row = 0; row < count; row++) {
        const at = row * rowBytes;
        const dims = stored.readInt32LE(at);
        if (dims !== columns) throw this.#ragged(first + row, dims);
        out.set(stored.subarray(at + PREFIX_BYTES, at + rowBytes), row * valueBytes);
      }
      yield { first, count, elements: elements.subarray(0, count * columns) };
    }
  }

  close(): void {
    this.#file.close();
  }

  #ragged(row: number, dims: number): InputError {
    return new InputError(
      `${this.path} row ${row}`,
      `has ${dims} dims`,
      `expected ${this.columns} as in row 0`,
      'write rows of one length',
    );
  }
}

function extension(path: string): string {
  return extname(path).toLowerCase();
}

function tooShort(path: string, size: number, needed: number): InputError {
  return new InputError(path, `is truncated: ${size} bytes`, `expected at least ${needed}`, 'copy or write it again');
}
