// A Parquet column of lists of numbers as an array: every list has the length of the first, and nothing is null.

import type { SchemaElement } from 'hyparquet';
import {
  type ArrayBlock,
  type ArrayFile,
  allocate,
  bytesOf,
  type Elements,
  type ElementType,
  requireMatrix,
  requireType,
} from './arrays/array.ts';
import { inBlocks } from './arrays/blocks.ts';
import { chooseNamed } from './arrays/choose.ts';
import { decoding } from './decoding.ts';
import { PARQUET, type ParquetColumn, ParquetFile } from './parquet-file.ts';
import type { Page, Values } from './parquet-page.ts';
import { InputError } from './reader.ts';

/** A page while it is decoded: its bytes, what they inflate to, values and levels. */
const PAGE_FORMS = 4;
/** The decompressors' own. */
const DECODER_BYTES = 2 ** 24;

export function openVectors(path: string, asked: string | undefined, accepted: readonly ElementType[]): ArrayFile {
  const file = new ParquetFile(path);
  try {
    const lists = new Map(file.columns.map((column) => [column.name, column]));
    const name = chooseNamed(path, 'column', asked, [...lists.keys()], (candidate) => {
      const column = lists.get(candidate) as ParquetColumn;
      return column.nesting === 'list' && typeOf(column.element) !== undefined;
    });
    const column = lists.get(name) as ParquetColumn;
    const place = `${path} column '${name}'`;
    if (column.nesting !== 'list') {
      throw new InputError(
        place,
        column.nesting === 'value' ? 'holds single values' : 'is nested',
        'expected a list of numbers in each row',
        'name another column=',
      );
    }
    const type = requireType(place, typeOf(column.element), accepted, `lists of ${describe(column.element)}`);
    if (file.rows === 0) requireMatrix(place, [0, 1]);
    const { length, pageBytes } = firstRow(place, file, column);
    const shape = { type, ...requireMatrix(place, [file.rows, length]) };
    return new ParquetVectors(file, column, shape, DECODER_BYTES + PAGE_FORMS * pageBytes);
  } catch (error) {
    file.close();
    throw error;
  }
}

class ParquetVectors implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes: number;
  readonly #file: ParquetFile;
  readonly #column: ParquetColumn;

  constructor(
    file: ParquetFile,
    column: ParquetColumn,
    { type, rows, columns }: { type: ElementType; rows: number; columns: number },
    heldBytes: number,
  ) {
    this.path = file.path;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
    this.heldBytes = heldBytes;
    this.#file = file;
    this.#column = column;
  }

  blocks(rowsPerBlock: number, firstRow: number): AsyncIterable<ArrayBlock> {
    const { groups } = this.#file;
    let group = 0;
    let first = 0;
    while (group < groups.length && first + Number(groups[group]?.num_rows) <= firstRow) {
      first += Number(groups[group++]?.num_rows);
    }
    const place = `${this.path} column '${this.#column.name}'`;
    return inBlocks(place, this, rowsPerBlock, firstRow, { first, bytes: this.#values(group, first) });
  }

  close(): void {
    this.#file.close();
  }

  *#values(group: number, first: number): Generator<Uint8Array> {
    let row = first;
    for (let g = group; g < this.#file.groups.length; g++) {
      const rows = Number(this.#file.groups[g]?.num_rows);
      const check = new RowCheck(this.path, this.#column, this.columns, row);
      for (const page of this.#file.pages(this.#column, g)) {
        check.add(page);
        yield bytesOf(decoding(this.path, PARQUET, () => elementsOf(page.values, this.type)));
      }
      check.finish(rows);
      row += rows;
    }
  }
}

/** That the rows of a group are lists of the same length without nulls; a row may go on from one page to the next. */
class RowCheck {
  readonly #path: string;
  readonly #column: ParquetColumn;
  readonly #length: number;
  readonly #firstRow: number;
  #begun = 0;
  #seen = 0;

  constructor(path: string, column: ParquetColumn, length: number, firstRow: number) {
    this.#path = path;
    this.#column = column;
    this.#length = length;
    this.#firstRow = firstRow;
  }

  add({ levels, definition, repetition }: Page): void {
    for (let i = 0; i < levels; i++) {
      if (repetition === null || repetition[i] === 0) {
        this.#finishRow();
        this.#begun++;
        this.#seen = 0;
      }
      if (definition !== null && (definition[i] as number) < this.#column.maxDefinition) throw this.#missing();
      this.#seen++;
    }
  }

  finish(rows: number): void {
    this.#finishRow();
    if (this.#begun === rows) return;
    throw new InputError(
      `${this.#path} column '${this.#column.name}'`,
      `has ${this.#begun} lists in the row group from row ${this.#firstRow} on`,
      `expected ${rows}`,
      'copy or write the file again',
    );
  }

  #finishRow(): void {
    if (this.#begun === 0 ? this.#seen === 0 : this.#seen === this.#length) return;
    throw this.#fault(`has ${this.#seen} values`);
  }

  #missing(): InputError {
    return this.#fault(this.#seen === 0 ? 'is null or empty, or begins with a null' : `has a null at ${this.#seen}`);
  }

  #fault(found: string): InputError {
    return new InputError(
      `${this.#path} row ${this.#firstRow + this.#begun - 1}`,
      `column '${this.#column.name}' ${found}`,
      `expected ${this.#length} numbers in every row`,
      'fill or leave out such rows',
    );
  }
}

/** How long the first list is, and how large the first pages are. */
function firstRow(place: string, file: ParquetFile, column: ParquetColumn): { length: number; pageBytes: number } {
  const group = file.groups.findIndex(({ num_rows: rows }) => Number(rows) > 0);
  let length = 0;
  let pageBytes = 0;
  for (const page of file.pages(column, group)) {
    const { repetition, definition, levels, bytes } = page;
    pageBytes = Math.max(pageBytes, bytes);
    for (let i = 0; i < levels; i++) {
      if (length > 0 && repetition?.[i] === 0) return { length, pageBytes };
      if (definition !== null && (definition[i] as number) < column.maxDefinition) {
        throw new InputError(
          `${file.path} row 0`,
          `column '${column.name}' is null or empty, or has a null`,
          'expected a list of numbers in every row',
          'fill or leave out such rows',
        );
      }
      length++;
    }
  }
  if (length === 0) throw new InputError(place, 'has no values', 'expected a list in every row', 'write it again');
  return { length, pageBytes };
}

function typeOf({ type, type_length: size, converted_type: old, logical_type: logical }: SchemaElement) {
  if (type === 'FLOAT') return 'f4';
  if (type === 'DOUBLE') return 'f8';
  if (type === 'FIXED_LEN_BYTE_ARRAY') return logical?.type === 'FLOAT16' && size === 2 ? 'f2' : undefined;
  if (type !== 'INT32' && type !== 'INT64') return undefined;
  if (logical !== undefined && logical.type !== 'INTEGER') return undefined;
  const width = logical?.type === 'INTEGER' ? logical.bitWidth : Number(/^U?INT_(\d+)$/.exec(old ?? '')?.[1] ?? 0);
  const signed = logical?.type === 'INTEGER' ? logical.isSigned : !old?.startsWith('U');
  if (old !== undefined && width === 0) return undefined;
  const bits = width || (type === 'INT32' ? 32 : 64);
  return `${signed ? 'i' : 'u'}${bits / 8}` as ElementType;
}

function describe({ type, converted_type: converted, logical_type: logical }: SchemaElement): string {
  return `${logical?.type ?? converted ?? type}`.toLowerCase();
}

/** Values as they are stored, as elements of the type they stand for. */
function elementsOf(values: Values, type: ElementType): Elements {
  const elements = allocate(type, values.length);
  if (type === 'f2') {
    const bytes = bytesOf(elements);
    for (let i = 0; i < values.length; i++) bytes.set(values[i] as Uint8Array, 2 * i);
    return elements;
  }
  if (values.constructor === elements.constructor) return values as Elements;
  elements.set(values as never);
  return elements;
}
