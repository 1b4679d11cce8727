// Blocks of whole rows out of pieces of any length: for formats that can only be read from some row on, in pieces of
// their own.

import { InputError, rowRanges } from '../reader.ts';
import { type ArrayBlock, allocate, bytesOf, elementBytes, type Shape } from './array.ts';

/** The bytes of elements, row after row, from the start of row `first` on. */
export interface Pieces {
  readonly first: number;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** `first` of the pieces is at most `firstRow`; what comes before that row is passed over. */
export async function* inBlocks(
  path: string,
  { type, rows, columns }: Shape,
  rowsPerBlock: number,
  firstRow: number,
  pieces: Pieces,
): AsyncGenerator<ArrayBlock> {
  const rowBytes = columns * elementBytes(type);
  const elements = allocate(type, Math.min(rowsPerBlock, rows) * columns);
  const all = bytesOf(elements);
  const ranges = rowRanges(rows, rowsPerBlock, firstRow);
  let range = ranges.next();
  let skip = (firstRow - pieces.first) * rowBytes;
  let filled = 0;
  for await (const piece of pieces.bytes) {
    if (skip >= piece.length) {
      skip -= piece.length;
      continue;
    }
    let rest = piece.subarray(skip);
    skip = 0;
    while (rest.length > 0) {
      if (range.done === true) throw excess(path, rows);
      const { first, count } = range.value;
      const taken = Math.min(rest.length, count * rowBytes - filled);
      all.set(rest.subarray(0, taken), filled);
      rest = rest.subarray(taken);
      filled += taken;
      if (filled < count * rowBytes) continue;
      filled = 0;
      yield { first, count, elements: elements.subarray(0, count * columns) };
      range = ranges.next();
    }
  }
  if (range.done === true) return;
  throw new InputError(
    path,
    `ends in row ${range.value.first + Math.floor(filled / rowBytes)}`,
    `expected ${rows} rows of ${columns} values`,
    'copy or write the file again',
  );
}

function excess(path: string, rows: number): InputError {
  return new InputError(
    path,
    `has more than ${rows} rows of data`,
    'expected as many as it says it has',
    'write it again',
  );
}
