// What an index of any size costs and answers, in one row: bytes and memory per item, the time of whole rounds by b and
// by number of labels, of exhaustive rounds with one and two threads, what choosing clusters through groups saves and
// loses, and how exact the answers are.
//
//   node dist/bench/scale.bench.js INDEX [ACTORS.json|random] [SETS]
//
// Rounds are the papers' (S_c = 16, r = 1000, k = 25), training included, run by round() in one worker thread. Positives
// are those of the actors' starts (farsight generate writes them), or random items, the hardest case; negatives random.
// Their rows are looked up in the index, or kept, as a thread keeps those of a session's earlier rounds. Near-duplicates wait
// in the last form only.
// Besides the mapped index only a map of four bytes an item and modality is held, at the end, to tell slots' items.

import { basename } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openIndex } from '../src/index/open.ts';
import { type Measurement, printTable, short, tail, writeRun } from './measure.ts';
import { type Exactness, exactness } from './scale/exactness.ts';
import { labelSetsFor } from './scale/labels.ts';
import { bytesPerItem, type Memory, memoryTouched } from './scale/memory.ts';
import { measureExhaustive, measureRounds, type RoundTimes } from './scale/rounds.ts';
import { measureSelection, type Selection } from './scale/selection.ts';

const SEED = 17;
/** Labels of a round: from the papers' first to a last one of 2,200, and in the middle. */
const LABELS = [
  [100, 100],
  [200, 1000],
  [200, 2000],
] as const;
/** Label sets without a number on the command line; each is run ten times per b. */
const SETS = 50;

interface Report {
  readonly index: string;
  readonly generation: string;
  readonly items: number;
  readonly clusters: Readonly<Record<string, number>>;
  readonly labels: string;
  readonly sets: number;
  readonly bytes: ReturnType<typeof bytesPerItem>;
  readonly memory: Memory;
  readonly rounds: readonly RoundTimes[];
  readonly selection: readonly Selection[];
  readonly exhaustive: readonly Measurement[];
  readonly exactness: readonly Exactness[];
}

if (isMainThread) {
  const [directory, actors = 'random', count = `${SETS}`] = process.argv.slice(2);
  if (directory === undefined) throw new RangeError('expected the directory of an index: scale.bench.js INDEX');
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { directory, actors: actors === 'random' ? null : actors, count: Number(count) },
  });
  worker.on('message', (message: string | Report) => {
    if (typeof message === 'string') process.stderr.write(`${message}\n`);
    else print(message);
  });
} else {
  const { directory, actors, count } = workerData as { directory: string; actors: string | null; count: number };
  if (!(count >= 1)) throw new RangeError('SETS: expected a whole number from 1');
  parentPort?.postMessage(measure(directory, actors, count, (step) => parentPort?.postMessage(step)));
}

function measure(directory: string, actors: string | null, count: number, onStep: (step: string) => void): Report {
  const collection = openIndex(directory);
  const { items, manifest, generation } = collection;
  const sets = LABELS.map(([positives, negatives]) => labelSetsFor(items, actors, count, positives, negatives, SEED));
  onStep('touching the whole index');
  const memory = memoryTouched(collection);
  onStep('rounds over the best clusters');
  const rounds = sets.flatMap((own) => measureRounds(collection, own));
  onStep('choosing clusters through groups');
  const random = labelSetsFor(items, null, count, ...LABELS[0], SEED);
  const selection = [...(actors === null ? [] : sets), random].flatMap((own) => measureSelection(collection, own));
  onStep('exhaustive rounds');
  const exhaustive = measureExhaustive(collection, sets[0] ?? []);
  onStep('exactness');
  return {
    index: basename(directory),
    generation,
    items,
    clusters: Object.fromEntries(manifest.modalities.map(({ name, clusters }) => [name, clusters])),
    labels: actors === null ? 'random' : 'actors',
    sets: count,
    bytes: bytesPerItem(manifest),
    memory,
    rounds,
    selection,
    exhaustive,
    exactness: [...collection.modalities.values()].map((modality) => exactness(collection, modality, sets[0] ?? [])),
  };
}

function print(report: Report): void {
  const { items, bytes, memory, rounds, selection, exhaustive } = report;
  const of = (labels: number): RoundTimes[] => rounds.filter((row) => row.labels === labels);
  printTable('index', [
    {
      // Sections have names of their own, `items` among them.
      collection: items,
      'bytes/item': short(bytes.total),
      ...Object.fromEntries(Object.entries(bytes.families).map(([family, each]) => [family, short(each)])),
      'RSS MiB': memory.rssMib,
      'of it mapped': memory.mappedMib ?? '',
    },
  ]);
  for (const labels of new Set(rounds.map((row) => row.labels))) {
    printTable(
      `whole rounds, ${labels} ${report.labels} labels, S_c=16 r=1000 k=25, one thread, ms`,
      of(labels).map((row) => ({
        b: row.clusters,
        rows: row.kept ? 'kept' : 'looked up',
        diversity: row.diverse ? 'standard' : '1',
        p50: short(row.wall.median),
        ...tail(row),
        cpu: short(row.cpu),
        'items scored': Math.round(row.itemsScored),
        'recall@25 of exhaustive': row.recall.toFixed(3),
        disturbed: `${row.disturbed}/${row.repetitions}`,
      })),
    );
  }
  printTable(
    'choosing 256 clusters through groups and among all, ms; the last rows of random labels',
    selection.map((row) => ({
      modality: row.modality,
      labels: row.labels,
      groups: row.groups,
      p50: short(row.grouped.median),
      ...tail({ calls: row.calls, wall: row.grouped }),
      'among all p50': short(row.flat.median),
      'same clusters': row.overlap.toFixed(4),
      least: row.leastOverlap.toFixed(3),
      'recall@1000': row.groupedRecall.toFixed(4),
      'among all recall@1000': row.flatRecall.toFixed(4),
    })),
  );
  printTable(
    'exhaustive rounds, ms',
    exhaustive.map((row) => ({ round: row.name, calls: row.calls, p50: short(row.wall.median), ...tail(row) })),
  );
  printTable(
    'the top 1000 by the 8-bit scan alone, and after exact scores have decided, of all items and of all clusters; 1 is exact',
    report.exactness.map((row) => ({
      modality: row.modality,
      '8-bit top 1000': row.selected.toFixed(4),
      '8-bit top 4000': row.selectedWider.toFixed(4),
      'search result': row.refined.toFixed(4),
      'same list': `${row.identical}/${row.hyperplanes}`,
      'of all clusters': `${row.identicalOfClusters}/${row.hyperplanes}`,
    })),
  );
  process.stdout.write(`${writeRun('scale', { seed: SEED, ...report }, `${items}-items`)}\n`);
}
