// A dense collection of any size, from nothing to rounds: float16 vectors are drawn, an index is built of them by the
// command (its time, and the memory of its process), then recall@100 of exhaustive float32 and the time of rounds by b.
//   node dist/bench/dense-large.bench.js FOLDER [ROWS] [DIMS] [KEYS] [THREADS]
//
// Vectors, index and what its build took stay in FOLDER and are not made again: 10,000,000 x 768 take 15 GB, twice that
// while it is built.
// Rounds are whole ones of 10 + 100 labels (k = 25, r = 1000), training included. hnswlib holds float32: where its graph
// (4 bytes a dimension and about 280 a node at M = 16) is larger than memory, there is nothing to measure beside.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type Modality, openIndex } from '../src/index/open.ts';
import { warm } from '../src/index/warm.ts';
import { randomLabelSets } from '../src/label-sets.ts';
import { round } from '../src/round.ts';
import { ROUND_DEFAULTS } from '../src/round-request.ts';
import { packageRoot } from './datasets/collections.ts';
import { writeNested } from './dense/nested.ts';
import { queriesOfFile, recallOf } from './dense/queries.ts';
import { exhaustive, ofClusters } from './dense/searches.ts';
import { printTable, quantiles, short, writeRun } from './measure.ts';

const SEED = 5;
const HYPERPLANES = 30;
const WANTED = 0.95;
const CLUSTERS = [64, 128, 256, 512, 1024, 2048, 4096] as const;
const REPETITIONS = 3;
const HNSW_NODE_BYTES = 280;
const WATCH_MS = 500;
/** Ticks of /proc/PID/stat in a second, on every Linux. */
const TICKS = 100;

const [folder, rowsText = '10000000', dimsText = '768', keys = 'bytes_per_item=580', threads = '1'] =
  process.argv.slice(2);
if (folder === undefined) throw new RangeError('expected a folder: dense-large.bench.js FOLDER');
const rows = Number(rowsText);
const dims = Number(dimsText);
if (!(rows >= 1000 && dims >= 1)) throw new RangeError('ROWS and DIMS: expected whole numbers, at least 1000 rows');

mkdirSync(folder, { recursive: true });
const vectors = join(folder, `nested-${rows}-${dims}.npy`);
const index = join(folder, `nested-${rows}-${dims}-${keys.replaceAll(/[^a-z0-9]+/g, '-')}`);
const buildFigures = `${index}.build.json`;
writeNested(vectors, { rows, dims, seed: SEED }, progress('rows drawn', rows));
const build = existsSync(index) ? buildBefore() : await buildByCommand();
const collection = openIndex(index);
const modality = collection.modalities.get('vectors') as Modality;
const queries = await queriesOfFile(vectors, HYPERPLANES);
// As a server does; without it the first rounds of every b would wait for the disk.
const warmed = [...warm(collection, true)].length;
if (warmed === 0) throw new RangeError('the index has no bytes to search');
const all = recallOf(
  queries.truth,
  queries.models.map((model) => exhaustive(modality, model)),
);
const table = CLUSTERS.map(measured);
const hnswGib = (rows * (4 * dims + HNSW_NODE_BYTES)) / 2 ** 30;
const fits = hnswGib * 2 ** 30 < totalmem();
const bytes = collection.manifest.sections.reduce((sum, section) => sum + section.bytes, 0);
const summary = {
  rows,
  dims,
  keys,
  build,
  'index bytes/item': short(bytes / rows),
  'recall of all items': all.toFixed(4),
  // The truth's scores are held too until the best of them are known: the peak is theirs.
  search: { resident_mib: mibOf('self', 'VmRSS'), own_mib: mibOf('self', 'RssAnon'), peak_mib: mibOf('self', 'VmHWM') },
  [`b for ${WANTED}`]: table.find((row) => row.recall >= WANTED)?.b ?? `more than ${CLUSTERS.at(-1)}`,
  hnswlib: `${hnswGib.toFixed(1)} GiB, ${fits ? 'fits' : 'does not fit'}`,
};
printTable(`${rows} x ${dims}, ${keys}`, [
  { ...summary, build: JSON.stringify(build), search: JSON.stringify(summary.search) },
]);
printTable(
  `rounds of 10 + 100 labels, recall@100 of exhaustive float32 over ${HYPERPLANES} hyperplanes`,
  table.map((row) => ({
    ...row,
    recall: row.recall.toFixed(4),
    'p50 ms': short(row['p50 ms']),
    'p95 ms': short(row['p95 ms']),
  })),
);
process.stdout.write(`${writeRun('dense-large', { ...summary, table }, `${rows}-${dims}`)}\n`);

function measured(b: number): { b: number; recall: number; 'p50 ms': number; 'p95 ms': number } {
  const recall = recallOf(
    queries.truth,
    queries.models.map((model) => ofClusters(modality, model, b)),
  );
  const labels = randomLabelSets(rows, { count: HYPERPLANES, positives: 10, negatives: 100, seed: 2 });
  const times: number[] = [];
  for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
    for (const { positive, negative } of labels) {
      const request = { ...ROUND_DEFAULTS, positive, negative, exclude: new Uint32Array(0), clusters: b };
      const before = performance.now();
      round(collection, { ...request, modalities: [{ name: 'vectors', weight: 1 }] });
      // The first time pages are read and code is compiled.
      if (repetition > 0) times.push(performance.now() - before);
    }
  }
  const { median, p95 } = quantiles(times);
  return { b, recall, 'p50 ms': median, 'p95 ms': p95 };
}

/** farsight build in a process of its own: wall and CPU seconds, and the most memory that was resident. */
async function buildByCommand(): Promise<Readonly<Record<string, number>>> {
  const words = ['build', '--out', index, '--modality', `vectors=${vectors},${keys}`, '--threads', threads];
  const started = performance.now();
  const child = spawn(process.execPath, [join(packageRoot(), 'bin/farsight.js'), ...words, '--memory', '4GiB'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let last = { peak_mib: 0, peak_own_mib: 0, cpu_s: 0 };
  const timer = setInterval(() => {
    last = watched(child.pid as number, last);
  }, WATCH_MS);
  const [code] = await once(child, 'exit');
  clearInterval(timer);
  if (code !== 0) throw new Error(`farsight build ended with ${code}; what it said is above`);
  const took = { wall_s: Math.round((performance.now() - started) / 1000), threads: Number(threads), ...last };
  writeFileSync(buildFigures, JSON.stringify(took));
  return took;
}

/** What the build of an index that is there took; null where nobody wrote it down. */
function buildBefore(): Readonly<Record<string, number>> | null {
  return existsSync(buildFigures) ? JSON.parse(readFileSync(buildFigures, 'utf8')) : null;
}

/** All resident memory at most, and of it what is the process's own and no mapped file; Linux only. */
function watched(pid: number, before: { peak_mib: number; peak_own_mib: number; cpu_s: number }) {
  try {
    const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return {
      peak_mib: mibOf(pid, 'VmHWM'),
      peak_own_mib: Math.max(before.peak_own_mib, mibOf(pid, 'RssAnon')),
      cpu_s: Math.round((Number(times[11]) + Number(times[12])) / TICKS),
    };
  } catch {
    // It has ended since.
    return before;
  }
}

/** A field of the status of a process that runs; Linux only. */
function mibOf(pid: number | 'self', field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new RangeError(`no ${field} of process ${pid}`);
  return Math.round(Number(found[1]) / 1024);
}

function progress(what: string, total: number): (done: number) => void {
  let reported = performance.now();
  return (done) => {
    if (performance.now() - reported < 10_000) return;
    reported = performance.now();
    process.stderr.write(`${done} of ${total} ${what}\n`);
  };
}
