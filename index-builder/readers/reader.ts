// What the builder needs of input vectors, whatever file format they come from.

import type { VectorChunk, VectorSource } from '../../src/codecs/codec.ts';

export type DenseChunk = Extract<VectorChunk, { kind: 'dense' }>;
/** Pairs in any order; a value of 0 pads and its id is 0. */
export type SparseChunk = Extract<VectorChunk, { kind: 'sparse' }>;

/**
 * The vectors of one modality, in item order, read as a stream in bounded memory. Values are handed on as they are:
 * NaN, infinity and negative values are for the encoder to refuse, with `locate` to say where. A chunk has at most the
 * rows asked for (fewer where a file ends or rows are long), and its arrays are overwritten by the next of the same pass.
 */
export interface VectorReader extends VectorSource {
  /** Every file that is read, for the manifest's source hashes. */
  readonly files: readonly string[];
  /** Bytes held while it is read, beside the chunk. */
  readonly heldBytes: number;
  close(): void;
}

/** A path as the user named it, looked at before a format is chosen. */
export interface Candidate {
  readonly path: string;
  /** The names in a folder; null for a file. */
  readonly entries: readonly string[] | null;
  /** The first bytes of a file (at most 4 KiB); empty for a folder. */
  readonly head: Buffer;
  /** Of a file. */
  readonly size: number;
  readonly options: ReadonlyMap<string, string>;
}

/** One input format. */
export interface InputFormat {
  readonly name: string;
  /** What a user may pass, in a few words. */
  readonly summary: string;
  /** The keys of --modality that this format uses. */
  readonly keys: readonly string[];
  /** Told by content, not by name. */
  matches(candidate: Candidate): boolean;
  /** Opens paths (at least one) as one sequence of rows. */
  open(paths: readonly string[], options: ReadonlyMap<string, string>): Promise<VectorReader>;
}

/** Input that cannot be used: which file, what is wrong with it, what was expected, what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;

  constructor(file: string, wrong: string, expected: string, remedy: string) {
    super(`${file}: ${wrong}; ${expected}; ${remedy}`);
    this.file = file;
  }
}

/** A key of --modality that does not fit what it is given for: a mistake of usage, not of the input. */
export class KeyError extends InputError {}

/** Input that the system could not read, which may go well another time. */
export class UnreadableError extends InputError {}

/** Hears how far reading a file is, in bytes of `total`; roughly, where a file is read in large parts. */
export type OnRead = (done: number, total: number) => void;

/** The row ranges [first, first + count) of a pass that begins at `firstRow`. */
export function* rowRanges(
  rows: number,
  rowsPerChunk: number,
  firstRow: number,
): Generator<{ first: number; count: number }> {
  if (!Number.isInteger(rowsPerChunk) || rowsPerChunk < 1) throw new RangeError('rowsPerChunk must be at least 1');
  if (!Number.isInteger(firstRow) || firstRow < 0 || firstRow > rows) throw new RangeError('firstRow must be a row');
  for (let first = firstRow; first < rows; first += rowsPerChunk) {
    yield { first, count: Math.min(rowsPerChunk, rows - first) };
  }
}
