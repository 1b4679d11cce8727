// actors.json: one actor a city, who knows which items show it, with 50 starts of 100 relevant and 100 other items
// (Exquisitor §4.3, protocol yfcc100m).

import { closeSync, openSync, readSync } from 'node:fs';
import { type Random, seededRandom } from '../../src/random.ts';
import { BLOCK_ITEMS } from './block.ts';
import { CITY_COUNT } from './cities.ts';
import { CITY_FILE } from './job.ts';
import { ACTORS_START, GenerateError } from './output.ts';

export const STARTS = 50;
export const START_LABELS = 100;

/** The items of each city, ascending; the first list is city 1. */
export function readCities(path: string, items: number): Uint32Array[] {
  const lists: number[][] = Array.from({ length: CITY_COUNT }, () => []);
  const bytes = new Uint8Array(BLOCK_ITEMS);
  const file = openSync(path, 'r');
  try {
    for (let first = 0; first < items; first += bytes.length) {
      const count = Math.min(bytes.length, items - first);
      if (readSync(file, bytes, 0, count, first) !== count) throw damaged(path, 'ends early');
      for (let i = 0; i < count; i++) {
        const label = bytes[i] as number;
        if (label === 0) continue;
        const list = lists[label - 1];
        if (list === undefined) throw damaged(path, `item ${first + i} has the label ${label}`);
        list.push(first + i);
      }
    }
  } finally {
    closeSync(file);
  }
  return lists.map((list) => Uint32Array.from(list));
}

/** The text of actors.json: its first key tells what it is (see ACTORS_START). */
export function actorsJson(items: number, seed: number, cities: readonly Uint32Array[]): string {
  const actors = cities.map((relevant, i) => {
    const random = seededRandom(seed, `generate starts ${i + 1}`);
    const isRelevant = new Set(relevant);
    return {
      name: `city-${String(i + 1).padStart(2, '0')}`,
      label: i + 1,
      relevant: relevant.length,
      starts: Array.from({ length: STARTS }, () => ({
        seed: random.below(2 ** 32),
        positive: distinct(random, relevant.length, () => true).map((at) => relevant[at] as number),
        negative: distinct(random, items, (item) => !isRelevant.has(item)),
      })),
    };
  });
  const head = { version: 1, protocol: 'yfcc100m', items, seed, labels: CITY_FILE };
  const lines = actors.map((actor) => JSON.stringify(actor));
  return `${ACTORS_START},${JSON.stringify(head).slice(1, -1)},"actors":[\n${lines.join(',\n')}\n]}\n`;
}

/** START_LABELS distinct numbers below `limit` that may be taken, in the order drawn. */
function distinct(random: Random, limit: number, mayTake: (number: number) => boolean): number[] {
  const taken = new Set<number>();
  while (taken.size < START_LABELS) {
    const number = random.below(limit);
    if (mayTake(number)) taken.add(number);
  }
  return [...taken];
}

function damaged(path: string, what: string): GenerateError {
  return new GenerateError(`${path}: ${what} when read back; check the disk and generate again`);
}
