// Assignment through an HNSW graph over the representatives: the only file that knows hnswlib-node.

import hnswlib from 'hnswlib-node';
import type { EncodedRows, Representatives } from '../../src/codecs/codec.ts';

const LINKS = 16;
const BUILD_EFFORT = 200;
const SEARCH_EFFORT = 64;

/** What the graph needs of the rows. */
export type PlainRows = Pick<EncodedRows, 'rows' | 'dims' | 'denseRepresentative' | 'denseRow'>;

/** The nearest representative of every row, as HNSW finds it. */
export function nearestByHnsw(rows: PlainRows, representatives: Representatives, seed: number): Uint32Array {
  const graph = new hnswlib.HierarchicalNSW('l2', rows.dims);
  graph.initIndex(representatives.count, LINKS, BUILD_EFFORT, seed % 2 ** 31);
  for (let number = 0; number < representatives.count; number++) {
    graph.addPoint(rows.denseRepresentative(representatives, number), number);
  }
  graph.setEf(SEARCH_EFFORT);
  const nearest = new Uint32Array(rows.rows);
  for (let row = 0; row < rows.rows; row++) {
    nearest[row] = graph.searchKnn(rows.denseRow(row), 1).neighbors[0] as number;
  }
  return nearest;
}
