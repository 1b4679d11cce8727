// An array written as text, a row at a time, for small collections: every pass reads and parses the file again.

import { InputError } from '../reader.ts';
import { LINES_BYTES } from '../text-lines.ts';
import { type ArrayFile, bytesOf, type ElementType, MAX_COLUMNS, requireMatrix } from './array.ts';
import { inBlocks } from './blocks.ts';

export interface TextRow {
  /** Where it stands, for messages. */
  readonly place: string;
  readonly values: readonly number[];
}

const LARGEST_ID = 2 ** 32 - 1;

/**
 * Reads the file once to know its shape. Text has no types: numbers are float64, and where whole numbers are wanted, as
 * ids are, uint32.
 */
export async function openText(
  path: string,
  accepted: readonly ElementType[],
  rowsOf: () => AsyncIterable<TextRow>,
): Promise<ArrayFile> {
  const type = accepted.includes('f8') ? 'f8' : 'u4';
  let rows = 0;
  let columns = 0;
  for await (const { place, values } of rowsOf()) {
    if (rows === 0) columns = values.length;
    if (values.length !== columns || columns > MAX_COLUMNS) {
      throw new InputError(
        place,
        `has ${values.length} values`,
        `expected ${Math.min(columns, MAX_COLUMNS)} as in the first row`,
        'write rows of one length',
      );
    }
    if (type === 'u4') requireIds(place, values);
    rows++;
  }
  const shape = { type, ...requireMatrix(path, [rows, rows === 0 ? 1 : columns]) } as const;
  return {
    path,
    ...shape,
    heldBytes: LINES_BYTES + 32 * columns,
    blocks: (rowsPerBlock, firstRow) =>
      inBlocks(path, shape, rowsPerBlock, firstRow, { first: 0, bytes: bytesOfRows(type, rowsOf()) }),
    close: () => {},
  };
}

async function* bytesOfRows(type: 'f8' | 'u4', rows: AsyncIterable<TextRow>): AsyncGenerator<Uint8Array> {
  for await (const { values } of rows) {
    yield bytesOf(type === 'f8' ? Float64Array.from(values) : Uint32Array.from(values));
  }
}

function requireIds(place: string, values: readonly number[]): void {
  const at = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= LARGEST_ID));
  if (at < 0) return;
  throw new InputError(place, `has ${values[at]} in column ${at}`, 'expected whole numbers from 0 on', 'correct it');
}
