// Label sets of groups that a data set knows: seeded positives of a class, negatives outside it.

import type { LabelSet } from '../../src/label-sets.ts';
import { type Random, seededRandom } from '../../src/random.ts';

/**
 * Sets as a session has them: positives from one group (each set from the next group with at least twice as many
 * members, so that there is something left to find), negatives random items outside it.
 */
export function groupLabelSets(
  groups: readonly Uint32Array[],
  items: number,
  count: number,
  positives: number,
  negatives: number,
  seed: number,
): readonly LabelSet[] {
  const random = seededRandom(seed, 'group label sets');
  const large = groups.filter(({ length }) => length >= 2 * positives && length <= items / 2);
  if (large.length === 0) throw new RangeError(`no group has ${2 * positives} members`);
  return Array.from({ length: count }, (_, set) => {
    const members = large[set % large.length] as Uint32Array;
    const positive = distinct(random, positives, members.length, new Set()).map((i) => members[i] as number);
    return { positive, negative: distinct(random, negatives, items, new Set(members)) };
  });
}

/** Distinct numbers below `limit` that are not in `taken`, in random order. Throws RangeError where there are too few. */
export function distinct(random: Random, count: number, limit: number, taken: Set<number>): Uint32Array {
  if (count > limit - taken.size)
    throw new RangeError(`${count} distinct items of the ${limit - taken.size} there are`);
  const drawn = new Uint32Array(count);
  for (let i = 0; i < count; ) {
    const item = random.below(limit);
    if (taken.has(item)) continue;
    taken.add(item);
    drawn[i++] = item;
  }
  return drawn;
}
