// How much of the exhaustive top 100 a round over the b best clusters finds: mean recall@100 over 200 SVM hyperplanes
// trained on random 10 + 100 label sets, for the papers' form (refine 0) and refined clusters.
//   node dist/bench/recall.bench.js

import type { Collection } from '../src/index/open.ts';
import { round } from '../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest } from '../src/round-request.ts';
import { caltech97, type Dataset, describe, indexOf, isReal, lsc100k, tate } from './datasets/collections.ts';
import { randomLabelSets } from './datasets/label-sets.ts';
import { printTable, writeRun } from './measure.ts';

const HYPERPLANES = 200;
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

const rows = cases.map((subject) => {
  const { dataset, modality, refine, model } = subject;
  const { collection } = indexOf(dataset, { modalities: [modality], refine });
  const recalls = recallOf(collection, model);
  return {
    collection: `${dataset.name} ${modality}`,
    data: isReal(dataset) ? 'real' : 'synthetic',
    clusters: collection.manifest.modalities[0]?.clusters ?? 0,
    refine,
    svm: `${model.loss} C=${model.c}`,
    ...Object.fromEntries(CLUSTERS.map((b, i) => [`b=${b}`, (recalls[i] as number).toFixed(3)])),
    'b=all': (recalls[CLUSTERS.length] as number).toFixed(3),
  };
});
for (const dataset of new Set(subjects.map(([dataset]) => dataset))) process.stdout.write(`${describe(dataset)}\n`);
printTable(
  `recall@${TOP} of the exhaustive top ${TOP}, mean of ${HYPERPLANES} hyperplanes, 10 + 100 random labels`,
  rows,
);
process.stdout.write(`${writeRun('recall', { hyperplanes: HYPERPLANES, top: TOP, rows })}\n`);

/** Mean recall for each of CLUSTERS, then for all clusters. */
function recallOf(collection: Collection, model: SvmModel): number[] {
  const widths = [...CLUSTERS, collection.items];
  const sums = widths.map(() => 0);
  for (const labels of randomLabelSets(collection.items, HYPERPLANES, 10, 100, 1)) {
    const request: RoundRequest = {
      ...ROUND_DEFAULTS,
      ...labels,
      exclude: new Uint32Array(0),
      k: TOP,
      candidates: TOP,
      model,
      modalities: [...collection.modalities.keys()].map((name) => ({ name, weight: 1 })),
    };
    const truth = new Set(round(collection, { ...request, exhaustive: true }).items);
    widths.forEach((clusters, i) => {
      const { items } = round(collection, { ...request, clusters });
      sums[i] = (sums[i] as number) + items.filter((item) => truth.has(item)).length / truth.size;
    });
  }
  return sums.map((sum) => sum / HYPERPLANES);
}
