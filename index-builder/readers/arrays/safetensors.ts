// safetensors: uint64 length of the header, the header as JSON, then the tensors in C order, little-endian.
// https://github.com/huggingface/safetensors#format

import { closingOnError, InputFile } from '../input-file.ts';
import { InputError } from '../reader.ts';
import { type ArrayFormat, type ElementType, requireMatrix, requireType } from './array.ts';
import { chooseNamed } from './choose.ts';
import { requireBytes, StoredArray } from './stored-array.ts';

const TYPES: Readonly<Record<string, ElementType>> = {
  F16: 'f2',
  BF16: 'b2',
  F32: 'f4',
  F64: 'f8',
  I8: 'i1',
  U8: 'u1',
  I16: 'i2',
  U16: 'u2',
  I32: 'i4',
  U32: 'u4',
  I64: 'i8',
  U64: 'u8',
};

const LENGTH_BYTES = 8;
/** The format's own limit. */
const LARGEST_HEADER_BYTES = 100_000_000;

const COPY_AGAIN = 'copy or write the file again';

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

export const safetensors: ArrayFormat = {
  name: 'safetensors',
  summary: 'safetensors with a 2-d tensor',
  keys: ['tensor'],
  matches: ({ head }) => head.length > LENGTH_BYTES && head[LENGTH_BYTES] === 0x7b && head.readUInt32LE(4) === 0,
  open: async (path, options, accepted) =>
    closingOnError(new InputFile(path), (file) => {
      const { tensors, offset } = readHeader(file);
      const name = chooseNamed(path, 'tensor', options.get('tensor'), [...tensors.keys()], (tensor) =>
        isMatrix(tensors.get(tensor)),
      );
      const tensor = tensors.get(name);
      if (!isTensor(tensor)) throw malformed(path, `tensor '${name}' without dtype, shape and data_offsets`);
      const place = `${path} tensor '${name}'`;
      const type = requireType(place, TYPES[tensor.dtype], accepted, `dtype ${tensor.dtype}`);
      const shape = { type, ...requireMatrix(place, tensor.shape) };
      const [begin, end] = tensor.data_offsets;
      requireBytes(place, end - begin, shape, 'write it again with safetensors');
      // A cut within this tensor has a row. One anywhere else leaves no whole file either.
      const present = file.size - offset;
      if (present >= begin && present < end) requireBytes(place, present - begin, shape, COPY_AGAIN);
      requireWhole(path, present, tensors);
      return new StoredArray(file, { ...shape, offset: offset + begin, bigEndian: false, columnOrder: false });
    }),
};

function readHeader(file: InputFile): { tensors: ReadonlyMap<string, unknown>; offset: number } {
  const { path } = file;
  const prefix = Buffer.alloc(LENGTH_BYTES);
  file.read(0, prefix);
  const length = Number(prefix.readBigUInt64LE());
  if (length > LARGEST_HEADER_BYTES || LENGTH_BYTES + length > file.size) {
    throw new InputError(
      path,
      `is truncated: ${file.size} bytes and a header of ${length}`,
      `expected the whole header, of at most ${LARGEST_HEADER_BYTES} bytes`,
      COPY_AGAIN,
    );
  }
  const text = Buffer.alloc(length);
  file.read(LENGTH_BYTES, text);
  let header: unknown;
  try {
    header = JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw malformed(path, `a header that is not JSON (${(error as Error).message})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw malformed(path, 'a header that is no object');
  }
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return { tensors: new Map(tensors), offset: LENGTH_BYTES + length };
}

/** The data ends with the last tensor. */
function requireWhole(path: string, present: number, tensors: ReadonlyMap<string, unknown>): void {
  const ends = [...tensors.values()].map((tensor) => (isTensor(tensor) ? tensor.data_offsets[1] : 0));
  const needed = ends.reduce((last, end) => Math.max(last, end), 0);
  if (present === needed) return;
  throw new InputError(
    path,
    `${present < needed ? 'is truncated' : 'has trailing bytes'}: ${present} bytes of data`,
    `expected ${needed} for its tensors`,
    COPY_AGAIN,
  );
}

function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  return (
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isSize) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isSize) &&
    offsets[0] <= offsets[1]
  );
}

function isMatrix(value: unknown): boolean {
  return isTensor(value) && value.shape.length === 2;
}

function malformed(path: string, found: string): InputError {
  return new InputError(path, `has ${found}`, 'expected a safetensors file', 'write it again with safetensors');
}
