// A column of lists of numbers in an Arrow file as an array.

import { type Data, DataType, type Field, Precision } from 'apache-arrow';
import {
  type ArrayBlock,
  type ArrayFile,
  bytesOf,
  type Elements,
  type ElementType,
  requireMatrix,
  requireType,
} from './arrays/array.ts';
import { inBlocks } from './arrays/blocks.ts';
import { chooseNamed } from './arrays/choose.ts';
import { ARROW, ArrowFile } from './arrow-file.ts';
import { decoding } from './decoding.ts';
import { InputError } from './reader.ts';

export function openVectors(path: string, asked: string | undefined, accepted: readonly ElementType[]): ArrayFile {
  const file = new ArrowFile(path);
  try {
    return decoding(path, ARROW, () => vectorsOf(file, asked, accepted));
  } catch (error) {
    file.close();
    throw error;
  }
}

function vectorsOf(file: ArrowFile, asked: string | undefined, accepted: readonly ElementType[]): ArrayFile {
  const { path } = file;
  const fields = new Map(file.schema.fields.map((field) => [field.name, field]));
  const name = chooseNamed(path, 'column', asked, [...fields.keys()], (candidate) => {
    const element = elementOf(fields.get(candidate) as Field);
    return element !== null && typeOf(element) !== undefined;
  });
  const field = fields.get(name) as Field;
  const place = `${path} column '${name}'`;
  const element = elementOf(field);
  if (element === null) {
    throw new InputError(
      place,
      `holds ${field.type}`.slice(0, 100),
      'expected a list of numbers in each row',
      'name another column=',
    );
  }
  const type = requireType(place, typeOf(element), accepted, `lists of ${element}`);
  const first = file.batches[0];
  if (first === undefined) requireMatrix(place, [0, 1]);
  const columns = DataType.isFixedSizeList(field.type)
    ? field.type.listSize
    : lengthOf(listsOf(file, name, 0).starts, 0);
  return new ArrowVectors(file, name, { type, ...requireMatrix(place, [file.rows, columns]) });
}

class ArrowVectors implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes: number;
  readonly #file: ArrowFile;
  readonly #name: string;

  constructor(
    file: ArrowFile,
    name: string,
    { type, rows, columns }: { type: ElementType; rows: number; columns: number },
  ) {
    this.path = file.path;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
    this.heldBytes = file.heldBytes;
    this.#file = file;
    this.#name = name;
  }

  blocks(rowsPerBlock: number, firstRow: number): AsyncIterable<ArrayBlock> {
    const { batches } = this.#file;
    const found = batches.findIndex((batch) => firstRow < batch.firstRow + batch.rows);
    const number = found < 0 ? batches.length : found;
    const place = `${this.path} column '${this.#name}'`;
    const first = batches[number]?.firstRow ?? this.rows;
    return inBlocks(place, this, rowsPerBlock, firstRow, { first, bytes: this.#values(number) });
  }

  close(): void {
    this.#file.close();
  }

  *#values(number: number): Generator<Uint8Array> {
    for (let n = number; n < this.#file.batches.length; n++) {
      const { starts, values, firstRow } = listsOf(this.#file, this.#name, n);
      for (let row = 0; row + 1 < starts.length; row++) {
        const length = lengthOf(starts, row);
        if (length === this.columns) continue;
        throw new InputError(
          `${this.path} row ${firstRow + row}`,
          `column '${this.#name}' has ${length} values`,
          `expected ${this.columns} in every row`,
          'fill or leave out such rows',
        );
      }
      yield bytesOf(values);
    }
  }
}

interface Lists {
  readonly firstRow: number;
  /** Where each begins, and where the last one ends; the first may begin behind 0. */
  readonly starts: Float64Array;
  /** Of all lists, one after the other. */
  readonly values: Elements;
}

/** The lists of a batch; one that is null, or holds a null, is an InputError. */
function listsOf(file: ArrowFile, name: string, number: number): Lists {
  const at = file.batches[number] as ArrowFile['batches'][number];
  const batch = file.read(at);
  return decoding(`${file.path} rows ${at.firstRow} to ${at.firstRow + at.rows - 1}`, ARROW, () => {
    const list = batch.getChild(name)?.data[0] as Data | undefined;
    const items = list?.children[0];
    if (list === undefined || items === undefined) throw new Error(`no column '${name}'`);
    const values = items.values as Elements;
    const starts = startsOf(list, at.rows, values.length);
    requireValid(file, name, list, at.firstRow, (row) => row);
    requireValid(file, name, items, at.firstRow, (item) => starts.findIndex((start) => start > item) - 1);
    return { firstRow: at.firstRow, starts, values: values.subarray(starts[0], starts[at.rows]) };
  });
}

/** Where each list begins among so many values, and where the last one ends. */
function startsOf(list: Data, rows: number, values: number): Float64Array {
  if (DataType.isFixedSizeList(list.type)) {
    const { listSize } = list.type;
    if (rows * listSize > values) throw new Error(`${rows} lists of ${listSize} in ${values} values`);
    return Float64Array.from({ length: rows + 1 }, (_, row) => row * listSize);
  }
  const { valueOffsets } = list;
  if (valueOffsets.length <= rows) throw new Error(`${rows} lists with ${valueOffsets.length} offsets`);
  const starts = new Float64Array(rows + 1);
  for (let row = 0; row <= rows; row++) {
    const start = Number(valueOffsets[row]);
    if (!(start >= (row === 0 ? 0 : (starts[row - 1] as number)) && start <= values)) {
      throw new Error(`a list from ${start} on, of ${values} values`);
    }
    starts[row] = start;
  }
  return starts;
}

function lengthOf(starts: Float64Array, row: number): number {
  return (starts[row + 1] as number) - (starts[row] as number);
}

function requireValid(
  file: ArrowFile,
  name: string,
  data: Data,
  firstRow: number,
  rowOf: (index: number) => number,
): void {
  if (data.nullCount === 0) return;
  for (let index = 0; index < data.length; index++) {
    if (data.getValid(index)) continue;
    throw new InputError(
      `${file.path} row ${firstRow + rowOf(index)}`,
      `column '${name}' is null or has a null`,
      'expected a list of numbers in every row',
      'fill or leave out such rows',
    );
  }
}

/** What the lists of a column hold; null for other columns. */
function elementOf({ type }: Field): DataType | null {
  const isList = DataType.isFixedSizeList(type) || DataType.isList(type) || DataType.isLargeList(type);
  return isList ? (type.children?.[0]?.type ?? null) : null;
}

function typeOf(type: DataType): ElementType | undefined {
  if (DataType.isFloat(type)) {
    return ({ [Precision.HALF]: 'f2', [Precision.SINGLE]: 'f4', [Precision.DOUBLE]: 'f8' } as const)[type.precision];
  }
  if (DataType.isInt(type)) return `${type.isSigned ? 'i' : 'u'}${type.bitWidth / 8}` as ElementType;
  return undefined;
}
