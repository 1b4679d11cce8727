// Generates a collection like YFCC100M: write vectors and cities → measure what was written → actors → put in place.

import { join } from 'node:path';
import { actorsJson, readCities } from './actors.ts';
import { LEAST_COLLECTION } from './cities.ts';
import { ALL_WORD_FILES, CITY_FILE, collectionBytes } from './job.ts';
import { layoutJson, MODALITIES, WORD_BYTES } from './layout.ts';
import { ACTORS_FILE, OutputFolder, withNeed } from './output.ts';
import { frequentVectors, type Statistics, statisticsOf } from './statistics.ts';
import { runThreads } from './threads.ts';
import { type Trait, traitsOf } from './traits.ts';

export interface GenerateOptions {
  readonly out: string;
  readonly items: number;
  readonly seed: number;
  readonly threads: number;
  /** Ends the work early and leaves nothing; the promise rejects with its reason. */
  readonly signal: AbortSignal;
}

/** Items are numbered in 32 bits, and an index has some numbers for itself. */
export const MOST_ITEMS = 4_000_000_000;
export const LEAST_ITEMS = LEAST_COLLECTION;
export const STATISTICS_FILE = 'statistics.json';

export interface Generated {
  readonly statistics: Statistics;
  readonly traits: readonly Trait[];
}

/** Writes the folder `options.out`. Throws GenerateError or DiskError; then, and when the process dies, `out` is what it was. */
export async function generateYfcc(
  options: GenerateOptions,
  onProgress: (stage: 'write' | 'measure', items: number) => void,
): Promise<Generated> {
  const { out, items, seed, threads, signal } = options;
  const output = new OutputFolder(out, collectionBytes(items));
  try {
    for (const { name } of MODALITIES) output.folder(name);
    for (const name of ALL_WORD_FILES) output.presize(name, items * WORD_BYTES);
    output.presize(CITY_FILE, items);
    const job = { folder: output.path, items, seed };
    await runThreads({ ...job, kind: 'write', frequent: {} }, threads, signal, (done) => onProgress('write', done));
    for (const name of [...ALL_WORD_FILES, CITY_FILE]) output.sync(name);

    const frequent = frequentVectors(output.path, items);
    const measured = await runThreads({ ...job, kind: 'measure', frequent }, threads, signal, (done) =>
      onProgress('measure', done),
    );
    const cities = readCities(join(output.path, CITY_FILE), items);
    const statistics = statisticsOf(items, seed, measured, cities);
    const traits = traitsOf(statistics);
    for (const modality of MODALITIES) output.text(join(modality.name, 'layout.json'), layoutJson(modality));
    output.text(STATISTICS_FILE, `${JSON.stringify({ ...statistics, traits }, null, 2)}\n`);
    output.text(ACTORS_FILE, actorsJson(items, seed, cities));
    signal.throwIfAborted();
    output.commit();
    return { statistics, traits };
  } catch (error) {
    // Asked before the room that it took is given back.
    const told = withNeed(error, items);
    output.abandon();
    throw told;
  }
}
