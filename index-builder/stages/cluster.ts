// Clusters of one modality (Exquisitor §3.2): seeded random representatives, every item with the nearest one, then
// Lloyd passes that move representatives to the mean of their cluster, the last of which splits over-full clusters.

import type { EncodedRows, Representatives, Spread } from '../../src/codecs/codec.ts';
import { clusterCount, levelSizes } from '../../src/index/ecp.ts';
import type { Tree } from '../../src/native.ts';
import { type Random, sampleAscending, seededRandom } from '../../src/random.ts';
import { nearestByHnsw } from './hnsw.ts';

export type Assign = 'exact' | 'tree' | 'hnsw';

export interface ClusterOptions {
  readonly seed: number;
  /** Names this modality's random stream. */
  readonly stream: string;
  readonly clusterSize: number;
  readonly assign: Assign;
  /** Lloyd passes; 0 is the papers' form. */
  readonly refine: number;
  readonly threads: number;
}

/** eCP's levels above the representatives, bottom up; see native/src/assign.h. */
export type Levels = Omit<Tree, 'beam'>;

export interface Clustering {
  readonly representatives: Representatives;
  /** Of refined clusters; null in the papers' form, which chooses clusters by their representative alone. */
  readonly spread: Spread | null;
  /** Rows in cluster order, ascending within a cluster. */
  readonly order: Uint32Array;
  /** Cluster c holds order[starts[c] … starts[c + 1]). */
  readonly starts: Uint32Array;
  readonly levels: Levels;
  /** Share of sampled rows whose cluster is the exactly nearest one. */
  readonly agreement: number;
}

/** Clusters of more than this many times the wanted size are split before the last pass. */
const OVERFULL = 4;
/** Nodes kept per level on the way down the tree; see bench/assign.bench.ts. */
const BEAM = 8;
const AGREEMENT_SAMPLE = 1000;

export function clusterRows(
  rows: EncodedRows,
  options: ClusterOptions,
  onPass: (pass: number, passes: number) => void,
): Clustering {
  const random = seededRandom(options.seed, `clusters of ${options.stream}`);
  const assign = assigner(rows, options, random);
  let representatives = rows.take(sampleAscending(random, clusterCount(rows.rows, options.clusterSize), rows.rows));
  let nearest = assign(representatives);
  onPass(0, options.refine);
  for (let pass = 1; pass <= options.refine; pass++) {
    const { order, starts } = grouped(nearest, representatives.count);
    representatives = rows.means(order, starts, representatives, options.threads);
    if (pass === options.refine) {
      const extra = splitters(rows, order, starts, options.clusterSize, random);
      if (extra.length > 0) representatives = rows.join(representatives, rows.take(extra));
    }
    nearest = assign(representatives);
    onPass(pass, options.refine);
  }
  const agreement = options.assign === 'exact' ? 1 : agreementWith(rows, nearest, representatives, random, options);

  // Empty clusters go; what was refined is chosen by the mean and variance of its final members.
  const kept = occupied(nearest, representatives.count);
  representatives = rows.pick(representatives, kept);
  const renumbered = new Uint32Array(Math.max(1, (kept.at(-1) ?? 0) + 1));
  kept.forEach((cluster, number) => {
    renumbered[cluster] = number;
  });
  const { order, starts } = grouped(
    nearest.map((cluster) => renumbered[cluster] as number),
    representatives.count,
  );
  const refined = options.refine > 0;
  if (refined) representatives = rows.means(order, starts, representatives, options.threads);
  return {
    representatives,
    spread: refined ? rows.spread(order, starts, options.threads) : null,
    order,
    starts,
    levels: levelsOver(rows, representatives, random, options),
    agreement,
  };
}

/** The way items find their representative. */
function assigner(
  rows: EncodedRows,
  options: ClusterOptions,
  random: Random,
): (representatives: Representatives) => Uint32Array {
  return (representatives) => {
    if (options.assign === 'hnsw') return nearestByHnsw(rows, representatives, options.seed);
    const nearest = new Uint32Array(rows.rows);
    const levels = options.assign === 'tree' ? levelsOver(rows, representatives, random, options) : null;
    const tree = levels !== null && levels.levelSizes.length > 1 ? { ...levels, beam: BEAM } : null;
    rows.nearest(representatives, tree, options.threads, nearest, new Float32Array(rows.rows));
    return nearest;
  };
}

/** Each level a random 1 % of the level below, every node linked to its nearest parent. */
function levelsOver(
  rows: EncodedRows,
  representatives: Representatives,
  random: Random,
  options: ClusterOptions,
): Levels {
  const sizes = levelSizes(representatives.count);
  const nodes: number[] = [];
  const parents: number[] = [];
  let below = Uint32Array.from({ length: representatives.count }, (_, number) => number);
  for (const size of sizes.slice(1)) {
    const chosen = sampleAscending(random, size, below.length).map((i) => below[i] as number);
    const lower = rows.pick(representatives, below);
    for (const parent of rows.parents(lower, rows.pick(representatives, chosen), options.threads)) parents.push(parent);
    for (const node of chosen) nodes.push(node);
    below = chosen;
  }
  return { levelSizes: Uint32Array.from(sizes), nodes: Uint32Array.from(nodes), parents: Uint32Array.from(parents) };
}

/** Rows in cluster order by counting sort, so ascending within a cluster. */
function grouped(nearest: Uint32Array, clusters: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(clusters + 1);
  for (const cluster of nearest) (starts[cluster + 1] as number)++;
  for (let c = 0; c < clusters; c++) (starts[c + 1] as number) += starts[c] as number;
  const next = starts.slice();
  const order = new Uint32Array(nearest.length);
  for (let row = 0; row < nearest.length; row++) {
    const cluster = nearest[row] as number;
    order[next[cluster] as number] = row;
    (next[cluster] as number)++;
  }
  return { order, starts };
}

/** Clusters with at least one row. */
function occupied(nearest: Uint32Array, clusters: number): Uint32Array {
  const { starts } = grouped(nearest, clusters);
  return Uint32Array.from({ length: clusters }, (_, c) => c).filter((c) => starts[c + 1] !== starts[c]);
}

/**
 * Random members of over-full clusters to become representatives, as many as would bring them down to the wanted size.
 * Members with equal codes count once: a cluster of one repeated vector cannot be split.
 */
function splitters(
  rows: EncodedRows,
  order: Uint32Array,
  starts: Uint32Array,
  clusterSize: number,
  random: Random,
): Uint32Array {
  const chosen: number[] = [];
  for (let c = 0; c + 1 < starts.length; c++) {
    const members = order.subarray(starts[c], starts[c + 1]);
    if (members.length <= OVERFULL * clusterSize) continue;
    const wanted = Math.ceil(members.length / clusterSize) - 1;
    const distinct: number[] = [];
    for (const i of sampleAscending(random, wanted, members.length)) {
      const row = members[i] as number;
      if (!rows.sameCode(row, members[0] as number) && !distinct.some((other) => rows.sameCode(row, other))) {
        distinct.push(row);
      }
    }
    chosen.push(...distinct);
  }
  return Uint32Array.from(chosen);
}

function agreementWith(
  rows: EncodedRows,
  nearest: Uint32Array,
  representatives: Representatives,
  random: Random,
  options: ClusterOptions,
): number {
  const sample = sampleAscending(random, AGREEMENT_SAMPLE, rows.rows);
  const exact = rows.nearestOf(sample, representatives, options.threads);
  let same = 0;
  sample.forEach((row, i) => {
    if (nearest[row] === exact[i]) same++;
  });
  return same / sample.length;
}
