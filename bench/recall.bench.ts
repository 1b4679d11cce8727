// How much of the exhaustive top 100 a round over the b best clusters finds: mean recall@100 over 200 SVM hyperplanes
// trained on random 10 + 100 label sets, for the papers' form (refine 0) and refined clusters.
//   node dist/bench/recall.bench.js

import type { Collection } from '../src/index/open.ts';
import { randomLabelSets } from '../src/label-sets.ts';
import { recallByClusters } from '../src/recall.ts';
import { ROUND_DEFAULTS, type RoundRequest } from '../src/round-request.ts';
import { caltech97, type Dataset, describe, indexOf, isReal, lsc100k, tate } from './datasets/collections.ts';
import { mean, printTable, writeRun } from './measure.ts';

const HYPERPLANES = 200;
const LABELS = { count: HYPERPLANES, positives: 10, negatives: 100, seed: 1 };
const TOP = 100;
const CLUSTERS = [16, 64, 256] as const;

type SvmModel = Extract<RoundRequest['model'], { kind: 'linear_svm' }>;

interface Case {
  readonly dataset: Dataset;
  readonly modality: string;
  readonly refine: number;
  readonly model: SvmModel;
}

const hinge: SvmModel = { ...ROUND_DEFAULTS.model, loss: 'hinge', c: 100 };
const subjects: readonly (readonly [Dataset, string])[] = [
  [lsc100k, 'concepts'],
  [caltech97, 'visual'],
  [caltech97, 'concepts'],
  [tate, 'tags'],
  [tate, 'caption'],
];
const cases: Case[] = subjects.flatMap(([dataset, modality]) =>
  [0, 3].flatMap((refine) =>
    [ROUND_DEFAULTS.model, hinge].map((model: SvmModel) => ({ dataset, modality, refine, model })),
  ),
);

const rows: Record<string, string | number>[] = [];
for (const { dataset, modality, refine, model } of cases) {
  const { collection } = await indexOf(dataset, { modalities: [modality], refine });
  const recalls = recallOf(collection, model);
  rows.push({
    collection: `${dataset.name} ${modality}`,
    data: isReal(dataset) ? 'real' : 'synthetic',
    clusters: collection.manifest.modalities[0]?.clusters ?? 0,
    refine,
    svm: `${model.loss} C=${model.c}`,
    ...Object.fromEntries(CLUSTERS.map((b, i) => [`b=${b}`, (recalls[i] as number).toFixed(3)])),
    'b=all': (recalls[CLUSTERS.length] as number).toFixed(3),
  });
}
for (const dataset of new Set(subjects.map(([dataset]) => dataset))) process.stdout.write(`${describe(dataset)}\n`);
printTable(
  `recall@${TOP} of the exhaustive top ${TOP}, mean of ${HYPERPLANES} hyperplanes, 10 + 100 random labels`,
  rows,
);
process.stdout.write(`${writeRun('recall', { hyperplanes: HYPERPLANES, top: TOP, rows })}\n`);

/** Mean recall for each of CLUSTERS, then for all clusters. */
function recallOf(collection: Collection, model: SvmModel): number[] {
  const [modality] = collection.modalities.values();
  if (modality === undefined) throw new RangeError(`${collection.directory}: has no modality`);
  const clusters = [...CLUSTERS, modality.manifest.clusters];
  const search = { clusters, top: TOP, model, seed: ROUND_DEFAULTS.seed, workers: 1 };
  const recalls = randomLabelSets(collection.items, LABELS).map((labels) =>
    recallByClusters(collection, modality, labels, search),
  );
  return clusters.map((_, w) => mean(recalls.map((recall) => recall[w] as number)));
}
