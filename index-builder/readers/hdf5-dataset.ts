// A dataset of an HDF5 file, through h5wasm (the HDF5 library in WebAssembly). Slices are read with the library's own
// call: h5wasm's Dataset.slice() does not know float16, and hands out memory that was never filled when a read fails. A file
// that could not be read stays open in the library until the process ends.

import { type Dataset, File, type Filter, type Metadata, ready } from 'h5wasm/node';
import {
  type ArrayBlock,
  type ArrayFile,
  type ElementType,
  elementBytes,
  requireMatrix,
  requireType,
} from './arrays/array.ts';
import { inBlocks } from './arrays/blocks.ts';
import { chooseNamed } from './arrays/choose.ts';
import { decoding } from './decoding.ts';
import { InputError, rowRanges } from './reader.ts';

const FORMAT = 'HDF5';
/** Rows that are read together: as many whole chunks as fit. */
const SLAB_BYTES = 2 ** 25;
/** The library, with a slab inside and one outside. */
const HELD_BYTES = 2 ** 26 + 2 * SLAB_BYTES;

/** The library's classes of types. */
const INTEGER = 0;
const FLOAT = 1;

/** deflate, shuffle, fletcher32, szip, nbit and scale-offset; those above are plug-ins. */
const LAST_FILTER = 6;

const module = await ready;
// Without this the library prints what went wrong and goes on.
module.activate_throwing_error_handler();

export function openDataset(path: string, asked: string | undefined, accepted: readonly ElementType[]): ArrayFile {
  const file = decoding(path, FORMAT, () => explained(() => new File(path, 'r')));
  try {
    const names = decoding(path, FORMAT, () => explained(() => datasetsOf(file)));
    const name = chooseNamed(path, 'dataset', asked?.replace(/^\//, ''), [...names.keys()], (candidate) =>
      isMatrix(names.get(candidate) as Metadata),
    );
    const metadata = names.get(name) as Metadata;
    const place = `${path} dataset '${name}'`;
    const type = requireType(place, typeOf(metadata), accepted, describe(metadata));
    const shape = { type, ...requireMatrix(place, metadata.shape ?? []) };
    requireFilters(
      place,
      decoding(path, FORMAT, () => explained(() => filtersOf(file, name))),
    );
    return new Hdf5Dataset(path, file, `/${name}`, shape, metadata.chunks?.[0] ?? 1);
  } catch (error) {
    file.close();
    throw error;
  }
}

class Hdf5Dataset implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes = HELD_BYTES;
  readonly #file: File;
  readonly #name: string;
  readonly #chunkRows: number;
  #closed = false;

  constructor(
    path: string,
    file: File,
    name: string,
    { type, rows, columns }: { type: ElementType; rows: number; columns: number },
    chunkRows: number,
  ) {
    this.path = path;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
    this.#file = file;
    this.#name = name;
    this.#chunkRows = chunkRows;
  }

  blocks(rowsPerBlock: number, firstRow: number): AsyncIterable<ArrayBlock> {
    const rowBytes = this.columns * elementBytes(this.type);
    const fitting = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
    const slabRows = fitting - (fitting > this.#chunkRows ? fitting % this.#chunkRows : 0);
    const first = firstRow - (firstRow % slabRows);
    return inBlocks(`${this.path} dataset '${this.#name.slice(1)}'`, this, rowsPerBlock, firstRow, {
      first,
      bytes: this.#slabs(slabRows, first),
    });
  }

  close(): void {
    if (!this.#closed) this.#file.close();
    this.#closed = true;
  }

  *#slabs(slabRows: number, firstRow: number): Generator<Uint8Array> {
    for (const { first, count } of rowRanges(this.rows, slabRows, firstRow)) {
      if (this.#closed) throw new Error(`${this.path} is closed`);
      yield decoding(`${this.path} rows ${first} to ${first + count - 1}`, FORMAT, () =>
        explained(() => this.#read(first, count)),
      );
    }
  }

  /** In this machine's byte order, whatever the file's. */
  #read(first: number, count: number): Uint8Array {
    const bytes = count * this.columns * elementBytes(this.type);
    const pointer = module._malloc(bytes);
    if (pointer === 0) throw new Error(`no room for ${bytes} bytes`);
    try {
      const status = module.get_dataset_data(
        this.#file.file_id,
        this.#name,
        [BigInt(count), BigInt(this.columns)],
        [BigInt(first), 0n],
        [1n, 1n],
        BigInt(pointer),
      );
      if (status < 0) throw new Error(`status ${status}`);
      return module.HEAPU8.slice(pointer, pointer + bytes);
    } finally {
      module._free(pointer);
    }
  }
}

/** Datasets of all groups by their path without the leading slash. */
function datasetsOf(file: File): ReadonlyMap<string, Metadata> {
  const found = new Map<string, Metadata>();
  for (const path of file.paths()) {
    const entity = file.get(path);
    if (entity !== null && 'metadata' in entity && entity.type === 'Dataset') {
      found.set(path, (entity as Dataset).metadata);
    }
  }
  return found;
}

function filtersOf(file: File, name: string): readonly Filter[] {
  return (file.get(name) as Dataset).filters;
}

function requireFilters(place: string, filters: readonly Filter[]): void {
  const unknown = filters.find(({ id }) => id > LAST_FILTER);
  if (unknown === undefined) return;
  throw new InputError(
    place,
    `is compressed with the filter '${unknown.name}' (${unknown.id})`,
    'expected gzip, shuffle or another of the filters that are part of HDF5',
    "write it with compression='gzip'",
  );
}

function isMatrix(metadata: Metadata): boolean {
  return metadata.shape?.length === 2 && typeOf(metadata) !== undefined;
}

function typeOf({ type, size, signed, vlen, array_type: array }: Metadata): ElementType | undefined {
  if (vlen || array !== undefined) return undefined;
  if (type === FLOAT) return ({ 2: 'f2', 4: 'f4', 8: 'f8' } as const)[size];
  if (type !== INTEGER) return undefined;
  return signed
    ? ({ 1: 'i1', 2: 'i2', 4: 'i4', 8: 'i8' } as const)[size]
    : ({ 1: 'u1', 2: 'u2', 4: 'u4', 8: 'u8' } as const)[size];
}

function describe({ type, size, signed }: Metadata): string {
  if (type === FLOAT) return `floats of ${size} bytes`;
  if (type === INTEGER) return `${signed ? 'signed' : 'unsigned'} integers of ${size} bytes`;
  return `elements of HDF5 class ${type}`;
}

/** The library's error is its whole call stack, the cause last: `#007: file line 12 in function(): cause`. */
function explained<Result>(step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    const { message = String(error) } = error as Error;
    const causes = [...message.matchAll(/^ +#\d+: .*?\(\): (.*)$/gm)];
    throw new Error(causes.at(-1)?.[1] ?? message);
  }
}
