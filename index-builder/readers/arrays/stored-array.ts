// An array that lies in a file as it lies in memory: in rows or in columns, in either byte order. Rows are read where
// they are.

import type { InputFile } from '../input-file.ts';
import { InputError, rowRanges } from '../reader.ts';
import {
  type ArrayBlock,
  type ArrayFile,
  allocate,
  bytesOf,
  ELEMENTS,
  type Elements,
  type ElementType,
  elementBytes,
  type Shape,
} from './array.ts';
import { type ReadRows, rowsFromColumns } from './columns.ts';

export interface Layout extends Shape {
  /** Where the first element is. */
  readonly offset: number;
  readonly bigEndian: boolean;
  /** Fortran order: column after column. */
  readonly columnOrder: boolean;
}

export class StoredArray implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes: number;
  readonly #file: InputFile;
  readonly #layout: Layout;

  /** Owns the file from now on. Its size must have been checked, see requireBytes. */
  constructor(file: InputFile, layout: Layout, path = file.path) {
    this.type = layout.type;
    this.rows = layout.rows;
    this.columns = layout.columns;
    this.path = path;
    this.heldBytes = layout.columnOrder ? COLUMN_ORDER_BYTES : 0;
    this.#file = file;
    this.#layout = layout;
  }

  async *blocks(rowsPerBlock: number, firstRow: number): AsyncGenerator<ArrayBlock> {
    const elements = this.allocate(Math.min(rowsPerBlock, this.rows));
    const readRows = this.#rowReader();
    for (const { first, count } of rowRanges(this.rows, rowsPerBlock, firstRow)) {
      const part = elements.subarray(0, count * this.columns);
      readRows(first, count, part);
      yield { first, count, elements: part };
    }
  }

  /** Room for `rows` rows of this array. */
  allocate(rows: number): Elements {
    return allocate(this.type, rows * this.columns);
  }

  /** Reads rows [first, first + count) to the start of what `allocate` gave, and returns that part of it. */
  read(first: number, count: number, elements: Elements): Elements {
    const part = elements.subarray(0, count * this.columns);
    this.#rowReader()(first, count, part);
    return part;
  }

  close(): void {
    this.#file.close();
  }

  #rowReader(): ReadRows {
    const { columns } = this;
    if (!this.#layout.columnOrder) return (first, _count, out) => this.#read(first * columns, bytesOf(out));
    return rowsFromColumns(this.#layout, COLUMN_ORDER_BYTES, (at, out) => this.#read(at, out));
  }

  /** Elements from the `at`-th on, in this machine's byte order. */
  #read(at: number, out: Uint8Array): void {
    const { offset, type, bigEndian } = this.#layout;
    const bytes = elementBytes(type);
    this.#file.read(offset + at * bytes, out);
    if (!bigEndian || bytes === 1) return;
    const swapped = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
    if (bytes === 2) swapped.swap16();
    else if (bytes === 4) swapped.swap32();
    else swapped.swap64();
  }
}

/** Rows that are turned from columns together: large enough that each column is read in pieces of some kilobytes. */
const COLUMN_ORDER_BYTES = 2 ** 26;

/** The data must be exactly what the shape needs. Only rows that follow one another end in one of them. */
export function requireBytes(
  path: string,
  present: number,
  { type, rows, columns, columnOrder = false }: Shape & Partial<Pick<Layout, 'columnOrder'>>,
  remedy: string,
): void {
  const rowBytes = columns * elementBytes(type);
  const needed = rows * rowBytes;
  if (present === needed) return;
  const cut = columnOrder ? '' : `, which end in row ${Math.floor(present / rowBytes)}`;
  throw new InputError(
    path,
    present < needed ? `is truncated: ${present} bytes of data${cut}` : `has trailing bytes: ${present} bytes of data`,
    `expected ${needed} for ${rows} x ${columns} ${ELEMENTS[type].name}`,
    present < needed ? 'copy or write the file again' : remedy,
  );
}
