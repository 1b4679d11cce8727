// Whole rounds in process: time by stage and recall against exhaustive search, over b and S_c; then the search alone
// beside what a user would pick instead, on the same weight vectors.
//
//   node dist/bench/round.bench.js [lsc100k] [lsc41k] [caltech97] [tate]      without names: all but lsc41k
//
// recall is recall@100: the share of the 100 suggestions of the exhaustive round that the round suggests too.

import { candidatesOfAll, candidatesOfBestClusters } from '../src/candidates.ts';
import { type Head, headOf } from '../src/head.ts';
import type { Collection, Modality } from '../src/index/open.ts';
import { type LabelSet, randomLabelSets } from '../src/label-sets.ts';
import type { LinearModel } from '../src/models/model.ts';
import { round } from '../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest, type RoundResult, type Stage } from '../src/round-request.ts';
import { type Baseline, best } from './baselines/baseline.ts';
import { floatScan } from './baselines/float-scan.ts';
import { buildGraph, graphExists, graphFile, graphSearch, readGraph } from './baselines/hnsw-graph.ts';
import { trained } from './baselines/multimodal.ts';
import {
  caltech97,
  type Dataset,
  describe,
  groupsOf,
  indexOf,
  lsc41k,
  lsc100k,
  named,
  tate,
} from './datasets/collections.ts';
import { groupLabelSets } from './datasets/label-sets.ts';
import { compare, type Measurement, mean, printTable, quantiles, short, writeRun } from './measure.ts';

const SEED = 11;
const SETS = 40;
const REPETITIONS = 3;
/** Suggestions compared: recall@100. */
const K = 100;
const CLUSTERS = [1, 4, 16, 64, 128, 256, 512];
const EFFORTS = [100, 400, 1600];
const GRAPH = { links: 16, effort: 200 };
/** Above this many dimensions a graph of plain vectors does not fit: 100,000 x 12,988 floats are 5.2 GB. */
const MOST_HNSW_DIMS = 4096;

const datasets = named(process.argv.slice(2), [lsc100k, lsc41k, caltech97, tate], [lsc100k, caltech97, tate]);
const results: unknown[] = [];
for (const dataset of datasets) results.push(await measure(dataset));
process.stdout.write(`\n${writeRun('round', { seed: SEED, sets: SETS, repetitions: REPETITIONS, k: K, results })}\n`);

async function measure(dataset: Dataset): Promise<unknown> {
  const { collection } = await indexOf(dataset);
  const groups = groupsOf(dataset);
  const { items } = collection;
  const labels: readonly (readonly [string, readonly LabelSet[]])[] = [
    ['random 10+100', randomLabelSets(items, { count: SETS, positives: 10, negatives: 100, seed: SEED })],
    ['random 100+1000', randomLabelSets(items, { count: SETS, positives: 100, negatives: 1000, seed: SEED })],
    ['group 10+100', groupLabelSets(groups, items, SETS, 10, 100, SEED)],
  ];
  return {
    dataset: describe(dataset),
    clusters: collection.manifest.modalities.map(({ name, clusters }) => ({ name, clusters })),
    rounds: labels.map(([name, sets]) => ({ labels: name, rows: wholeRounds(dataset, collection, name, sets) })),
    peers: [...collection.modalities.values()].map((modality) => ({
      modality: modality.name,
      rows: labels.map(([name, sets]) => ({ labels: name, rows: searches(dataset, collection, modality, name, sets) })),
    })),
  };
}

/** Rounds as a thread of the server runs them. */
function wholeRounds(dataset: Dataset, collection: Collection, labels: string, sets: readonly LabelSet[]): unknown {
  const most = Math.max(...collection.manifest.modalities.map(({ clusters }) => clusters));
  const forms: readonly (readonly [string, Partial<RoundRequest>])[] = [
    ['exhaustive', { exhaustive: true }],
    ...[...CLUSTERS.filter((clusters) => clusters < most), most].map(
      (clusters) => [clusters === most ? `b=all (${most})` : `b=${clusters}`, { clusters }] as const,
    ),
    ['b=256 S_c=16', { clusters: 256, segments: 16 }],
    ['b=256 k=25', { clusters: 256, k: 25 }],
  ];
  const runs = forms.map(([name, form]) => {
    const stages: Record<Stage, number[]> = { fit: [], select: [], score: [], fuse: [] };
    const run = (set: number): RoundResult => {
      const request = requestOf(collection, sets[set] as LabelSet, form);
      let last = performance.now();
      return round(collection, request, (stage) => {
        const now = performance.now();
        stages[stage].push(now - last);
        last = now;
      });
    };
    return { name, run, stages };
  });
  const found = runs.map(({ run }) => sets.map((_, set) => run(set)));
  const measured = compare(runs, { inputs: sets.length, repetitions: REPETITIONS });
  const exact = found[0] as RoundResult[];
  const rows = measured.map((measurement, form) => {
    const own = found[form] as RoundResult[];
    const { stages } = runs[form] as (typeof runs)[number];
    return {
      ...measurement,
      recall: mean(own.map(({ items }, set) => recall(items, (exact[set] as RoundResult).items))),
      itemsScored: mean(own.map(({ coverage }) => coverage.itemsScored)),
      stagesMs: Object.fromEntries(
        Object.entries(stages).map(([stage, ms]) => [stage, ms.length === 0 ? 0 : quantiles(ms).median]),
      ),
    };
  });
  printTable(
    `${describe(dataset)}; ${labels} labels; whole rounds, k=${K}, ms`,
    rows.map((row) => ({
      round: row.name,
      recall: row.recall.toFixed(3),
      ...times(row),
      'x exhaustive': spread(row),
      fit: short(row.stagesMs.fit as number),
      select: short(row.stagesMs.select as number),
      score: short(row.stagesMs.score as number),
      fuse: short(row.stagesMs.fuse as number),
      'items scored': Math.round(row.itemsScored),
      disturbed: `${row.disturbed}/${row.repetitions}`,
    })),
  );
  return rows;
}

/** The search alone: the 100 best items for given weights, nothing excluded, one modality. */
function searches(
  dataset: Dataset,
  collection: Collection,
  modality: Modality,
  labels: string,
  sets: readonly LabelSet[],
): unknown {
  const { items } = collection;
  const { clusters: most, dims } = modality.manifest;
  const heads = sets.map((set): Head => headOf(modality, trained(modality, { ...set, seed: SEED })));
  const options = { ...ROUND_DEFAULTS, candidates: K, k: K, sizeLimit: items, items };
  const none = new Uint32Array(0);
  const forms: readonly Baseline[] = [
    {
      name: 'exhaustive',
      search: (model) => candidatesOfAll([headOf(modality, model)], options, none).items,
    },
    ...[16, 64, 256]
      .filter((clusters) => clusters < most)
      .map((clusters) => ({
        name: `b=${clusters}`,
        search: (model: Head['model']) =>
          candidatesOfBestClusters([headOf(modality, model)], { ...options, clusters }, none, () => {}).items,
      })),
  ];
  const contestants = [
    ...forms,
    floatScan(modality, items),
    ...(dims <= MOST_HNSW_DIMS ? graphSearches(collection, modality) : []),
  ];
  const search = ({ search }: Baseline, set: number): Uint32Array =>
    search((heads[set] as Head).model as LinearModel, best(K));
  const found = contestants.map((contestant) => sets.map((_, set) => search(contestant, set)));
  const measured = compare(
    contestants.map((contestant) => ({ name: contestant.name, run: (set: number) => search(contestant, set) })),
    { inputs: sets.length, repetitions: REPETITIONS },
  );
  const exact = found[0] as Uint32Array[];
  const rows = measured.map((measurement, form) => ({
    ...measurement,
    recall: mean((found[form] as Uint32Array[]).map((own, set) => recall(own, exact[set] as Uint32Array))),
  }));
  printTable(
    `${describe(dataset)}; ${modality.name}, ${labels} labels; search of the top ${K} by the same weights, ms`,
    rows.map((row) => ({
      search: row.name,
      recall: row.recall.toFixed(3),
      ...times(row),
      'x exhaustive': spread(row),
      disturbed: `${row.disturbed}/${row.repetitions}`,
    })),
  );
  if (dims > MOST_HNSW_DIMS) {
    process.stdout.write(
      `hnswlib-node does not apply: ${dims} dimensions as plain floats are ${short((items * dims * 4) / 1e9)} GB\n`,
    );
  }
  return rows;
}

/** hnswlib-node at several efforts over one graph, which is built once for each version of the data. */
function graphSearches(collection: Collection, modality: Modality): readonly Baseline[] {
  const file = graphFile(collection, modality, GRAPH);
  if (!graphExists(file)) buildGraph(modality, collection.items, GRAPH, file);
  const { graph } = readGraph(modality, collection.items, file);
  return EFFORTS.map((effort) => graphSearch(graph, effort));
}

function requestOf(
  collection: Collection,
  { positive, negative }: LabelSet,
  form: Partial<RoundRequest>,
): RoundRequest {
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
  return { ...ROUND_DEFAULTS, positive, negative, exclude: new Uint32Array(0), k: K, modalities, ...form };
}

function recall(found: Uint32Array, exact: Uint32Array): number {
  const wanted = new Set(exact.subarray(0, found.length));
  return found.filter((item) => wanted.has(item)).length / wanted.size;
}

function times({ wall, cpu }: Measurement): Readonly<Record<string, string>> {
  return { p50: short(wall.median), p95: short(wall.p95), p99: short(wall.p99), cpu: short(cpu) };
}

function spread({ ratio }: Measurement): string {
  return `${short(ratio.median)} (${short(ratio.least)}-${short(ratio.most)})`;
}
