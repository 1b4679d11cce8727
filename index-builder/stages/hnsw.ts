// Assignment through an HNSW graph over the representatives: the only file that knows hnswlib-node.

import hnswlib from 'hnswlib-node';
import type { Assigner, Representatives, Space } from '../../src/codecs/codec.ts';

const LINKS = 16;
const BUILD_EFFORT = 200;
const SEARCH_EFFORT = 64;

/** The nearest representative of every row, as HNSW finds it; distances are left as they are. */
export function hnswAssigner(
  space: Pick<Space, 'dims' | 'dense'>,
  representatives: Representatives,
  seed: number,
): Assigner {
  const graph = new hnswlib.HierarchicalNSW('l2', space.dims);
  graph.initIndex(representatives.count, LINKS, BUILD_EFFORT, seed % 2 ** 31);
  for (let number = 0; number < representatives.count; number++) {
    graph.addPoint(space.dense(representatives, number), number);
  }
  graph.setEf(SEARCH_EFFORT);
  return {
    assign: (rows, nearest) => {
      for (let row = 0; row < rows.count; row++) {
        nearest[row] = graph.searchKnn(rows.dense(row), 1).neighbors[0] as number;
      }
    },
    // The library frees a graph with its object only.
    release: () => {},
  };
}
