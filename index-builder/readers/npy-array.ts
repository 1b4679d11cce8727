// NumPy's .npy format (versions 1 to 3), both directions: a 2-d array in C order, read a block of rows at a time.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//   magic "\x93NUMPY", major, minor, header length (2 bytes; 4 from version 2 on), header, data
// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and white space.

import { closingOnError, InputFile } from './input-file.ts';
import { InputError } from './reader.ts';

export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** NumPy's own limit for headers it does not trust. */
const LARGEST_HEADER_BYTES = 10_000;

/** Element types by NumPy's code without the byte order; `array` holds the elements as they are stored. */
const ELEMENTS = {
  f2: { name: 'float16', array: Uint16Array },
  f4: { name: 'float32', array: Float32Array },
  f8: { name: 'float64', array: Float64Array },
  i1: { name: 'int8', array: Int8Array },
  u1: { name: 'uint8', array: Uint8Array },
  u2: { name: 'uint16', array: Uint16Array },
  u4: { name: 'uint32', array: Uint32Array },
  i4: { name: 'int32', array: Int32Array },
  i8: { name: 'int64', array: BigInt64Array },
} as const;

export type NpyType = keyof typeof ELEMENTS;
export type NpyElements = InstanceType<(typeof ELEMENTS)[NpyType]['array']>;

export interface NpyHeader {
  /** As written: a dtype string like "<f4", or the list of a structured dtype. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

export class NpyArray {
  readonly type: NpyType;
  readonly rows: number;
  readonly columns: number;
  readonly #file: InputFile;
  readonly #dataOffset: number;

  /** Use openNpyArray. */
  constructor(file: InputFile, type: NpyType, rows: number, columns: number, dataOffset: number) {
    this.#file = file;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
    this.#dataOffset = dataOffset;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Room for `rows` rows of this array. */
  allocate(rows: number): NpyElements {
    return new ELEMENTS[this.type].array(rows * this.columns);
  }

  /** Reads rows [first, first + count) to the start of what `allocate` gave, and returns that part of it. */
  read(first: number, count: number, elements: NpyElements): NpyElements {
    const part = elements.subarray(0, count * this.columns);
    const rowBytes = this.columns * part.BYTES_PER_ELEMENT;
    this.#file.read(this.#dataOffset + first * rowBytes, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    return part;
  }

  close(): void {
    this.#file.close();
  }
}

/** Opens a 2-d array of one of the accepted types; everything else is an InputError of its own. */
export function openNpyArray(path: string, accepted: readonly NpyType[]): NpyArray {
  return closingOnError(new InputFile(path), (file) => {
    const { header, dataOffset } = readHeader(file);
    const type = requireType(path, header.descr, accepted);
    const names = header.shape.join(', ');
    const [rows, columns] = header.shape;
    if (header.shape.length !== 2 || rows === undefined || columns === undefined) {
      const shape = header.shape.length === 1 ? `(${names},)` : `(${names})`;
      throw new InputError(
        path,
        `has ${header.shape.length} dimensions, shape ${shape}`,
        'expected 2: one row per item',
        'use a.reshape(len(a), -1)',
      );
    }
    if (header.fortranOrder) {
      throw new InputError(
        path,
        'is in Fortran (column) order',
        'expected C order, row after row',
        'save np.ascontiguousarray(a)',
      );
    }
    if (rows === 0) throw new InputError(path, 'has no rows', 'expected at least one item', 'check how it was written');
    if (columns === 0) {
      throw new InputError(path, 'has rows of no values', 'expected at least one column', 'check how it was written');
    }
    const dataBytes = rows * columns * ELEMENTS[type].array.BYTES_PER_ELEMENT;
    const present = file.size - dataOffset;
    const expected = `expected ${dataBytes} for ${rows} x ${columns} ${ELEMENTS[type].name}`;
    if (present < dataBytes) {
      throw new InputError(path, `is truncated: ${present} bytes of data`, expected, 'copy or write the file again');
    }
    if (present > dataBytes) {
      throw new InputError(
        path,
        `has trailing bytes: ${present} bytes of data`,
        expected,
        'save one array a file, with np.save',
      );
    }
    return new NpyArray(file, type, rows, columns, dataOffset);
  });
}

/** Everything before the data of a C-order array, padded so that the data starts at a multiple of 64 bytes. */
export function npyHeader(type: NpyType, shape: readonly number[]): Uint8Array {
  const order = ELEMENTS[type].array.BYTES_PER_ELEMENT === 1 ? '|' : '<';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const prefix = NPY_MAGIC.length + 4;
  const total = Math.ceil((prefix + text.length + 1) / 64) * 64;
  const length = total - prefix;
  const head = Buffer.from([...NPY_MAGIC, 1, 0, length & 255, length >> 8]);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

/** Reads the literal by hand: the three keys once each, in any order, and nothing else. */
export function parseNpyHeader(path: string, text: string): NpyHeader {
  const cursor = new Cursor(path, text);
  const fields: { descr?: string; fortran_order?: boolean; shape?: readonly number[] } = {};
  cursor.expect('{');
  while (!cursor.take('}')) {
    const key = cursor.string();
    if (key !== 'descr' && key !== 'fortran_order' && key !== 'shape') return cursor.refuse(`the key '${key}'`);
    if (fields[key] !== undefined) return cursor.refuse(`the key '${key}' twice`);
    cursor.expect(':');
    if (key === 'descr') fields.descr = cursor.descr();
    else if (key === 'fortran_order') fields.fortran_order = cursor.boolean();
    else fields.shape = cursor.tuple();
    if (!cursor.take(',')) {
      cursor.expect('}');
      break;
    }
  }
  cursor.end();
  const { descr, fortran_order: fortranOrder, shape } = fields;
  if (descr === undefined) return cursor.refuse("no key 'descr'");
  if (fortranOrder === undefined) return cursor.refuse("no key 'fortran_order'");
  if (shape === undefined) return cursor.refuse("no key 'shape'");
  return { descr, fortranOrder, shape };
}

function readHeader(file: InputFile): { header: NpyHeader; dataOffset: number } {
  const start = Buffer.alloc(Math.min(12, file.size));
  file.read(0, start);
  if (start.length < 10 || NPY_MAGIC.some((byte, at) => start[at] !== byte)) {
    throw new InputError(
      file.path,
      'is not a .npy file',
      'expected it to start with \\x93NUMPY and a version',
      'save the array with np.save',
    );
  }
  const [major, minor] = [start[6] as number, start[7] as number];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(
      file.path,
      `is .npy version ${major}.${minor}`,
      'expected 1.0, 2.0 or 3.0',
      'save it with np.lib.format.write_array(f, a, version=(1, 0))',
    );
  }
  const prefix = major === 1 ? 10 : 12;
  const length = major === 1 ? start.readUInt16LE(8) : start.length < 12 ? 0 : start.readUInt32LE(8);
  if (length > LARGEST_HEADER_BYTES) {
    throw new InputError(
      file.path,
      `has a header of ${length} bytes`,
      `expected at most ${LARGEST_HEADER_BYTES}`,
      'save a plain array, without a structured dtype',
    );
  }
  if (prefix + length > file.size) {
    throw new InputError(
      file.path,
      `is truncated in its header: ${file.size} bytes in all`,
      `expected ${prefix + length} before the data`,
      'copy or write the file again',
    );
  }
  const bytes = Buffer.alloc(length);
  file.read(prefix, bytes);
  return { header: parseNpyHeader(file.path, bytes.toString('latin1')), dataOffset: prefix + length };
}

function requireType(path: string, descr: string, accepted: readonly NpyType[]): NpyType {
  const names = accepted.map((type) => ELEMENTS[type].name);
  const expected = `expected ${names.join(', ')}`;
  const code = descr.slice(1);
  const type = accepted.find((candidate) => candidate === code);
  const size = type === undefined ? 0 : ELEMENTS[type].array.BYTES_PER_ELEMENT;
  if (descr.startsWith('>') && size !== 1) {
    throw new InputError(
      path,
      `is big-endian (dtype '${descr}')`,
      `${expected}, little-endian`,
      "use a.astype(a.dtype.newbyteorder('<'))",
    );
  }
  if (type === undefined || (size > 1 && !descr.startsWith('<')) || !/^[<>|]/.test(descr)) {
    const preferred = accepted.includes('f4') ? 'float32' : names.at(-1);
    throw new InputError(path, `has dtype ${descr.slice(0, 60)}`, expected, `use a.astype(np.${preferred})`);
  }
  return type;
}

/** The few forms of Python literals that headers are made of. */
class Cursor {
  readonly #path: string;
  readonly #text: string;
  #at = 0;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  refuse(found: string): never {
    throw new InputError(
      this.#path,
      `has a malformed header: ${found} near byte ${this.#at}`,
      "expected {'descr': …, 'fortran_order': …, 'shape': …}",
      'save the array with np.save',
    );
  }

  take(token: string): boolean {
    this.#skipSpace();
    const found = this.#text.startsWith(token, this.#at);
    if (found) this.#at += token.length;
    return found;
  }

  expect(token: string): void {
    if (!this.take(token)) this.refuse(`no '${token}'`);
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.refuse('something after the dictionary');
  }

  boolean(): boolean {
    if (this.take('True')) return true;
    if (this.take('False')) return false;
    return this.refuse('neither True nor False');
  }

  string(): string {
    const match = this.#match(/(?:'([^'\\\n]*)'|"([^"\\\n]*)")/y);
    return match === null ? this.refuse('no string') : (match[1] ?? match[2] ?? '');
  }

  /** A dtype string; the list of a structured dtype is taken as it is, for the message that refuses it. */
  descr(): string {
    const list = this.#match(/\[[^\]]*\]/y);
    return list === null ? this.string() : list[0];
  }

  /** Sizes; Python 2 wrote some of them as 3L. A tuple of one has a comma. */
  tuple(): readonly number[] {
    const sizes: number[] = [];
    this.expect('(');
    while (!this.take(')')) {
      const match = this.#match(/(0|[1-9][0-9]{0,15})L?/y);
      if (match === null) return this.refuse('no size');
      const size = Number(match[1]);
      if (!Number.isSafeInteger(size) || sizes.length === 32) return this.refuse('too large a shape');
      sizes.push(size);
      if (this.take(',')) continue;
      this.expect(')');
      if (sizes.length === 1) this.refuse('a number where a tuple belongs');
      break;
    }
    return sizes;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    this.#skipSpace();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text[this.#at] as string)) this.#at++;
  }
}
