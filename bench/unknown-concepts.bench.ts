// The imagenet protocol with known and with unknown concepts (Exquisitor §4.2, Figure 2) on caltech97's concept scores.
//   node dist/bench/unknown-concepts.bench.js [starts] [folder for imagenet.json and imagenet-unknown.json]
//
// Classes are no concepts of the scorer here, so an actor's own concept is by rule the one that tells its class best:
// the largest difference between the mean score within the class and outside it. As in the paper the actors are split
// over five collections, in each of which the concepts of its actors are 0 in every item before it is indexed.
// The starts are the same in both cases. The dense embedding stays out: it holds every concept and cannot be zeroed.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD_DEFAULTS, buildIndex } from '../index-builder/main.ts';
import { npyHeader, openNpyArray } from '../index-builder/readers/npy-array.ts';
import { native } from '../src/native.ts';
import { seededRandom } from '../src/random.ts';
import { readActors } from './actors/actor-file.ts';
import { writeAside } from './actors/aside-file.ts';
import { imagenet } from './actors/preset-negatives.ts';
import type { Actor } from './actors/protocol.ts';
import { printSimulation } from './actors/report.ts';
import { runSimulation } from './actors/run.ts';
import type { Simulation } from './actors/simulate.ts';
import { cacheFolder, caltech97, dataFolder, indexOf, isReal } from './datasets/collections.ts';
import { writeRun } from './measure.ts';

const SEED = 1;
const COLLECTIONS = 5;
/** 10 % of the clusters, since b=256 is all of them in a collection of this size, and all of them; LSH that keeps buckets of
 * about a hundred items and probes a tenth of them. */
const SYSTEMS = [
  'exquisitor,clusters=8:256',
  'blackthorn',
  'knn-ecp,clusters=8:256',
  'svm-lsh,buckets=64,probes=6',
  'knn-lsh,buckets=64,probes=6',
  'hnsw',
  'float',
  'manual',
];

interface Concepts {
  readonly perItem: number;
  readonly ids: Uint16Array;
  /** Half floats. */
  readonly scores: Uint16Array;
}

if (!isReal(caltech97)) {
  process.stdout.write('caltech97 is not here (../shared/data or FARSIGHT_DATA): the protocol needs its classes\n');
} else {
  const folder = join(dataFolder() as string, 'caltech97');
  const starts = Number(process.argv[2] ?? 1);
  const concepts = readConcepts(folder);
  const items = concepts.ids.length / concepts.perItem;
  const labels = join(folder, 'labels.npy');
  const { start } = imagenet.plan(new Map());
  const { actors } = readActors(labels, items, { ...start, count: starts }, SEED);
  const own = ownConcepts(actors, concepts);
  const parts = await makeParts(actors, own, concepts, items, join(folder, 'concept_ids.npy'));

  const known = (await indexOf(caltech97, { modalities: ['concepts'] })).directory;
  const knownResult = await play('imagenet', [known], [labels], starts);
  const directories = parts.map(({ directory }) => directory);
  const files = parts.map(({ file }) => file);
  const unknownResult = await play('imagenet-unknown', directories, files, starts);
  const names = readFileSync(join(folder, 'concept_names.txt'), 'utf8').trimEnd().split('\n');
  const conceptNames = actors.map(({ name }, a) => [name, names[own[a] as number]]);
  const run = { seed: SEED, starts, concepts: conceptNames, known: knownResult, unknown: unknownResult };
  process.stdout.write(`${writeRun('unknown-concepts', run)}\n`);
}

async function play(
  protocol: string,
  directories: readonly string[],
  actors: readonly string[],
  starts: number,
): Promise<Simulation> {
  const result = await runSimulation({
    protocol,
    directories,
    actors,
    systems: SYSTEMS,
    spaces: [],
    starts,
    seed: SEED,
    rounds: null,
    k: null,
    save: null,
    url: null,
    collection: null,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  printSimulation(result);
  const folder = process.argv[3];
  if (folder !== undefined) writeAside(join(folder, `${protocol}.json`), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

function readConcepts(folder: string): Concepts {
  const ids = openNpyArray(join(folder, 'concept_ids.npy'), ['u2']);
  const scores = openNpyArray(join(folder, 'concept_scores.npy'), ['f2']);
  const read = (array: typeof ids): Uint16Array => array.read(0, array.rows, array.allocate(array.rows)) as Uint16Array;
  return { perItem: ids.columns, ids: read(ids), scores: read(scores) };
}

/** Per actor the concept with the largest difference of mean scores within and outside its class. */
function ownConcepts(actors: readonly Actor[], { perItem, ids, scores }: Concepts): readonly number[] {
  const values = new Float32Array(scores.length);
  native.halfToFloat(scores, values);
  const items = ids.length / perItem;
  const dims = ids.reduce((a, b) => Math.max(a, b), 0) + 1;
  const totals = new Float64Array(dims);
  ids.forEach((id, at) => {
    totals[id] = (totals[id] as number) + (values[at] as number);
  });
  return actors.map(({ isRelevant, relevant }) => {
    const within = new Float64Array(dims);
    ids.forEach((id, at) => {
      if (isRelevant(Math.floor(at / perItem))) within[id] = (within[id] as number) + (values[at] as number);
    });
    const differences = within.map((sum, id) => sum / relevant - ((totals[id] as number) - sum) / (items - relevant));
    return differences.indexOf(Math.max(...differences));
  });
}

interface Part {
  readonly directory: string;
  readonly file: string;
}

/** The five collections without the concepts of their actors, and the files of these actors. */
async function makeParts(
  actors: readonly Actor[],
  own: readonly number[],
  { perItem, ids, scores }: Concepts,
  items: number,
  idsFile: string,
): Promise<readonly Part[]> {
  const random = seededRandom(SEED, 'collections of unknown concepts');
  const order = actors.map((_, a) => a);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  const parts: Part[] = [];
  for (let part = 0; part < COLLECTIONS; part++) {
    const members = order.filter((_, i) => i % COLLECTIONS === part);
    const unknown = new Set(members.map((a) => own[a] as number));
    const folder = join(cacheFolder(), `caltech97-unknown-${part}`);
    mkdirSync(folder, { recursive: true });
    // A half float of 0 has no bits.
    const zeroed = scores.map((score, at) => (unknown.has(ids[at] as number) ? 0 : score));
    const path = join(folder, 'concept_scores.npy');
    writeFileSync(path, Buffer.concat([npyHeader('f2', [items, perItem]), new Uint8Array(zeroed.buffer)]));
    const directory = join(folder, `caltech97-unknown-${part}`);
    const modalities = [{ name: 'concepts', path, options: new Map([['ids', idsFile]]) }];
    await buildIndex({ ...BUILD_DEFAULTS, threads: 2, out: directory, modalities }, () => {});
    const file = join(folder, 'actors.json');
    writeAside(
      file,
      JSON.stringify(
        actorsJson(
          members.map((a) => actors[a] as Actor),
          items,
        ),
      ),
    );
    parts.push({ directory, file });
  }
  return parts;
}

function actorsJson(actors: readonly Actor[], items: number): unknown {
  const all = Array.from({ length: items }, (_, item) => item);
  return {
    kind: 'farsight-actors',
    version: 1,
    protocol: 'imagenet-unknown',
    items,
    seed: SEED,
    actors: actors.map(({ name, relevant, isRelevant, starts }) => ({
      name,
      relevant,
      relevant_items: all.filter(isRelevant),
      starts: starts.map(({ seed, positive, negative }) => ({
        seed,
        positive: Array.from(positive),
        negative: Array.from(negative),
      })),
    })),
  };
}
