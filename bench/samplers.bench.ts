// The samplers of IRIS over a large collection: how far their fast forms agree with the exact ones, and what rounds of each
// and of a mix take.
//
//   node dist/bench/samplers.bench.js INDEX [ACTORS.json|related|random] [SETS] [times|agreement|routes|pools]…
//
// Labels are 100 positives of the actors' starts (or items near a random one in the first modality, or random items) and
// 100 random negatives, k = 25, everything by one thread, training included, the index on huge pages as a server with the
// memory for it has it. Agreement looks at every item for every set: for a million items or a few. Routes compare ways to
// clusters near a query, pools ask how many of the best items of a sweep GridS chooses from, both at any size.

import { basename } from 'node:path';
import { type Modality, openIndex } from '../src/index/open.ts';
import { warm } from '../src/index/warm.ts';
import { type LabelCounts, relatedLabelSets } from '../src/label-sets.ts';
import { printTable, short, tail, writeRun } from './measure.ts';
import { agreementOf } from './samplers/agreement.ts';
import { measureMixes } from './samplers/mixes.ts';
import { routeRecalls } from './samplers/near.ts';
import { poolRecalls } from './samplers/pools.ts';
import { surveysOf } from './samplers/surveys.ts';
import { labelSetsFor } from './scale/labels.ts';

const SEED = 23;
const POSITIVES = 100;
const NEGATIVES = 100;
const SETS = 20;

const [directory, actors = 'random', count = `${SETS}`, ...parts] = process.argv.slice(2);
if (directory === undefined) throw new RangeError('expected the directory of an index: samplers.bench.js INDEX');
if (!(Number(count) >= 1)) throw new RangeError('SETS: expected a whole number from 1');
const wants = (part: string): boolean => parts.length === 0 || parts.includes(part);

const collection = openIndex(directory);
let warmedBytes = 0;
for (const bytes of warm(collection, true)) warmedBytes += bytes;
const { items, generation, manifest } = collection;
const sets =
  actors === 'related'
    ? relatedLabelSets([...collection.modalities.values()][0] as Modality, items, labelCounts(Number(count)))
    : labelSetsFor(items, actors === 'random' ? null : actors, Number(count), POSITIVES, NEGATIVES, SEED);
const rounds = wants('times') ? measureMixes(collection, sets) : [];
const agreement = wants('agreement') ? agreementOf(collection, sets) : null;
const routes = wants('routes') ? routeRecalls(surveysOf(collection, sets)) : [];
const pools = wants('pools') ? poolRecalls(collection, sets, surveysOf(collection, sets)) : [];

if (rounds.length > 0) {
  printTable(
    `rounds over ${items} items, k = 25, ${POSITIVES} + ${NEGATIVES} labels, ms`,
    rounds.map(({ name, calls, wall, cpu, disturbed, repetitions, suggested }) => ({
      mix: name,
      p50: short(wall.median),
      p95: short(wall.p95),
      ...tail({ calls, wall }),
      cpu: short(cpu),
      disturbed: `${disturbed}/${repetitions}`,
      suggested,
    })),
  );
}
if (agreement !== null) printTable(`fast forms beside the exact ones, ${agreement.sets} sets`, agreement.rows);
if (routes.length > 0) printTable('near items by the way to their clusters', routes);
if (pools.length > 0) printTable('what the pools of grid hold', pools);
// Tells runs of dense collections from those of what farsight generate makes, which is sparse.
const dense = [...new Set(manifest.modalities.map(({ codec }) => codec))].filter((codec) => codec !== 'ratio');
const run = { index: basename(directory), generation, items, grid: manifest.grid ?? null, labels: basename(actors) };
process.stdout.write(
  `${writeRun('samplers', { ...run, seed: SEED, sets: sets.length, warmedBytes, rounds, agreement, routes, pools }, [items, ...dense, ...parts].join('-'))}\n`,
);

function labelCounts(count: number): LabelCounts {
  return { count, positives: POSITIVES, negatives: NEGATIVES, seed: SEED };
}
