// Ours and FAISS at matched recall, in turns: SVM hyperplanes (10 + 100 labels) over a million x 128 vectors in tight
// groups, recall@100 of exhaustive float32, one query a call on one thread. Each side takes the fewest clusters that reach
// the recall; then both answer all hyperplanes A B A B, and the ratio of their medians is taken pair by pair.
//   FARSIGHT_PYTHON=… node dist/bench/dense-matched.bench.js [RECALL] [codec=…,…]

import type { Modality } from '../src/index/open.ts';
import { indexOf, synthetic } from './datasets/collections.ts';
import { exportQueries } from './dense/exported.ts';
import { Faiss, type FaissIndex } from './dense/faiss.ts';
import { queriesOf, recallOf } from './dense/queries.ts';
import { ofClusters } from './dense/searches.ts';
import { printTable, quantiles, short, writeRun } from './measure.ts';

const HYPERPLANES = 100;
const PAIRS = 7;
const CLUSTERS = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024] as const;
const INDEXES: readonly FaissIndex[] = ['ivf-flat', 'ivf-sq8-refined'];
const CODEC = 'codec=rabitq,bits=12';

const dataset = synthetic('million-tight', {
  kind: 'dense',
  rows: 1_000_000,
  dims: 128,
  groups: 10_000,
  seed: 5,
  separation: 4,
  background: false,
  even: true,
});

const words = process.argv.slice(2);
const wanted = Number(words.find((word) => !word.includes('=')) ?? 0.998);
if (!(wanted > 0 && wanted <= 1)) throw new RangeError('RECALL: expected a number up to 1');
const codec = words.find((word) => word.includes('=')) ?? CODEC;

const queries = await queriesOf(dataset, 'vectors', HYPERPLANES);
exportQueries(dataset, queries);
const keys = Object.fromEntries(codec.split(',').map((pair) => pair.split('=') as [string, string]));
const { collection } = await indexOf(dataset, { keys });
const modality = collection.modalities.get('vectors') as Modality;
const faiss = await Faiss.over(dataset.name);
if (faiss === null) process.exit(1);

const ours = CLUSTERS.map((clusters) => ({ clusters, recall: ourRecall(clusters) }));
const own = ours.find(({ recall }) => recall >= wanted);
const rows: Record<string, string | number>[] = [];
const curves: Record<string, readonly Point[]> = { ours };
for (const index of INDEXES) {
  const curve = await curveOf(index);
  curves[index] = curve;
  const theirs = curve.find(({ recall }) => recall >= wanted);
  if (own === undefined || theirs === undefined) {
    rows.push({ index, 'its most recall': most(curve), 'our most recall': most(ours) });
    continue;
  }
  const ratios: number[] = [];
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let pair = 0; pair < PAIRS; pair++) {
    const mine = ourTimes(own.clusters);
    const { ms } = await faiss.search(index, theirs.clusters);
    times.ours.push(quantiles(mine).median);
    times.theirs.push(quantiles(ms).median);
    ratios.push(quantiles(ms).median / quantiles(mine).median);
  }
  const { min, median } = quantiles(ratios);
  rows.push({
    index,
    'its recall': theirs.recall.toFixed(4),
    nprobe: theirs.clusters,
    'its ms': short(quantiles(times.theirs).median),
    'our recall': own.recall.toFixed(4),
    b: own.clusters,
    'our ms': short(quantiles(times.ours).median),
    ratio: short(median),
    'least ratio': short(min),
    'most ratio': short(Math.max(...ratios)),
  });
}
await faiss.close();
printTable(`1,000,000 x 128, ${codec}, beside ${faiss.about['library']} at recall ${wanted}`, rows);
process.stdout.write(
  `${writeRun('dense-matched', { codec, wanted, pairs: PAIRS, faiss: faiss.about, rows, curves })}\n`,
);

interface Point {
  readonly clusters: number;
  readonly recall: number;
}

function most(curve: readonly Point[]): string {
  return Math.max(...curve.map(({ recall }) => recall)).toFixed(4);
}

function ourRecall(b: number): number {
  return recallOf(
    queries.truth,
    queries.models.map((model) => ofClusters(modality, model, b)),
  );
}

function ourTimes(b: number): number[] {
  return queries.models.map((model) => {
    const before = performance.now();
    ofClusters(modality, model, b);
    return performance.now() - before;
  });
}

async function curveOf(index: FaissIndex): Promise<readonly Point[]> {
  const curve: Point[] = [];
  for (const clusters of CLUSTERS) {
    const { recall } = await (faiss as Faiss).search(index, clusters);
    curve.push({ clusters, recall });
  }
  return curve;
}
