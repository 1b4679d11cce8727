// Dense codecs in one table: bytes of an item's codes, recall@100 of exhaustive float32 over SVM hyperplanes, ns per item of
// an exhaustive search, and recall and time of the b best clusters; beside them hnswlib-node and, where FARSIGHT_PYTHON names
// a Python that has it, FAISS, on the same vectors and hyperplanes. Real embeddings and synthetic ones of 128 to 2048 dims.
//   [FARSIGHT_PYTHON=…] node dist/bench/dense.bench.js [collection…] [codec=…,bits=…]…

import type { Modality } from '../src/index/open.ts';
import { caltech97, type Dataset, describe, indexOf, named, synthetic, tate } from './datasets/collections.ts';
import { exportQueries } from './dense/exported.ts';
import { faissRows, hnswRows, type Row } from './dense/libraries.ts';
import { type Queries, queriesOf, recallOf, TOP } from './dense/queries.ts';
import { exhaustive, ofClusters } from './dense/searches.ts';
import { compare, printTable, short, writeRun } from './measure.ts';

const HYPERPLANES = 100;
const LABELS = '10+100';
const CLUSTERS = [16, 64, 256] as const;
const REPETITIONS = 3;

/** Like learned embeddings: groups of very different size, from which two thirds of the variance come, as in tate. */
function embeddings(dims: number, rows: number): Dataset {
  const shape = { kind: 'dense', rows, dims, groups: Math.round(rows / 100), seed: 5 } as const;
  return synthetic(`${dims}-d`, { ...shape, decay: 0.25, separation: 1.4, background: false });
}

/** One modality of tate. */
const tateOf = (name: string): Dataset => ({
  ...tate,
  name: `tate-${name}`,
  modalities: tate.modalities.filter((modality) => modality.name === name),
});
/** Small tight groups, so that few clusters hold the best: what recall is matched on with other libraries. */
const million: Dataset = synthetic('million', {
  kind: 'dense',
  rows: 1_000_000,
  dims: 128,
  groups: 10_000,
  seed: 5,
  separation: 2,
  background: false,
  even: true,
});

const standard: readonly Dataset[] = [
  tateOf('tags'),
  tateOf('caption'),
  embeddings(128, 50_000),
  embeddings(512, 30_000),
  embeddings(768, 20_000),
  caltech97,
  embeddings(1280, 15_000),
  embeddings(2048, 10_000),
];

/** An eighth of float32 comes as a budget of bytes; the others as bits. */
function codecsFor(dims: number): readonly string[] {
  const bits = [1, 2, 6, 8].map((each) => `codec=rabitq,bits=${each}`);
  return ['codec=sq8', ...bits, `codec=rabitq,bytes_per_item=${dims / 2}`];
}

const words = process.argv.slice(2);
const asked = words.filter((word) => word.includes('='));
const datasets = named(
  words.filter((word) => !word.includes('=')),
  [...standard, million],
  standard,
);
const rows: Row[] = [];
for (const dataset of datasets) rows.push(...(await measure(dataset, asked)));
process.stdout.write(
  `${writeRun('dense', { hyperplanes: HYPERPLANES, top: TOP, rows }, words.length === 0 ? undefined : datasets.map(({ name }) => name).join('-'))}\n`,
);

async function measure(dataset: Dataset, asked: readonly string[]): Promise<Row[]> {
  const modality = dataset.modalities[0]?.name as string;
  const queries = await queriesOf(dataset, modality, HYPERPLANES);
  exportQueries(dataset, queries, LABELS);
  const table: Row[] = [];
  for (const keys of asked.length > 0 ? asked : codecsFor(queries.dims)) {
    const { collection } = await indexOf(dataset, {
      modalities: [modality],
      keys: Object.fromEntries(keys.split(',').map((pair) => pair.split('=') as [string, string])),
    });
    const opened = collection.modalities.get(modality) as Modality;
    const bytes = collection.manifest.sections
      .filter(({ name }) => name.startsWith(`${modality}.codes`))
      .reduce((sum, section) => sum + section.bytes, 0);
    table.push({ collection: dataset.name, codec: keys, ...measureCodec(opened, queries, bytes / queries.rows) });
  }
  table.push(...(await hnswRows(dataset, modality, queries)), ...(await faissRows(dataset, queries, LABELS)));
  printTable(
    `${describe(dataset)}: recall@${TOP} of exhaustive float32, ${HYPERPLANES} hyperplanes of 10 + 100 labels`,
    table,
  );
  return table;
}

function measureCodec(modality: Modality, { rows, dims, models, truth }: Queries, bytes: number) {
  const model = (q: number) => models[q] as (typeof models)[number];
  const searches = [
    { name: 'all', run: (q: number) => exhaustive(modality, model(q)) },
    ...CLUSTERS.map((b) => ({ name: `b=${b}`, run: (q: number) => ofClusters(modality, model(q), b) })),
  ];
  const recalls = searches.map(({ run }) =>
    recallOf(
      truth,
      models.map((_, q) => run(q)),
    ),
  );
  const times = compare(searches, { inputs: models.length, repetitions: REPETITIONS });
  return {
    bytes: bytes.toFixed(1),
    'of float32': (bytes / (4 * dims)).toFixed(3),
    recall: (recalls[0] as number).toFixed(4),
    'ns/item': short(((times[0]?.wall.median ?? 0) * 1e6) / rows),
    ...Object.fromEntries(
      CLUSTERS.flatMap((b, i) => [
        [`recall b=${b}`, (recalls[i + 1] as number).toFixed(4)],
        [`ms b=${b}`, short(times[i + 1]?.wall.median ?? 0)],
      ]),
    ),
  };
}
