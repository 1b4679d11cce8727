// Rows that are far from one another, for Lloyd passes to begin with: k-means++ (Arthur and Vassilvitskii, 2007) drawn many
// at a time (k-means||, Bahmani et al., 2012), within coarse groups of rows. Random rows leave some dense regions
// without a representative and give others two, and Lloyd passes do not move a representative from one to another.

import type { Rows, Space } from '../../src/codecs/codec.ts';
import { type Random, sampleAscending } from '../../src/random.ts';
import { assignExactly } from './assign.ts';
import { DistinctRows } from './distinct.ts';
import { groupRows } from './slots.ts';

/** Draws of a group: seeds of one draw do not know of one another. */
const DRAWS = 16;
/** Fewer seeds are drawn from all rows at once. */
const LEAST_GROUPED = 256;
/** Coarse groups are learned from so many rows each, in so many passes. */
const ROWS_PER_GROUP = 64;
const GROUP_PASSES = 4;
/** Rows that seeds are drawn from together, at most, a sample of more: they are held once more. */
const MOST_ROWS = 1 << 16;

/** The numbers of at most `count` rows; fewer where rows repeat. Its cost is below that of one pass over all seeds. */
export function seedRows(space: Space, rows: Rows, count: number, random: Random, threads: number): Uint32Array {
  const { order, starts } = coarseGroups(space, rows, count, random, threads);
  const seeds: number[] = [];
  for (let g = 0; g + 1 < starts.length; g++) {
    const end = starts[g + 1] as number;
    // What groups before did not yield is drawn from this one.
    const wanted = Math.round((count * end) / rows.count) - seeds.length;
    for (const row of farApart(space, rows, order.subarray(starts[g], end), wanted, random, threads)) seeds.push(row);
  }
  return Uint32Array.from(seeds);
}

/** Of `members`, numbers of rows, at most `wanted` that are far from one another, no two of them equal. */
export function farApart(
  space: Space,
  rows: Rows,
  members: Uint32Array,
  wanted: number,
  random: Random,
  threads: number,
): Uint32Array {
  const some = sampleAscending(random, MOST_ROWS, members.length);
  const numbers = some.map((place) => members[place] as number);
  const own = space.asRows(rows.take(numbers));
  const nearest = new Float32Array(own.count).fill(Number.POSITIVE_INFINITY);
  const distinct = new DistinctRows(own);
  const chosen: number[] = [];
  for (let draw = 0; draw < DRAWS && chosen.length < wanted; draw++) {
    const share = Math.ceil((wanted - chosen.length) / (DRAWS - draw));
    const drawn = draw === 0 ? sampleAscending(random, share, own.count) : drawByDistance(nearest, share, random);
    // Decoded, equal rows may lie an ulp apart: where no others are left, those are drawn.
    const fresh = drawn.filter((place) => distinct.add(place));
    if (fresh.length === 0) break;
    for (const place of fresh) chosen.push(place);
    approach(space, own, fresh, nearest, threads);
  }
  return Uint32Array.from(chosen, (place) => numbers[place] as number);
}

/**
 * At most `count` places, each with a probability in proportion to its squared distance: one from each of as many equal
 * shares of their sum. None where all distances are 0.
 */
export function drawByDistance(distances: Float32Array, count: number, random: Random): Uint32Array {
  let total = 0;
  for (const distance of distances) total += distance;
  if (!(total > 0)) return new Uint32Array(0);
  const offset = random.below(2 ** 32) / 2 ** 32;
  const drawn: number[] = [];
  let sum = 0;
  for (let place = 0, share = 0; place < distances.length && share < count; place++) {
    sum += distances[place] as number;
    if (sum <= ((share + offset) / count) * total) continue;
    drawn.push(place);
    while (share < count && sum > ((share + offset) / count) * total) share++;
  }
  return Uint32Array.from(drawn);
}

/** Lowers distances[i] to that of row i to the nearest of the rows at `places`. */
function approach(space: Space, rows: Rows, places: Uint32Array, distances: Float32Array, threads: number): void {
  const found = new Float32Array(rows.count);
  assignExactly(space, rows.take(places), rows, threads, new Uint32Array(rows.count), found);
  for (let i = 0; i < found.length; i++) distances[i] = Math.min(distances[i] as number, found[i] as number);
}

/** As many groups as seeds in a group, by Lloyd passes over some of the rows. */
function coarseGroups(space: Space, rows: Rows, seeds: number, random: Random, threads: number) {
  const groups = seeds < LEAST_GROUPED ? 1 : Math.round(Math.sqrt(seeds));
  const nearest = new Uint32Array(rows.count);
  if (groups === 1) return groupRows(nearest, 1);
  const some = space.asRows(rows.take(sampleAscending(random, groups * ROWS_PER_GROUP, rows.count)));
  let means = some.take(sampleAscending(random, groups, some.count));
  for (let pass = 0; pass < GROUP_PASSES; pass++) {
    const of = new Uint32Array(some.count);
    assignExactly(space, means, some, threads, of, new Float32Array(some.count));
    const { order, starts } = groupRows(of, groups);
    means = some.means(order, starts, means, threads);
  }
  assignExactly(space, means, rows, threads, nearest, new Float32Array(rows.count));
  return groupRows(nearest, groups);
}
