// Reads who plays: the generator's actors.json, topics of the lsc evaluation, or the class labels of a data set.

import { readFileSync, statSync } from 'node:fs';
import { readActorsJson } from './actors-json.ts';
import { classActors } from './class-actors.ts';
import { readCsvClasses, readNpyClasses } from './class-labels.ts';
import { ActorError, type ActorSet, type Plan } from './protocol.ts';
import { isTopics, readTopics } from './topics-json.ts';

/** Actors of 50 cities × 50 starts take 5 MB; a file above this is not one of actors. */
const MAX_JSON_BYTES = 1 << 28;

/** Throws ActorError for a file that does not fit the collection of `items` items. */
export function readActors(file: string, items: number, start: Plan['start'], seed: number): ActorSet {
  if (/\.npy$/.test(file)) return { file, seed, actors: classActors(readNpyClasses(file, items), items, start, seed) };
  if (/\.csv$/.test(file)) return { file, seed, actors: classActors(readCsvClasses(file, items), items, start, seed) };
  const content = parseJson(file);
  if (isTopics(content)) return { file, seed: null, actors: readTopics(file, content, items, start) };
  return readActorsJson(file, content, items, start);
}

function parseJson(file: string): unknown {
  try {
    const { size } = statSync(file);
    if (size > MAX_JSON_BYTES) {
      throw new ActorError(`${file}: has ${size} bytes, expected actors in at most ${MAX_JSON_BYTES}`);
    }
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof ActorError) throw error;
    throw new ActorError(
      `${file}: cannot be read as JSON (${(error as Error).message}); name an actors.json, ` +
        'a topics.json, or class labels in .npy or .csv',
    );
  }
}
