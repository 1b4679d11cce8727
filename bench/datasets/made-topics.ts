// Topics that nobody searched for, to choose by: moments of a lifelog as runs of pictures at drawn places. In the form and
// of the sizes of lsc41k/topics.json, whose own topics are too few to choose by and to report on.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collection } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { type Random, seededRandom } from '../../src/random.ts';
import { cacheFolder } from './collections.ts';

/** Relevant items of lsc41k's topics, in their order. */
const SIZES = [3, 2, 2, 49, 20, 5, 1, 88, 1, 16, 7, 4];
/** A topic's pictures lie in one to so many runs. */
const MOST_RUNS = 3;
const LONGEST_RUN = Math.max(...SIZES);
const START_ITEMS = 10;

/** Writes `count` topics of `starts` starts each, over one modality of vectors as they came; returns the file's path. */
export function writeTopics(space: Collection, count: number, starts: number, seed: number): string {
  const random = seededRandom(seed, 'made topics');
  const topics = Array.from({ length: count }, (_, topic) => {
    const relevant = drawnRuns(random, space.items, SIZES[topic % SIZES.length] as number);
    return {
      topic,
      relevant,
      target: meanOf(space, relevant),
      starts: Array.from({ length: starts }, () => drawnItems(random, space.items)),
    };
  });
  const path = join(cacheFolder(), `topics-${space.items}-${count}-${starts}-${seed}.json`);
  writeFileSync(path, JSON.stringify(topics));
  return path;
}

function drawnRuns(random: Random, items: number, size: number): number[] {
  const runs = 1 + random.below(Math.min(MOST_RUNS, size));
  const length = Math.max(1, Math.round(size / runs));
  const relevant = new Set<number>();
  for (let run = 0; run < runs; run++) {
    const from = random.below(items - LONGEST_RUN);
    for (let i = 0; i < length; i++) relevant.add(from + i);
  }
  return [...relevant];
}

function drawnItems(random: Random, items: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < START_ITEMS) drawn.add(random.below(items));
  return [...drawn];
}

/** By feature, as the topics' targets are. */
function meanOf(space: Collection, items: readonly number[]): Record<string, number> {
  const [modality] = space.modalities.values();
  const features = modality?.manifest.ratio?.items.features;
  if (modality === undefined || features === undefined) throw new RangeError('topics are made over sparse vectors');
  const ids = new Uint32Array(items.length * features);
  const values = new Float32Array(ids.length);
  native.decodeItems(modality.cells, Uint32Array.from(items), ids, values);
  const mean: Record<string, number> = {};
  for (const [i, id] of ids.entries()) {
    if (values[i] !== 0) mean[id] = (mean[id] ?? 0) + (values[i] as number) / items.length;
  }
  return mean;
}
