// One thread of a generation: writes blocks, or reads them back and measures them.

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../src/random.ts';
import { changing, writeAt } from '../stages/disk.ts';
import { BlockGenerator, newBlock } from './block.ts';
import { CityOfItem } from './cities.ts';
import { ALL_WORD_FILES, BlockQueue, CITY_FILE, type Job, type Measured, type Outcome } from './job.ts';
import { HALVES, MODALITIES, WORD_BYTES } from './layout.ts';
import { Measurement } from './measure.ts';
import { withNeed } from './output.ts';
import { worldOf } from './world.ts';

if (parentPort !== null) {
  const outcome = run(workerData as Job);
  // Keys are moved, not copied: they are most of what a thread holds.
  const moved = 'failed' in outcome ? [] : (outcome.measured ?? []).map(({ keys }) => keys.buffer);
  parentPort.postMessage(outcome, moved);
}

function run(job: Job): Outcome {
  try {
    return { measured: job.kind === 'write' ? writeBlocks(job) : measureBlocks(job) };
  } catch (error) {
    return { failed: (withNeed(error, job.items) as Error).message };
  }
}

function writeBlocks({ folder, items, seed, queue }: Job): null {
  const cityOf = new CityOfItem(items, seededRandom(seed, 'generate cities'));
  const generator = new BlockGenerator(seed, worldOf(seed), cityOf);
  const block = newBlock();
  const { visual, text, cities } = block;
  const words = [visual.init, visual.ids, visual.ratios, text.init, text.ids, text.ratios];
  const files = [...ALL_WORD_FILES, CITY_FILE].map((name) => openForWriting(join(folder, name)));
  for (const { number, first, count } of new BlockQueue(items, queue).take()) {
    generator.fill(block, number, first, count);
    files.forEach(({ path, file }, i) => {
      const halves = words[i]?.subarray(0, count * HALVES);
      const bytes =
        halves === undefined ? cities.subarray(0, count) : new Uint8Array(halves.buffer, 0, halves.byteLength);
      const position = halves === undefined ? first : first * WORD_BYTES;
      changing(path, () => writeAt(file, bytes, position));
    });
  }
  for (const { file } of files) closeSync(file);
  return null;
}

function openForWriting(path: string): { readonly path: string; readonly file: number } {
  return { path, file: changing(path, () => openSync(path, 'r+')) };
}

function measureBlocks({ folder, items, frequent, queue }: Job): Measured {
  const measurements = MODALITIES.map((modality) => {
    const of = { folder: join(folder, modality.name), dims: modality.dims, items };
    return new Measurement(of, frequent[modality.name] as Float64Array);
  });
  for (const { first, count } of new BlockQueue(items, queue).take()) {
    for (const measurement of measurements) measurement.add(first, count);
  }
  return measurements.map((measurement) => measurement.end());
}
