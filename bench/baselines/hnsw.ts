// hnswlib-node: for a linear model, the farthest items on the positive side are maximum inner product search with its
// weight vector. The graph takes minutes on some collections, so it is kept in a file.

import { existsSync } from 'node:fs';
import hnswlib from 'hnswlib-node';
import type { Baseline, PlainVectors } from './baseline.ts';

const LINKS = 16;
const BUILD_EFFORT = 200;

/** One graph over the vectors (made unless `file` holds it), searched at each effort (`ef`). */
export function hnswBaselines(vectors: PlainVectors, efforts: readonly number[], file: string): readonly Baseline[] {
  const graph = new hnswlib.HierarchicalNSW('ip', vectors.dims);
  if (existsSync(file)) {
    graph.readIndexSync(file);
  } else {
    graph.initIndex(vectors.rows, LINKS, BUILD_EFFORT, 0);
    for (let row = 0; row < vectors.rows; row++) graph.addPoint(denseRow(vectors, row), row);
    graph.writeIndexSync(file);
  }
  return efforts.map((effort) => ({
    name: `hnswlib-node ef=${effort}`,
    search(model, k) {
      graph.setEf(Math.max(effort, k));
      return Uint32Array.from(graph.searchKnn(Array.from(model.weights), k).neighbors);
    },
  }));
}

function denseRow({ dims, perRow, ids, values }: PlainVectors, row: number): number[] {
  const own = values.subarray(row * perRow, (row + 1) * perRow);
  if (ids === null) return Array.from(own);
  const dense = new Array<number>(dims).fill(0);
  own.forEach((value, j) => {
    if (value !== 0) dense[ids[row * perRow + j] as number] = value;
  });
  return dense;
}
