// Everything that an iterator or a reader gives.

import type { SparseChunk, VectorReader } from '../../index-builder/readers/reader.ts';

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Ids and values of a sparse reader, one row behind the other. */
export async function sparseRows(
  reader: VectorReader,
  rowsPerChunk: number,
): Promise<{ ids: number[]; values: number[] }> {
  const all: { ids: number[]; values: number[] } = { ids: [], values: [] };
  for await (const chunk of reader.chunks(rowsPerChunk)) {
    all.ids.push(...(chunk as SparseChunk).ids);
    all.values.push(...chunk.values);
  }
  return all;
}
