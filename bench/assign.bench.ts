// How items find their representative when an index is built: exactly, down the tree of eCP with a beam, or through an
// HNSW graph. Time on one thread and agreement with exact, per collection and size.
//
//   node dist/bench/assign.bench.js [collection …]      without names: the collections of shared data; dense300k and
//                                                       sparse1m are synthetic and take minutes
//
// HNSW takes plain arrays and is slow, so it assigns a sample of the rows and its time is extrapolated (marked ~).

import type { ModalitySpec } from '../index-builder/modality-spec.ts';
import { openReader } from '../index-builder/readers/open-reader.ts';
import { clusterRows } from '../index-builder/stages/cluster.ts';
import { nearestByHnsw } from '../index-builder/stages/hnsw.ts';
import type { EncodedRows, Representatives } from '../src/codecs/codec.ts';
import { codecFor } from '../src/codecs/registry.ts';
import type { Tree } from '../src/native.ts';
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
const BEAMS = [1, 4, 8, 16, 32];
/** Passes measured, in turns; one where a pass takes seconds. */
const repetitionsFor = (items: number): number => (items > 100_000 ? 1 : 3);
/** Rows that HNSW assigns: fewer where a distance costs more. */
const HNSW_ROWS = 1000;
/** Agreement that an approximate form must reach to be worth its savings. */
const WANTED_AGREEMENT = 0.95;

const real = [lsc41k, lsc100k, caltech97, tate];
const big = [
  synthetic('dense300k', { kind: 'dense', rows: 300_000, dims: 128, groups: 1000, seed: SEED }),
  synthetic('sparse1m', { kind: 'sparse', rows: 1_000_000, dims: 1000, features: 6, groups: 1000, seed: SEED }),
];
const datasets = named(process.argv.slice(2), [...real, ...big], real);
const results = datasets.flatMap((dataset) => specsOf(dataset).map((spec) => measure(dataset, spec)));
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

function measure(dataset: Dataset, spec: ModalitySpec): Result {
  const rows = encoded(spec);
  const options = { seed: SEED, stream: spec.name, clusterSize: CLUSTER_SIZE, threads: 1, refine: 0 };
  const { representatives, levels } = clusterRows(rows, { ...options, assign: 'exact' }, () => {});
  const forms: readonly (readonly [string, Tree | null])[] = [
    ['exact', null],
    ...(levels.levelSizes.length > 1 ? BEAMS : []).map((beam) => [`tree, beam ${beam}`, { ...levels, beam }] as const),
  ];
  const found = forms.map(() => ({
    nearest: new Uint32Array(rows.rows),
    distances: new Float32Array(rows.rows),
    ms: [] as number[],
  }));
  for (let repetition = 0; repetition < repetitionsFor(rows.rows); repetition++) {
    for (const [f, [, tree]] of forms.entries()) {
      const { nearest, distances, ms } = found[f] as (typeof found)[number];
      const before = cpuMs();
      rows.nearest(representatives, tree, 1, nearest, distances);
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
  measured.push(hnsw(rows, representatives, exact.nearest));
  printTable(
    `${describe(dataset)}; ${spec.name}: ${rows.rows} items to ${representatives.count} representatives, one thread`,
    measured.map(({ form, ms, extrapolated, agreement, distance }) => ({
      form,
      ms: `${extrapolated ? '~' : ''}${short(ms)}`,
      'x exact': short(ms / (measured[0] as Row).ms),
      agreement: agreement.toFixed(4),
      'mean distance, x exact': Number.isNaN(distance) ? '' : distance.toFixed(4),
    })),
  );
  return {
    modality: `${dataset.name} ${spec.name}`,
    items: rows.rows,
    clusters: representatives.count,
    rows: measured,
  };
}

function encoded(spec: ModalitySpec): EncodedRows {
  const { reader } = openReader(spec.path, spec.options);
  try {
    return codecFor(spec.options.get('codec'), reader).encode(reader, spec.options, () => {});
  } finally {
    reader.close();
  }
}

/** The graph over all representatives, and a sample of the rows through it. */
function hnsw(rows: EncodedRows, representatives: Representatives, exact: Uint32Array): Row {
  const sample = sampleAscending(seededRandom(SEED, 'hnsw sample'), HNSW_ROWS, rows.rows);
  const assign = (count: number): { readonly ms: number; readonly nearest: Uint32Array } => {
    const some = {
      rows: count,
      dims: rows.dims,
      denseRepresentative: (all: Representatives, number: number) => rows.denseRepresentative(all, number),
      denseRow: (row: number) => rows.denseRow(sample[row] as number),
    };
    const before = cpuMs();
    const nearest = nearestByHnsw(some, representatives, SEED);
    return { ms: cpuMs() - before, nearest };
  };
  const graph = assign(0);
  const { ms, nearest } = assign(sample.length);
  return {
    form: 'hnsw',
    ms: graph.ms + (Math.max(0, ms - graph.ms) * rows.rows) / sample.length,
    extrapolated: sample.length < rows.rows,
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
