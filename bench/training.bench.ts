// What training takes of a round: labelled rows looked up in the index or kept from earlier rounds, and the model itself.
//
//   node dist/bench/training.bench.js INDEX [ACTORS.json|random]
//
// Both forms take turns over the same label sets, all modalities of the index together, with the model of a round that
// names none. Rows that are kept were looked up before; a session's round looks up its new labels only.

import { basename } from 'node:path';
import { DecodedRows } from '../src/decoded-rows.ts';
import { trainHeads } from '../src/heads.ts';
import { openIndex } from '../src/index/open.ts';
import { ROUND_DEFAULTS } from '../src/round-request.ts';
import { compare, printTable, short, tail, writeRun } from './measure.ts';
import { labelSetsFor } from './scale/labels.ts';

const SEED = 17;
/** Labels of a round: from the papers' first to a last one of 2,200, and in the middle. */
const LABELS = [
  [100, 100],
  [200, 1000],
  [200, 2000],
] as const;
const SETS = 50;
const REPETITIONS = 5;
const KEPT_BYTES = 1 << 28;
const none = new Uint32Array(0);

const [directory, actors = 'random'] = process.argv.slice(2);
if (directory === undefined) throw new RangeError('expected the directory of an index: training.bench.js INDEX');
const collection = openIndex(directory);
const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
const rows = LABELS.flatMap(([positives, negatives]) => {
  const file = actors === 'random' ? null : actors;
  const sets = labelSetsFor(collection.items, file, SETS, positives, negatives, SEED);
  const decoded = new DecodedRows(KEPT_BYTES);
  const train = (set: number, rows?: DecodedRows): unknown => {
    const labels = sets[set] as (typeof sets)[number];
    return trainHeads(collection, { ...ROUND_DEFAULTS, ...labels, modalities }, none, rows);
  };
  for (let set = 0; set < sets.length; set++) train(set, decoded);
  const measured = compare(
    [
      { name: 'looked up', run: (set) => train(set) },
      { name: 'kept', run: (set) => train(set, decoded) },
    ],
    { inputs: sets.length, repetitions: REPETITIONS },
  );
  return measured.map((row) => ({ labels: positives + negatives, ...row }));
});
printTable(
  `training on ${actors === 'random' ? 'random items' : 'labels of actors'}, ${modalities.length} modalities, ms`,
  rows.map(({ labels, name, calls, wall, cpu, disturbed, repetitions }) => ({
    labels,
    rows: name,
    p50: short(wall.median),
    ...tail({ calls, wall }),
    cpu: short(cpu),
    disturbed: `${disturbed}/${repetitions}`,
  })),
);
const subject = `${collection.items}-items`;
process.stdout.write(`${writeRun('training', { seed: SEED, index: basename(directory), rows }, subject)}\n`);
