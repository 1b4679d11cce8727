// Clusters in groups of near ones, numbered group by group, so that a round can pass over the representatives of groups
// that promise nothing (docs/decisions/0009).

import type { Representatives, Space } from '../../src/codecs/codec.ts';
import { defaultGroups } from '../../src/index/ecp.ts';
import { groupRows, inverse } from './slots.ts';
import type { StageOptions } from './stage.ts';

export interface ClusterGroups {
  /** The clusters in their new order. */
  readonly order: Uint32Array;
  /** Group g holds clusters starts[g] to starts[g + 1] of the new order. */
  readonly starts: Uint32Array;
}

/** Null where clusters are too few to be grouped, or where it is not wanted. */
export function groupClusters(
  space: Space,
  representatives: Representatives,
  { groups, seed, threads, onProgress }: Pick<StageOptions, 'groups' | 'seed' | 'threads' | 'onProgress'>,
): ClusterGroups | null {
  const nodes = Math.min(MOST_NODES, groups ?? defaultGroups(representatives.count, space.kind));
  if (nodes === 0) return null;
  const { of, count } = space.groups(representatives, { nodes, beam: 1, seed }, threads, (done, passes) =>
    onProgress('groups', done, passes),
  );
  return groupRows(of, count);
}

/** Gives rows the new number of their cluster, in place. */
export function renumber(nearest: Uint32Array, { order }: ClusterGroups): void {
  const numbers = inverse(order);
  for (let row = 0; row < nearest.length; row++) nearest[row] = numbers[nearest[row] as number] as number;
}

/** The starts of the groups when of their clusters only `kept` (ascending) are left; groups without one are left out. */
export function startsOfKept(starts: Uint32Array, kept: Uint32Array): Uint32Array {
  const left = [0];
  let at = 0;
  for (const end of starts.subarray(1)) {
    while (at < kept.length && (kept[at] as number) < end) at++;
    if (at > (left.at(-1) as number)) left.push(at);
  }
  return Uint32Array.from(left);
}

/** Of the native assignment by a tree. */
const MOST_NODES = 65536;
