// The shape of an eCP hierarchy (Exquisitor §3.2): how many clusters, and how many nodes on each level above them.

/** Each level holds this share of the level below. */
const LEVEL_SHARE = 0.01;
/** Fewer clusters are not grouped. Their representatives are read in some tenths of a millisecond, long dense ones in more. */
const LEAST_GROUPED = { sparse: 200_000, dense: 50_000 };
/** Clusters per group asked for; over-full groups are divided, so that there are up to three times as many. */
const GROUP_CLUSTERS = { sparse: 256, dense: 128 };
/** A level with fewer nodes than this is the root. */
const ROOT_NODES = 100;

/** Clusters of `clusterSize` items on average; at least one. */
export function clusterCount(items: number, clusterSize: number): number {
  return Math.max(1, Math.round(items / clusterSize));
}

/** Groups that clusters are divided into to begin with, when nothing else is asked for. */
export function defaultGroups(clusters: number, kind: 'sparse' | 'dense'): number {
  return clusters < LEAST_GROUPED[kind] ? 0 : Math.round(clusters / GROUP_CLUSTERS[kind]);
}

/** Nodes per level from `clusters` at the bottom up to a root of fewer than 100. */
export function levelSizes(clusters: number): number[] {
  const sizes = [clusters];
  for (let size = clusters; size >= ROOT_NODES; ) {
    size = Math.max(1, Math.round(size * LEVEL_SHARE));
    sizes.push(size);
  }
  return sizes;
}

/**
 * Clusters with more items are omitted from a round: 1 % of the collection, as the papers do at 100 million items, and
 * never less than ten clusters' worth, below which one per cent would call ordinary clusters huge.
 */
export function sizeLimit(items: number, clusterSize: number): number {
  return Math.max(Math.floor(items * LEVEL_SHARE), 10 * clusterSize);
}
