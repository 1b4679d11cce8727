// A 2-d array of numbers in a file, whatever format holds it: dense vectors are read from one, sparse ones from a pair.

import { type Candidate, InputError } from '../reader.ts';

/** Element types by NumPy's code without the byte order (b2 is bfloat16); `array` holds the elements as they are stored. */
export const ELEMENTS = {
  f2: { name: 'float16', array: Uint16Array },
  b2: { name: 'bfloat16', array: Uint16Array },
  f4: { name: 'float32', array: Float32Array },
  f8: { name: 'float64', array: Float64Array },
  i1: { name: 'int8', array: Int8Array },
  u1: { name: 'uint8', array: Uint8Array },
  i2: { name: 'int16', array: Int16Array },
  u2: { name: 'uint16', array: Uint16Array },
  i4: { name: 'int32', array: Int32Array },
  u4: { name: 'uint32', array: Uint32Array },
  i8: { name: 'int64', array: BigInt64Array },
  u8: { name: 'uint64', array: BigUint64Array },
} as const;

export type ElementType = keyof typeof ELEMENTS;
export type Elements = InstanceType<(typeof ELEMENTS)[ElementType]['array']>;

/** Longest row: 1 + the largest id of a sparse one, and more than any encoder of pictures or texts gives. */
export const MAX_COLUMNS = 2 ** 24;

export interface Shape {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
}

/** Rows [first, first + count) one after the other. */
export interface ArrayBlock {
  readonly first: number;
  readonly count: number;
  readonly elements: Elements;
}

export interface ArrayFile extends Shape {
  readonly path: string;
  /** Bytes held while it is read, beside the blocks. */
  readonly heldBytes: number;
  /** From `firstRow` on, `rowsPerBlock` at a time but for the last; the elements are overwritten by the next block. */
  blocks(rowsPerBlock: number, firstRow: number): AsyncIterable<ArrayBlock>;
  close(): void;
}

/** One file format that holds arrays. */
export interface ArrayFormat {
  readonly name: string;
  /** What a user may pass, in a few words. */
  readonly summary: string;
  /** The keys of --modality that choose an array within a file. */
  readonly keys: readonly string[];
  /** Told by content; by name only where the content does not say it. */
  matches(candidate: Candidate): boolean;
  /** Opens a 2-d array of one of the accepted types, of at least a row and a column; all else is an InputError. */
  open(path: string, options: ReadonlyMap<string, string>, accepted: readonly ElementType[]): Promise<ArrayFile>;
}

export function allocate(type: ElementType, length: number): Elements {
  return new ELEMENTS[type].array(length);
}

export function elementBytes(type: ElementType): number {
  return ELEMENTS[type].array.BYTES_PER_ELEMENT;
}

/** The bytes under typed arrays. */
export function bytesOf(elements: Elements): Uint8Array {
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

export function namesOf(types: readonly ElementType[]): string {
  return types.map((type) => ELEMENTS[type].name).join(', ');
}

/** The type when it is accepted; `found` says what the file calls it. */
export function requireType(
  path: string,
  type: ElementType | undefined,
  accepted: readonly ElementType[],
  found: string,
): ElementType {
  if (type !== undefined && accepted.includes(type)) return type;
  throw new InputError(
    path,
    `has ${found.slice(0, 60)}`,
    `expected ${namesOf(accepted)}`,
    `convert it, in NumPy with a.astype(np.${accepted.includes('f4') ? 'float32' : 'int64'})`,
  );
}

/** Two sizes, neither of them 0. */
export function requireMatrix(path: string, shape: readonly number[]): { rows: number; columns: number } {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) {
    const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
    throw new InputError(
      path,
      `has ${shape.length} dimensions, shape ${sizes}`,
      'expected 2: one row per item',
      'use a.reshape(len(a), -1)',
    );
  }
  if (rows === 0) throw new InputError(path, 'has no rows', 'expected at least one item', 'check how it was written');
  if (columns === 0) {
    throw new InputError(path, 'has rows of no values', 'expected at least one column', 'check how it was written');
  }
  if (!(rows > 0 && columns > 0 && columns <= MAX_COLUMNS && Number.isSafeInteger(rows))) {
    throw new InputError(
      path,
      `has ${rows} rows of ${columns} columns`,
      `expected at most ${MAX_COLUMNS} columns`,
      'check that a row describes an item',
    );
  }
  return { rows, columns };
}
