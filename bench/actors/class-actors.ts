// Actors from the class labels of a data set: one per class, with seeded starts.

import { type Random, seededRandom } from '../../src/random.ts';
import { type Actor, ActorError, type Plan, type Start } from './protocol.ts';

/** The items of each class, by class name. */
export type Classes = ReadonlyMap<string, ReadonlySet<number>>;

/** A class needs as many items again as a start has positives, so that there is something to find. */
const LEAST_TIMES_POSITIVES = 2;

/** One actor per class that is large enough, in the order of the classes; throws ActorError when none is. */
export function classActors(classes: Classes, items: number, start: Plan['start'], seed: number): readonly Actor[] {
  const least = LEAST_TIMES_POSITIVES * start.positives;
  const actors: Actor[] = [];
  for (const [name, members] of classes) {
    if (members.size < least || items - members.size < start.negatives) continue;
    const random = seededRandom(seed, `starts of ${name}`);
    const list = Uint32Array.from(members).sort();
    const isRelevant = (item: number): boolean => members.has(item);
    const starts = Array.from({ length: start.count }, () => drawStart(random, list, isRelevant, items, start));
    actors.push({ name, relevant: members.size, isRelevant, starts });
  }
  if (actors.length === 0) {
    throw new ActorError(`none of ${classes.size} classes has ${least} items and ${start.negatives} others outside it`);
  }
  return actors;
}

function drawStart(
  random: Random,
  members: Uint32Array,
  isRelevant: (item: number) => boolean,
  items: number,
  { positives, negatives }: Plan['start'],
): Start {
  const positive = new Set<number>();
  while (positive.size < positives) positive.add(members[random.below(members.length)] as number);
  const negative = new Set<number>();
  while (negative.size < negatives) {
    const item = random.below(items);
    if (!isRelevant(item)) negative.add(item);
  }
  return { seed: random.below(2 ** 32), positive: Uint32Array.from(positive), negative: Uint32Array.from(negative) };
}
