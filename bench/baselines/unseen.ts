// Items that a simulated user has neither labelled nor seen, and uniform draws of them.

import { seededRandom } from '../../src/random.ts';
import type { SystemRequest } from './system.ts';

/** Labelled, seen and excluded items of a request: distinct, ascending. */
export function takenItems({ positive, negative, exclude }: SystemRequest): Uint32Array {
  const all = concatenated([positive, negative, exclude]).sort();
  return all.filter((item, i) => i === 0 || item !== all[i - 1]);
}

/** All lists, one after the other. */
export function concatenated(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((length, list) => length + list.length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  return all;
}

/** `count` distinct items below `items` that are not in `taken` (ascending), uniform; all of them when fewer are left. */
export function drawUnseen(
  items: number,
  count: number,
  taken: Uint32Array,
  seed: number,
  stream: string,
): Uint32Array {
  const random = seededRandom(seed, stream);
  const left = items - taken.length;
  const drawn = new Set<number>();
  // Floyd's sampling (Bentley and Floyd, 1987) of places among the items left: one draw per item however few are left.
  const places: number[] = [];
  for (let limit = left - Math.min(count, left); limit < left; limit++) {
    const place = random.below(limit + 1);
    const chosen = drawn.has(place) ? limit : place;
    drawn.add(chosen);
    places.push(chosen);
  }
  // Floyd's set is uniform, its order is not.
  for (let i = places.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [places[i], places[j]] = [places[j] as number, places[i] as number];
  }
  return Uint32Array.from(places, (place) => itemAt(place, taken));
}

/** The item at a place among those not taken: place + the number of taken items up to it. */
function itemAt(place: number, taken: Uint32Array): number {
  let low = 0;
  let high = taken.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // taken[middle] - middle items are free below taken[middle].
    if ((taken[middle] as number) - middle <= place) low = middle + 1;
    else high = middle;
  }
  return place + low;
}
