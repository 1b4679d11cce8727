// What a final sweep takes, part by part, over an index of any size: the scan of every modality, the exact scores of what is
// selected, the sample of an audit, and the output in both formats.
//
//   node dist/bench/sweep.bench.js INDEX [ACTORS.json|random] [huge|plain] [ALPHA] [REPETITIONS]
//
// The index is read into memory first, as a server does when it starts: with `huge` onto huge pages. All of it runs on one
// thread, as in a job. Positives are those of an actor's starts (farsight generate writes them), or random items.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { drawFrame } from '../src/audit-frame.ts';
import { SCAN_BYTES } from '../src/fused-scan.ts';
import { trainHeads } from '../src/heads.ts';
import { type Collection, openIndex } from '../src/index/open.ts';
import { warm } from '../src/index/warm.ts';
import { ndjsonWriter } from '../src/jobs/ndjson.ts';
import { parquetWriter } from '../src/jobs/parquet.ts';
import { writeParts } from '../src/jobs/result-writer.ts';
import { DEFAULT_WEIGHT, ROUND_DEFAULTS } from '../src/round-request.ts';
import { type ScanSweepResult, scanSweep } from '../src/scan-sweep.ts';
import { machine, printTable, writeRun } from './measure.ts';
import { labelSetsFor } from './scale/labels.ts';

const SEED = 17;
const POSITIVES = 10;
const NEGATIVES = 100;
const PART_ROWS = 1 << 20;
const STRATA = { strata: 4, perStratum: 25 };

/** Milliseconds of a repetition by one of three clocks, rows and bytes. Page faults of new memory are the system's. */
type Row = Record<string, number | string>;
type Rows = readonly [wall: Row, user: Row, system: Row];

const [directory, actors = 'random', pages = 'plain', alphaGiven = '2', repetitions = '3'] = process.argv.slice(2);
if (directory === undefined) throw new RangeError('expected the directory of an index: sweep.bench.js INDEX');
const alpha = Number(alphaGiven);
const collection = openIndex(directory);
for (const _ of warm(collection, pages === 'huge'));
const [labels] = labelSetsFor(collection.items, actors === 'random' ? null : actors, 1, POSITIVES, NEGATIVES, SEED);
if (labels === undefined) throw new RangeError('no labels');
const named = [...collection.modalities.keys()].map((name) => ({ name, weight: DEFAULT_WEIGHT }));
const { heads } = trainHeads(
  collection,
  { ...ROUND_DEFAULTS, ...labels, modalities: named, seed: SEED },
  labels.positive,
);
const modalities = named.map((modality, m) => {
  const head = heads[m];
  if (head === undefined) throw new RangeError(`no head was trained for ${modality.name}`);
  return { ...modality, model: head.model };
});
const memory = collection.items * SCAN_BYTES;
const rows = Array.from({ length: Number(repetitions) }, measure).flat();
printTable(`sweeps of ${basename(directory)}: ${collection.items} items, ms`, rows);
const subject = `${basename(directory)}-${collection.items}`;
const settings = { index: basename(directory), items: collection.items, pages, alpha, scan_bytes: memory };
process.stdout.write(`a scan holds ${(memory / 2 ** 20).toFixed(0)} MiB; isa ${machine().isa}\n`);
process.stdout.write(`${writeRun('sweep', { ...settings, rows }, subject)}\n`);

function measure(): Rows {
  takeMemory();
  const rows: Rows = [{ clock: 'wall' }, { clock: 'user' }, { clock: 'system' }];
  const swept = timedSweep(rows);
  const labelled = Uint32Array.from([...(labels?.positive ?? []), ...(labels?.negative ?? [])]).sort();
  const add = stopwatch(rows);
  const strata = drawFrame(swept.scanned, swept.selected, labelled, {
    ...STRATA,
    population: swept.population,
    seed: SEED,
  });
  add('frame');
  if (strata.reduce((sum, { items }) => sum + items, 0) !== collection.items - labelled.length) {
    throw new RangeError('the strata are not all items');
  }
  const [wall] = rows;
  wall['rows'] = swept.items.length;
  for (const format of ['ndjson', 'parquet'] as const) {
    const written = stopwatch(rows);
    const bytes = writeOutput(collection, swept, format);
    written(format);
    wall[`${format} MB`] = Math.round(bytes / 1e6);
    wall[`${format} rows/s`] = Math.round((swept.items.length / Number(wall[format])) * 1000);
  }
  return rows;
}

/**
 * Has another process touch as much memory as a scan takes and end. A virtual machine may have to ask its host for memory that
 * was not used lately, which takes twenty times as long as a page fault does else: seconds that are none of the sweep's.
 */
function takeMemory(): void {
  const addon = JSON.stringify(new URL(`../src/native${extname(import.meta.url)}`, import.meta.url));
  const touch = `import { native } from ${addon};
    const bytes = new Uint8Array(${memory});
    native.preferHugePages(bytes);
    bytes.fill(1);`;
  execFileSync(process.execPath, ['--input-type=module', '-e', touch]);
}

/** Adds the time since the last call, or since it was made, to a part. */
function stopwatch(rows: Rows): (part: string) => void {
  let last = clocks();
  return (part) => {
    const now = clocks();
    rows.forEach((row, c) => {
      row[part] = Math.round(Number(row[part] ?? 0) + (now[c] as number) - (last[c] as number));
    });
    last = now;
  };
}

function clocks(): readonly [wall: number, user: number, system: number] {
  const { user, system } = process.cpuUsage();
  return [performance.now(), user / 1000, system / 1000];
}

/** The scan of each modality apart, with what stands before it; `select` is what comes behind the last report. */
function timedSweep(rows: Rows): ScanSweepResult {
  const add = stopwatch(rows);
  const maxBytes = Number.POSITIVE_INFINITY;
  const steps = scanSweep(collection, {
    modalities,
    selection: { by: 'alpha', alpha },
    order: 'score',
    admission: null,
    maxBytes,
  });
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    const { stage, done } = step.value;
    add(stage === 'decide' ? 'decide' : `scan ${named[Math.ceil(done / collection.items) - 1]?.name}`);
  }
  add('select');
  return step.value;
}

function writeOutput({ keys }: Collection, { items, scores }: ScanSweepResult, format: 'ndjson' | 'parquet'): number {
  const folder = mkdtempSync(join(tmpdir(), 'farsight-sweep-'));
  try {
    return writeParts(
      {
        path: join(folder, 'result'),
        journal: join(folder, 'parts'),
        partRows: PART_ROWS,
        writerAt: (fd, from) => (format === 'ndjson' ? ndjsonWriter(fd, from) : parquetWriter(fd, from, keys !== null)),
      },
      items.length,
      (first, end) => ({
        items: items.subarray(first, end),
        scores: scores.subarray(first, end),
        keys: keys === null ? null : Array.from(items.subarray(first, end), (item) => keys.keyOf(item)),
      }),
      () => {},
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
