// Grouping rows by cluster: counting sorts, so that rows stay ascending within a cluster.

/** Cluster c holds rows order[starts[c]] to order[starts[c + 1]]. */
export function groupRows(nearest: Uint32Array, clusters: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = startsOf(nearest, clusters);
  const next = starts.slice();
  const order = new Uint32Array(nearest.length);
  for (let row = 0; row < nearest.length; row++) {
    const cluster = nearest[row] as number;
    order[next[cluster] as number] = row;
    (next[cluster] as number)++;
  }
  return { order, starts };
}

/** Clusters that have rows, renumbered in order. */
export interface OccupiedClusters {
  /** Their numbers before. */
  readonly kept: Uint32Array;
  readonly starts: Uint32Array;
}

/** Turns the cluster of each row into its slot, in place. */
export function slotsInPlace(nearest: Uint32Array, clusters: number): OccupiedClusters {
  const all = startsOf(nearest, clusters);
  const next = all.slice();
  for (let row = 0; row < nearest.length; row++) {
    const cluster = nearest[row] as number;
    nearest[row] = next[cluster] as number;
    (next[cluster] as number)++;
  }
  const kept = new Uint32Array(clusters);
  const starts = new Uint32Array(clusters + 1);
  let count = 0;
  for (let c = 0; c < clusters; c++) {
    if (all[c] === all[c + 1]) continue;
    kept[count++] = c;
    starts[count] = all[c + 1] as number;
  }
  return { kept: kept.slice(0, count), starts: starts.slice(0, count + 1) };
}

/** The row of each slot, from the slot of each row. */
export function inverse(slots: Uint32Array): Uint32Array {
  const rows = new Uint32Array(slots.length);
  for (let row = 0; row < slots.length; row++) rows[slots[row] as number] = row;
  return rows;
}

function startsOf(nearest: Uint32Array, clusters: number): Uint32Array {
  const starts = new Uint32Array(clusters + 1);
  for (let row = 0; row < nearest.length; row++) (starts[(nearest[row] as number) + 1] as number)++;
  for (let c = 0; c < clusters; c++) (starts[c + 1] as number) += starts[c] as number;
  return starts;
}
