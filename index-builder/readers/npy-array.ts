// NumPy's .npy format (versions 1 to 3), both directions: arrays are opened to be read, headers written.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//   magic "\x93NUMPY", major, minor, header length (2 bytes; 4 from version 2 on), header, data
// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and white space.

import { ELEMENTS, type ElementType, elementBytes, requireMatrix, requireType } from './arrays/array.ts';
import { type Layout, requireBytes, StoredArray } from './arrays/stored-array.ts';
import { closingOnError, InputFile } from './input-file.ts';
import { InputError } from './reader.ts';

export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** NumPy's own limit for headers it does not trust. */
const LARGEST_HEADER_BYTES = 10_000;

/** Everything before the data of a file lies within so many bytes. */
export const NPY_START_BYTES = 12 + LARGEST_HEADER_BYTES;

/** bfloat16 is none of NumPy's. */
export type NpyType = Exclude<ElementType, 'b2'>;

export interface NpyHeader {
  /** As written: a dtype string like "<f4", or the list of a structured dtype. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Opens a 2-d array of one of the accepted types; everything else is an InputError of its own. */
export function openNpyArray(path: string, accepted: readonly ElementType[]): StoredArray {
  return closingOnError(new InputFile(path), (file) => {
    const start = Buffer.alloc(Math.min(NPY_START_BYTES, file.size));
    file.read(0, start);
    const layout = npyLayout(path, start, accepted);
    requireBytes(path, file.size - layout.offset, layout, 'save one array a file, with np.save');
    return new StoredArray(file, layout);
  });
}

/** Where and how the array lies, from the first NPY_START_BYTES of a file (or all of a shorter one). */
export function npyLayout(path: string, start: Buffer, accepted: readonly ElementType[]): Layout {
  const { header, dataOffset } = readHeader(path, start);
  const { descr, fortranOrder: columnOrder } = header;
  const code = descr.slice(1);
  const known = /^[<>|=]/.test(descr) && Object.hasOwn(ELEMENTS, code) && code !== 'b2';
  const named = known && (!descr.startsWith('|') || elementBytes(code as NpyType) === 1) && !descr.startsWith('=');
  const type = requireType(path, named ? (code as NpyType) : undefined, accepted, `dtype ${descr}`);
  const { rows, columns } = requireMatrix(path, header.shape);
  return { type, rows, columns, offset: dataOffset, bigEndian: descr.startsWith('>'), columnOrder };
}

/** Everything before the data of a C-order array, padded so that the data starts at a multiple of 64 bytes. */
export function npyHeader(type: NpyType, shape: readonly number[]): Uint8Array {
  const order = elementBytes(type) === 1 ? '|' : '<';
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

function readHeader(path: string, start: Buffer): { header: NpyHeader; dataOffset: number } {
  if (start.length < 10 || NPY_MAGIC.some((byte, at) => start[at] !== byte)) {
    throw new InputError(
      path,
      'is not a .npy file',
      'expected it to start with \\x93NUMPY and a version',
      'save the array with np.save',
    );
  }
  const [major, minor] = [start[6] as number, start[7] as number];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(
      path,
      `is .npy version ${major}.${minor}`,
      'expected 1.0, 2.0 or 3.0',
      'save it with np.lib.format.write_array(f, a, version=(1, 0))',
    );
  }
  const prefix = major === 1 ? 10 : 12;
  const length = major === 1 ? start.readUInt16LE(8) : start.length < 12 ? 0 : start.readUInt32LE(8);
  if (length > LARGEST_HEADER_BYTES) {
    throw new InputError(
      path,
      `has a header of ${length} bytes`,
      `expected at most ${LARGEST_HEADER_BYTES}`,
      'save a plain array, without a structured dtype',
    );
  }
  if (prefix + length > start.length) {
    throw new InputError(
      path,
      `is truncated in its header: ${start.length} bytes in all`,
      `expected ${prefix + length} before the data`,
      'copy or write the file again',
    );
  }
  const text = start.toString('latin1', prefix, prefix + length);
  return { header: parseNpyHeader(path, text), dataOffset: prefix + length };
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
