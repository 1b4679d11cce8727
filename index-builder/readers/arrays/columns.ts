// Rows of an array that is stored column after column (Fortran order), in bounded memory: a band of rows at a time is
// gathered from all columns, so that every column is read in long pieces and the array is never held whole.

import { allocate, bytesOf, type Elements, elementBytes, type Shape } from './array.ts';

/** Columns whose pieces are turned together: their elements of one row share a cache line or two. */
const TILE_COLUMNS = 16;

/** Reads rows [first, first + count) into `out`, which they fill, row after row. */
export type ReadRows = (first: number, count: number, out: Elements) => void;

/** `read` fills bytes with the stored elements from the `at`-th on. A band takes at most `bandBytes`. */
export function rowsFromColumns(
  { type, rows, columns }: Shape,
  bandBytes: number,
  read: (at: number, out: Uint8Array) => void,
): ReadRows {
  const bandRows = Math.min(rows, Math.max(1, Math.floor(bandBytes / (columns * elementBytes(type)))));
  const band = allocate(type, bandRows * columns);
  const tile = allocate(type, bandRows * Math.min(TILE_COLUMNS, columns));
  let bandFirst = 0;
  let bandCount = 0;

  const load = (first: number): void => {
    bandFirst = first;
    bandCount = Math.min(bandRows, rows - first);
    for (let column = 0; column < columns; column += TILE_COLUMNS) {
      const width = Math.min(TILE_COLUMNS, columns - column);
      for (let c = 0; c < width; c++) {
        const piece = tile.subarray(c * bandCount, (c + 1) * bandCount);
        read((column + c) * rows + first, bytesOf(piece));
      }
      turn(tile, bandCount, width, band, columns, column);
    }
  };

  return (first, count, out) => {
    for (let done = 0; done < count; ) {
      const row = first + done;
      if (row < bandFirst || row >= bandFirst + bandCount) load(row);
      const taken = Math.min(count - done, bandFirst + bandCount - row);
      const from = (row - bandFirst) * columns;
      bytesOf(out).set(bytesOf(band.subarray(from, from + taken * columns)), done * columns * elementBytes(type));
      done += taken;
    }
  };
}

/** Puts `width` columns of `count` elements each to their places in the rows of the band. */
function turn(tile: Elements, count: number, width: number, band: Elements, columns: number, column: number): void {
  for (let row = 0; row < count; row++) {
    const to = row * columns + column;
    for (let c = 0; c < width; c++) band[to + c] = tile[c * count + row] as never;
  }
}
