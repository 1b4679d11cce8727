// Label sets for an index of any size: the positives of actors' starts where there is a file of them, else random ones.

import { readFileSync } from 'node:fs';
import { type LabelSet, randomLabelSets } from '../../src/label-sets.ts';
import { seededRandom } from '../../src/random.ts';
import { distinct } from '../datasets/label-sets.ts';

/** The part of actors.json that is needed here. */
interface Actors {
  readonly actors: readonly { readonly name: string; readonly starts: readonly { readonly positive: number[] }[] }[];
}

/** `count` sets; with actors each takes its turn, with positives of its starts put together, from another start on. */
export function labelSetsFor(
  items: number,
  actorsFile: string | null,
  count: number,
  positives: number,
  negatives: number,
  seed: number,
): readonly LabelSet[] {
  if (actorsFile === null) return randomLabelSets(items, { count, positives, negatives, seed });
  const { actors } = JSON.parse(readFileSync(actorsFile, 'utf8')) as Partial<Actors>;
  if (!Array.isArray(actors) || actors.length === 0) {
    throw new RangeError(`${actorsFile}: no actors; expected what farsight generate writes`);
  }
  const random = seededRandom(seed, 'negatives of actors');
  return Array.from({ length: count }, (_, set) => {
    const { name, starts } = (actors as Actors['actors'])[set % actors.length] as Actors['actors'][number];
    const first = Math.floor(set / actors.length);
    const positive = new Set<number>();
    for (let s = 0; s < starts.length && positive.size < positives; s++) {
      for (const item of starts[(first + s) % starts.length]?.positive ?? []) {
        if (positive.size < positives && item < items) positive.add(item);
      }
    }
    if (positive.size === 0) throw new RangeError(`${actorsFile}: actor ${name} has no positives below ${items}`);
    return { positive: Uint32Array.from(positive), negative: distinct(random, negatives, items, new Set(positive)) };
  });
}
