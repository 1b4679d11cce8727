// How items find their representative when an index is built: exactly, through groups of representatives (`--assign
// tree`) with the nearest 2, 4 or 8 searched, or through an HNSW graph. Rate of one thread, agreement with exact, and by
// how much the mean squared distance exceeds that of the nearest, per collection and size.
//
//   node dist/bench/assign.bench.js [collection …]      without names: lsc41k, lsc100k and dense300k, a synthetic one;
//                                                       also caltech97, tate, and sparse1m, which takes minutes
//
// HNSW takes plain arrays and is slow, so it assigns a sample of the rows and its time is extrapolated (marked ~).

import type { ModalitySpec } from '../index-builder/modality-spec.ts';
import { openReader } from '../index-builder/readers/open-reader.ts';
import { treeOver } from '../index-builder/stages/assign.ts';
import { hnswAssigner } from '../index-builder/stages/hnsw.ts';
import type { Representatives, Rows, Space } from '../src/codecs/codec.ts';
import { codecFor } from '../src/codecs/registry.ts';
import { clusterCount } from '../src/index/ecp.ts';
import type { AssignTree } from '../src/native-types.ts';
import { sampleAscending, seededRandom } from '../src/random.ts';
import {
  caltech97,
  type Dataset,
  describe,
  lsc41k,
  lsc100k,
  named,
  specsOf,
  synthetic,
  tate,
} from './datasets/collections.ts';
import { cpuMs, printTable, quantiles, short, writeRun } from './measure.ts';

const SEED = 29;
const CLUSTER_SIZE = 100;
const BEAMS = [2, 4, 8];
/** Passes measured, in turns; one where a pass takes seconds. */
const repetitionsFor = (items: number): number => (items > 100_000 ? 1 : 3);
/** Rows that HNSW assigns: fewer where a distance costs more. */
const HNSW_ROWS = 1000;
const ROWS_AT_ONCE = 4096;
/** Agreement that an approximate form must reach to be worth its savings. */
const WANTED_AGREEMENT = 0.95;

const dense300k = synthetic('dense300k', { kind: 'dense', rows: 300_000, dims: 128, groups: 1000, seed: SEED });
const sparse1m = synthetic('sparse1m', {
  kind: 'sparse',
  rows: 1_000_000,
  dims: 1000,
  features: 6,
  groups: 1000,
  seed: SEED,
});
const usual = [lsc41k, lsc100k, dense300k];
const datasets = named(process.argv.slice(2), [...usual, caltech97, tate, sparse1m], usual);
const results: Result[] = [];
for (const dataset of datasets) {
  for (const spec of specsOf(dataset)) results.push(await measure(dataset, spec));
}
printTable(
  `What the numbers argue for: the fastest form that agrees with exact for ${100 * WANTED_AGREEMENT} % of the items`,
  results.map(({ modality, items, clusters, rows }) => {
    const exact = rows[0] as Row;
    const fastest = rows
      .filter(({ agreement }) => agreement >= WANTED_AGREEMENT)
      .reduce((a, b) => (b.ms < a.ms ? b : a));
    return {
      modality,
      items,
      clusters,
      'exact ms': short(exact.ms),
      fastest: fastest.form,
      ms: short(fastest.ms),
      saves: `${Math.round(100 * (1 - fastest.ms / exact.ms))} %`,
    };
  }),
);
process.stdout.write(`\n${writeRun('assign', { seed: SEED, clusterSize: CLUSTER_SIZE, results })}\n`);

interface Row {
  readonly form: string;
  /** CPU time of one pass over all items. */
  readonly ms: number;
  readonly extrapolated: boolean;
  /** Share of items with the exactly nearest representative. */
  readonly agreement: number;
  /** Mean squared distance to the representative found, over that of the nearest. */
  readonly distance: number;
}

interface Result {
  readonly modality: string;
  readonly items: number;
  readonly clusters: number;
  readonly rows: readonly Row[];
}

async function measure(dataset: Dataset, spec: ModalitySpec): Promise<Result> {
  const { space, rows } = await encoded(spec);
  const random = seededRandom(SEED, `clusters of ${spec.name}`);
  const representatives = rows.take(sampleAscending(random, clusterCount(rows.count, CLUSTER_SIZE), rows.count));
  const tree = treeOver(representatives.count, SEED);
  const forms: readonly (readonly [string, AssignTree | null])[] = [
    ['exact', null],
    ...BEAMS.map((beam) => [`groups, beam ${beam}`, { ...tree, beam }] as const),
  ];
  const found = forms.map(() => ({
    nearest: new Uint32Array(rows.count),
    distances: new Float32Array(rows.count),
    ms: [] as number[],
  }));
  for (let repetition = 0; repetition < repetitionsFor(rows.count); repetition++) {
    for (const [f, [, tree]] of forms.entries()) {
      const { nearest, distances, ms } = found[f] as (typeof found)[number];
      const before = cpuMs();
      const assigner = space.assigner(representatives, tree, 1);
      assigner.assign(rows, nearest, distances);
      assigner.release();
      ms.push(cpuMs() - before);
    }
  }
  const exact = found[0] as (typeof found)[number];
  const measured: Row[] = found.map(({ nearest, distances, ms }, f) => ({
    form: (forms[f] as (typeof forms)[number])[0],
    ms: quantiles(ms).median,
    extrapolated: false,
    agreement: sameShare(nearest, exact.nearest),
    distance: sum(distances) / sum(exact.distances),
  }));
  measured.push(hnsw(space, rows, representatives, exact.nearest));
  printTable(
    `${describe(dataset)}; ${spec.name}: ${rows.count} items to ${representatives.count} representatives, one thread`,
    measured.map(({ form, ms, extrapolated, agreement, distance }) => ({
      form,
      'items/s': `${extrapolated ? '~' : ''}${short((1000 * rows.count) / ms)}`,
      'x exact': short((measured[0] as Row).ms / ms),
      agreement: agreement.toFixed(4),
      'mean distance excess': Number.isNaN(distance) ? '' : `${(100 * (distance - 1)).toFixed(2)} %`,
    })),
  );
  return {
    modality: `${dataset.name} ${spec.name}`,
    items: rows.count,
    clusters: representatives.count,
    rows: measured,
  };
}

async function encoded(spec: ModalitySpec): Promise<{ readonly space: Space; readonly rows: Rows }> {
  const { reader } = await openReader(spec.path, spec.options);
  try {
    const encoder = codecFor(spec.options, reader).encoder(reader, spec.options);
    const records = new Uint8Array(reader.rows * encoder.sizes.record);
    for await (const chunk of reader.chunks(ROWS_AT_ONCE)) encoder.measure(chunk, 1);
    for await (const chunk of reader.chunks(ROWS_AT_ONCE)) {
      const from = chunk.firstRow * encoder.sizes.record;
      encoder.encode(chunk, 1, records.subarray(from, from + chunk.rows * encoder.sizes.record));
    }
    const space = encoder.space();
    return { space, rows: space.rows(records, 1) };
  } finally {
    reader.close();
  }
}

/** The graph over all representatives, and a sample of the rows through it. */
function hnsw(space: Space, rows: Rows, representatives: Representatives, exact: Uint32Array): Row {
  const sample = sampleAscending(seededRandom(SEED, 'hnsw sample'), HNSW_ROWS, rows.count);
  const assign = (count: number): { readonly ms: number; readonly nearest: Uint32Array } => {
    const some = { ...rows, count, dense: (row: number) => rows.dense(sample[row] as number) } as Rows;
    const before = cpuMs();
    const nearest = new Uint32Array(count);
    hnswAssigner(space, representatives, SEED).assign(some, nearest, new Float32Array(count));
    return { ms: cpuMs() - before, nearest };
  };
  const graph = assign(0);
  const { ms, nearest } = assign(sample.length);
  return {
    form: 'hnsw',
    ms: graph.ms + (Math.max(0, ms - graph.ms) * rows.count) / sample.length,
    extrapolated: sample.length < rows.count,
    agreement: sameShare(
      nearest,
      sample.map((row) => exact[row] as number),
    ),
    distance: Number.NaN,
  };
}

function sameShare(a: Uint32Array, b: Uint32Array): number {
  return a.reduce((same, value, i) => same + (value === b[i] ? 1 : 0), 0) / a.length;
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
