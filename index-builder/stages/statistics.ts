// What an operator wants to know of the clusters of a modality before serving it.

import type { ModalityManifest } from '../../src/index/format.ts';

type ClusterStatistics = Pick<
  ModalityManifest['statistics'],
  'largest_cluster' | 'empty_clusters' | 'huge_clusters' | 'unreachable_items'
>;

/** Cluster c holds slots starts[c] to starts[c + 1]; those above `sizeLimit` items are the huge ones. */
export function clusterStatistics(starts: Uint32Array, sizeLimit: number): ClusterStatistics {
  let largest = 0;
  let empty = 0;
  let huge = 0;
  let unreachable = 0;
  for (let c = 0; c + 1 < starts.length; c++) {
    const size = (starts[c + 1] as number) - (starts[c] as number);
    largest = Math.max(largest, size);
    if (size === 0) empty++;
    if (size > sizeLimit) {
      huge++;
      unreachable += size;
    }
  }
  return { largest_cluster: largest, empty_clusters: empty, huge_clusters: huge, unreachable_items: unreachable };
}
