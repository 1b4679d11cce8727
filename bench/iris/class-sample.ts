// Actors who look for classes of a collection: some drawn at random, each with a few draws of seeds.

import { type Random, sampleAscending, seededRandom } from '../../src/random.ts';
import type { Actor, Start } from '../actors/protocol.ts';

/** Fewer items could not give the largest budget of seeds and leave something to find. */
export const LEAST_ITEMS = 60;
const MOST_SEEDS = 50;
const DRAWS = 5;

/** `count` of the groups that are large enough, or all of them; named by their first item. */
export function classActorsOf(groups: readonly Uint32Array[], count: number): readonly Actor[] {
  const large = groups
    .filter(({ length }) => length >= LEAST_ITEMS)
    .toSorted((a, b) => (a[0] as number) - (b[0] as number));
  return [...sampleAscending(seededRandom(1, 'classes'), Math.min(count, large.length), large.length)].map((g) => {
    const members = new Set(large[g]);
    return {
      name: `class ${g}`,
      relevant: members.size,
      isRelevant: (item) => members.has(item),
      starts: Array.from({ length: DRAWS }, (_, draw) => startIn([...members], draw)),
    };
  });
}

function startIn(members: readonly number[], draw: number): Start {
  const random = seededRandom(draw, `seeds of ${members[0]}`);
  return { seed: draw, positive: shuffled(members, MOST_SEEDS, random), negative: new Uint32Array(0) };
}

/** The first `count` of a random order (Fisher and Yates). */
function shuffled(items: readonly number[], count: number, random: Random): Uint32Array {
  const left = [...items];
  return Uint32Array.from({ length: Math.min(count, left.length) }, () => {
    const at = random.below(left.length);
    const item = left[at] as number;
    left[at] = left.at(-1) as number;
    left.pop();
    return item;
  });
}
