// Ours and FAISS at matched recall, in turns: SVM hyperplanes and single items as queries over a million x 128 vectors,
// recall@100 of exhaustive float32, one query a call on one thread. Each side takes the fewest clusters that reach the recall;
// then both answer all queries A B A B, and the ratio of their medians is taken pair by pair. A pair counts when neither side
// took more than 1.05 times its CPU time: else something else had the core.
//   FARSIGHT_PYTHON=… node dist/bench/dense-matched.bench.js [like-tate|tight-groups] [RECALL] [codec=…,…] [hnsw]
//
// like-tate: vectors drawn around those of tate's tags (bench/dense/neighbourhoods.ts), which need the shared data.
// tight-groups: 10,000 groups of equal size whose members differ a quarter as much as groups do, one for each cluster.
// hnsw: FAISS's graph as well, which takes minutes to build.

import type { Modality } from '../src/index/open.ts';
import { warm } from '../src/index/warm.ts';
import { type Dataset, indexOf, synthetic, tate } from './datasets/collections.ts';
import { exportQueries } from './dense/exported.ts';
import { Faiss, type FaissIndex } from './dense/faiss.ts';
import { neighbourhoodsOf } from './dense/neighbourhoods.ts';
import { LABEL_KINDS, type Queries, queriesOf, recallOf } from './dense/queries.ts';
import { exhaustive, ofClusters } from './dense/searches.ts';
import { cpuMs, isDisturbed, printTable, quantiles, short, writeRun } from './measure.ts';

const ITEMS = 1_000_000;
/** Undisturbed ones that are wanted, and turns taken for them at most. */
const PAIRS = 7;
const MOST_TURNS = 4 * PAIRS;
const INDEXES: readonly FaissIndex[] = ['ivf-flat', 'ivf-sq8-refined'];
const CODEC = 'codec=rabitq,bits=12';
/** Clusters are doubled from here until there is recall enough, then halved towards the fewest. */
const FIRST_CLUSTERS = 16;
const HALVINGS = 4;
/** No more are looked for than hold all items, or than a graph ever visits. */
const MOST_CLUSTERS = 16_384;

const COLLECTIONS: Readonly<Record<string, () => Promise<Dataset>>> = {
  'like-tate': () => neighbourhoodsOf({ ...tate, modalities: tate.modalities.slice(0, 1) }, ITEMS),
  'tight-groups': async () =>
    synthetic('million-tight', {
      kind: 'dense',
      rows: ITEMS,
      dims: 128,
      groups: 10_000,
      seed: 5,
      separation: 4,
      background: false,
      even: true,
    }),
};

const words = process.argv.slice(2);
const subject = words.find((word) => word in COLLECTIONS) ?? 'like-tate';
const wanted = Number(words.find((word) => /^[01]?\.?\d+$/.test(word)) ?? 0.998);
const codec = words.find((word) => word.includes('=')) ?? CODEC;
const known = words.filter(
  (word) => word in COLLECTIONS || word === 'hnsw' || word === codec || Number(word) === wanted,
);
if (known.length < words.length)
  throw new RangeError(`expected [${Object.keys(COLLECTIONS).join('|')}] [RECALL] [codec=…] [hnsw]`);
if (!(wanted > 0 && wanted <= 1)) throw new RangeError('RECALL: expected a number up to 1');

const dataset = await (COLLECTIONS[subject] as () => Promise<Dataset>)();
const keys = Object.fromEntries(codec.split(',').map((pair) => pair.split('=') as [string, string]));
const { collection } = await indexOf(dataset, { keys });
// Onto huge pages, as a server does; FAISS allocates its lists, which lie on huge pages anyway.
const warmed = [...warm(collection, true)].length;
if (warmed === 0) throw new RangeError('the index has no bytes to search');
const modality = collection.modalities.get('vectors') as Modality;
const queries = new Map<string, Queries>();
for (const { name, hyperplanes, ...each } of LABEL_KINDS) {
  const own = await queriesOf(dataset, 'vectors', hyperplanes, each);
  exportQueries(dataset, own, name);
  queries.set(name, own);
}
const faiss = await Faiss.over(dataset.name);
if (faiss === null) process.exit(1);

const rows: Record<string, string | number>[] = [];
const curves: Record<string, readonly Point[]> = {};
for (const [labels, own] of queries) {
  const ours = await fewest(async (clusters) =>
    recallOf(
      own.truth,
      own.models.map((model) => ofClusters(modality, model, clusters)),
    ),
  );
  curves[`${labels} ours`] = ours.curve;
  const all = recallOf(
    own.truth,
    own.models.map((model) => exhaustive(modality, model)),
  );
  for (const index of words.includes('hnsw') ? [...INDEXES, 'hnsw' as const] : INDEXES) {
    const theirs = await fewest(async (probes) => (await faiss.search(index, probes, labels)).recall);
    curves[`${labels} ${index}`] = theirs.curve;
    rows.push({
      labels,
      index,
      ...(await inTurns(own, labels, index, ours, theirs)),
      'our recall of all': all.toFixed(4),
    });
  }
}
await faiss.close();
printTable(`${dataset.name}: ${ITEMS} x 128, ${codec}, beside ${faiss.about['library']} at recall ${wanted}`, rows);
process.stdout.write(
  `${writeRun('dense-matched', { subject, codec, wanted, pairs: PAIRS, clusters: modality.manifest.clusters, faiss: faiss.about, rows, curves }, subject)}\n`,
);

interface Point {
  readonly clusters: number;
  readonly recall: number;
}

/** The fewest clusters found to reach the recall, to a part in sixteen; the most looked at where none do. */
interface Reached {
  readonly best: Point;
  readonly curve: readonly Point[];
}

async function fewest(recallAt: (clusters: number) => Promise<number>): Promise<Reached> {
  const curve: Point[] = [];
  const at = async (clusters: number): Promise<Point> => {
    const point = { clusters, recall: await recallAt(clusters) };
    curve.push(point);
    return point;
  };
  let best = await at(FIRST_CLUSTERS);
  while (best.recall < wanted && best.clusters < MOST_CLUSTERS) best = await at(2 * best.clusters);
  if (best.recall >= wanted && curve.length > 1) {
    let below = best.clusters / 2;
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = await at(Math.round((below + best.clusters) / 2));
      if (middle.recall >= wanted) best = middle;
      else below = middle.clusters;
    }
  }
  return { best, curve: curve.sort((a, b) => a.clusters - b.clusters) };
}

async function inTurns(queries: Queries, labels: string, index: FaissIndex, ours: Reached, theirs: Reached) {
  const ratios: number[] = [];
  const times = { ours: [] as number[], theirs: [] as number[] };
  let turns = 0;
  for (; ratios.length < PAIRS && turns < MOST_TURNS; turns++) {
    const own = ourTimes(queries, ours.best.clusters);
    const other = await (faiss as Faiss).search(index, theirs.best.clusters, labels);
    if (isDisturbed(own.wallMs, own.cpuMs) || isDisturbed(other.wall_ms, other.cpu_ms)) continue;
    const medians = [quantiles(own.ms).median, quantiles(other.ms).median] as const;
    times.ours.push(medians[0]);
    times.theirs.push(medians[1]);
    ratios.push(medians[1] / medians[0]);
  }
  if (ratios.length === 0) throw new RangeError(`${index}, ${labels}: all ${turns} turns were disturbed; try again`);
  const { min, median } = quantiles(ratios);
  return {
    'its recall': theirs.best.recall.toFixed(4),
    probes: theirs.best.clusters,
    'its ms': short(quantiles(times.theirs).median),
    'our recall': ours.best.recall.toFixed(4),
    b: ours.best.clusters,
    'our ms': short(quantiles(times.ours).median),
    ratio: short(median),
    'least ratio': short(min),
    'most ratio': short(Math.max(...ratios)),
    pairs: ratios.length,
    disturbed: turns - ratios.length,
  };
}

function ourTimes({ models }: Queries, b: number) {
  const cpu = cpuMs();
  const wall = performance.now();
  const ms = models.map((model) => {
    const before = performance.now();
    ofClusters(modality, model, b);
    return performance.now() - before;
  });
  return { ms, wallMs: performance.now() - wall, cpuMs: cpuMs() - cpu };
}
