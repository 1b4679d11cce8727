// Representatives of one modality (Exquisitor §3.2), learned from a sample in memory: rows far from one another (of sparse
// features, which are seldom near anything, random ones), then Lloyd passes that move them to the mean of their cluster.
// Clusters left empty begin again elsewhere, and over-full ones are split before all rows are assigned.

import type { Representatives, Rows, Space } from '../../src/codecs/codec.ts';
import { clusterCount } from '../../src/index/ecp.ts';
import { type Random, sampleAscending, seededRandom } from '../../src/random.ts';
import { assignerFor, assignInParts, fewOf } from './assign.ts';
import { DistinctRows } from './distinct.ts';
import { dropGarbage } from './garbage.ts';
import { sampleRecords, sampleSize } from './sample.ts';
import type { ScratchFile } from './scratch.ts';
import { drawByDistance, seedRows } from './seeds.ts';
import { groupRows } from './slots.ts';
import type { StageOptions } from './stage.ts';

/** Clusters of more than this many times the wanted size are split. */
const OVERFULL = 4;

/** The representatives that all rows are to be assigned to. */
export function learnRepresentatives(space: Space, records: ScratchFile, options: StageOptions): Representatives {
  const { clusterSize, refine, threads } = options;
  const random = seededRandom(options.seed, `clusters of ${options.modality}`);
  const clusters = clusterCount(records.rows, clusterSize);
  const count = sampleSize(records.rows, clusters, records.recordBytes);
  const rows = space.rows(sampleRecords(records, count, random, options), threads);
  const onRows = (done: number): void => options.onProgress('cluster', done, refine * rows.count);
  onRows(0);
  const apart = space.seeds === 'apart' && refine > 0;
  let representatives = rows.take(
    apart ? seedRows(space, rows, clusters, random, threads) : sampleAscending(random, clusters, rows.count),
  );
  const nearest = new Uint32Array(rows.count);
  const distances = new Float32Array(rows.count);
  for (let pass = 1; pass <= refine; pass++) {
    const assigner = assignerFor(space, representatives, () => fewOf(space, rows), options);
    assignInParts(assigner, options.assign, rows, nearest, distances, (done) => onRows((pass - 1) * rows.count + done));
    assigner.release();
    const { order, starts } = groupRows(nearest, representatives.count);
    representatives = rows.means(order, starts, representatives, threads);
    if (pass === refine) {
      const extra = splitters(rows, order, starts, (clusterSize * rows.count) / records.rows, random);
      if (extra.length > 0) representatives = space.join(representatives, rows.take(extra));
    } else if (apart) {
      representatives = refilled(space, rows, representatives, starts, clusters, distances, random);
    }
    dropGarbage();
  }
  return representatives;
}

/** Without the empty ones, and with rows far from their representatives instead: `clusters` where there are such rows. */
function refilled(
  space: Space,
  rows: Rows,
  representatives: Representatives,
  starts: Uint32Array,
  clusters: number,
  distances: Float32Array,
  random: Random,
): Representatives {
  const numbers = Uint32Array.from({ length: representatives.count }, (_, c) => c);
  const kept = numbers.filter((c) => starts[c] !== starts[c + 1]);
  if (kept.length >= clusters) return representatives;
  const far = drawByDistance(distances, clusters - kept.length, random);
  return far.length === 0 ? representatives : space.join(space.pick(representatives, kept), rows.take(far));
}

/**
 * Random members of over-full clusters to become representatives, as many as would bring them down to the wanted size,
 * which is that of the sample: what matters here is size, and rows far apart would leave the middle whole. Members with equal codes count once: a cluster of one repeated vector cannot be split.
 */
function splitters(
  rows: Rows,
  order: Uint32Array,
  starts: Uint32Array,
  clusterSize: number,
  random: Random,
): Uint32Array {
  const chosen: number[] = [];
  for (let c = 0; c + 1 < starts.length; c++) {
    const members = order.subarray(starts[c], starts[c + 1]);
    if (members.length <= OVERFULL * clusterSize) continue;
    for (const row of distinctMembers(rows, members, Math.ceil(members.length / clusterSize) - 1, random)) {
      chosen.push(row);
    }
  }
  return Uint32Array.from(chosen);
}

/** Of `wanted` random members those that differ from the first member and from one another. */
function distinctMembers(rows: Rows, members: Uint32Array, wanted: number, random: Random): Uint32Array {
  const distinct = new DistinctRows(rows);
  distinct.add(members[0] as number);
  const drawn = sampleAscending(random, wanted, members.length).map((i) => members[i] as number);
  return drawn.filter((row) => distinct.add(row));
}
