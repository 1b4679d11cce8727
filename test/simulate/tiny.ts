// A small collection whose rankings can be told by hand, its actors, and simulations of it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { runSimulation, type SimulationRequest } from '../../bench/actors/run.ts';
import type { Simulation } from '../../bench/actors/simulate.ts';
import { BUILD_DEFAULTS, buildIndex } from '../../index-builder/main.ts';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { seededRandom } from '../../src/random.ts';
import { uniform } from '../data.ts';
import { temporaryFolder } from '../support.ts';

export const ITEMS = 600;
/** Items 0 … 7 lie around one axis, everything else around the others. */
export const RELEVANT = 8;
export const START = { seed: 5, positive: [0, 1], negative: [100, 101, 102, 103] };

const DIMS = 6;

/** The index, as its vectors came (`normalize=false`). */
export async function tinyIndex(t: Test, seed = 1): Promise<string> {
  const folder = temporaryFolder(t);
  const random = seededRandom(seed, 'tiny');
  const values = new Float32Array(ITEMS * DIMS);
  for (let item = 0; item < ITEMS; item++) {
    const axis = item < RELEVANT ? 0 : 1 + (item % (DIMS - 1));
    for (let d = 0; d < DIMS; d++) values[item * DIMS + d] = uniform(random) / 20 + (d === axis ? 1 : 0);
  }
  const path = join(folder, 'vectors.npy');
  writeFileSync(path, Buffer.concat([npyHeader('f4', [ITEMS, DIMS]), new Uint8Array(values.buffer)]));
  const out = join(folder, 'index');
  const options = new Map([
    ['codec', 'sq8'],
    ['normalize', 'false'],
  ]);
  const modalities = [{ name: 'vectors', path, options }];
  await buildIndex({ ...BUILD_DEFAULTS, out, threads: 1, clusterSize: 20, modalities }, () => {});
  return out;
}

/** One actor who looks for the relevant items, as farsight generate would write it; `change` goes over the file. */
export function tinyActors(t: Test, change: Readonly<Record<string, unknown>> = {}): string {
  const folder = temporaryFolder(t);
  const labels = new Uint8Array(ITEMS).fill(3, 0, RELEVANT);
  writeFileSync(join(folder, 'city.u8'), labels);
  const actors = [{ name: 'axis 0', label: 3, relevant: RELEVANT, starts: [START] }];
  const content = {
    kind: 'farsight-actors',
    version: 1,
    protocol: 'yfcc100m',
    items: ITEMS,
    seed: 1,
    labels: 'city.u8',
  };
  return jsonFile(folder, 'actors.json', { ...content, actors, ...change });
}

/** A topic around the same axis for lsc: a start beside it, and one of items around axis 1 against others. */
export function tinyTopics(t: Test): string {
  const starts = [
    [0, 1, 2, 3, 4, 10, 11, 12, 13, 14],
    [300, 305, 310, 315, 320, 21, 22, 23, 24, 26],
  ];
  return jsonFile(temporaryFolder(t), 'topics.json', [{ topic: 1, relevant: [5, 6, 7], target: { 0: 1 }, starts }]);
}

export function jsonFile(folder: string, name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** A simulation in process of one directory. */
export function play(directory: string, actors: string, change: Partial<SimulationRequest> = {}): Promise<Simulation> {
  return runSimulation({
    directories: [directory],
    systems: [],
    url: null,
    collection: null,
    signal: new AbortController().signal,
    onProgress: () => {},
    protocol: 'imagenet',
    actors: [actors],
    spaces: [],
    starts: null,
    rounds: 3,
    k: 4,
    seed: 0,
    save: null,
    ...change,
  });
}
