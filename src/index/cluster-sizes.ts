// How even the clusters of a modality are: a round that reads b of them costs what these sizes say.

import type { ClusterSizes } from './format.ts';

/** Cluster c holds slots starts[c] to starts[c + 1]. */
export function clusterSizes(starts: Uint32Array): ClusterSizes {
  const sizes = Uint32Array.from(starts.subarray(1), (end, c) => end - (starts[c] as number)).sort();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const mean = total / sizes.length;
  const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length;
  const quantile = (share: number): number => sizes[Math.ceil(share * sizes.length) - 1] as number;
  const largest = sizes.at(-1) as number;
  // Gini's coefficient of ascending values x_1 … x_n: sum of (2 i - n - 1) x_i over n times their sum.
  const ranked = sizes.reduce((sum, size, i) => sum + (2 * i + 1 - sizes.length) * size, 0);
  return {
    mean,
    deviation: Math.sqrt(variance),
    quantiles: { p1: quantile(0.01), p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) },
    largest,
    largest_to_mean: largest / mean,
    gini: ranked / (sizes.length * total),
  };
}
