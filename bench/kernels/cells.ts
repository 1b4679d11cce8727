// Codes as a modality: items lie in slot order, in clusters of equal size.

import { native } from '../../src/native.ts';
import type { CellsHandle } from '../../src/native-types.ts';
import { ascending } from './line.ts';
import type { RandomCodes } from './random-codes.ts';

/** `items` is a multiple of `each`, the items of a cluster; representatives are of the same codec. */
export function cellsOf(codes: RandomCodes, items: number, each: number): CellsHandle {
  const clusters = items / each;
  const opened = codes.open(items);
  const representatives = each === 1 ? opened : codes.open(clusters);
  const bytes = new Uint8Array(native.packedBytes(items, items));
  native.packNumbers(ascending(items), items, bytes);
  const inOrder = native.memorySection(bytes);
  const starts = ascending(clusters + 1);
  for (let cluster = 0; cluster < starts.length; cluster++) starts[cluster] = cluster * each;
  const startsOf = native.memorySection(new Uint8Array(starts.buffer));
  return native.openCells(opened, representatives, null, inOrder, inOrder, startsOf);
}
