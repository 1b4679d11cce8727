// Dense codecs in one table: bytes of an item's codes and of all that a search reads, recall@100 of exhaustive float32 over
// SVM hyperplanes of few and of many labels and over single items, ns per item of an exhaustive search, and recall and time
// of the b best clusters; beside them hnswlib-node and, where FARSIGHT_PYTHON names a Python that has it, FAISS, on the same
// vectors and hyperplanes. Times are medians of a call, the least of several repetitions. Real embeddings and synthetic ones of 128 to 2048 dims.
//   [FARSIGHT_PYTHON=…] node dist/bench/dense.bench.js [collection…] [codec=…,bits=…]…

import type { Modality } from '../src/index/open.ts';
import { caltech97, type Dataset, describe, indexOf, named, synthetic, tate } from './datasets/collections.ts';
import { exportQueries } from './dense/exported.ts';
import { faissRows, hnswRows, type Kind, REPETITIONS, type Row } from './dense/libraries.ts';
import { LABEL_KINDS, type Queries, queriesOf, recallOf, TOP } from './dense/queries.ts';
import { exhaustive, ofClusters } from './dense/searches.ts';
import { compare, printTable, short, writeRun } from './measure.ts';

const CLUSTERS = [16, 64, 256] as const;

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

/** An eighth of float32 comes as a budget of bytes; the others as bits, some of which a scan leaves for the best. */
function codecsFor(dims: number): readonly string[] {
  const bits = [1, 2, 4, 6, 8].map((each) => `codec=rabitq,bits=${each}`);
  const refined = [4, 8].flatMap((each) => [1, 2].map((scan) => `codec=rabitq,bits=${each},scan_bits=${scan}`));
  return ['codec=sq8', ...bits, ...refined, `codec=rabitq,bytes_per_item=${dims / 2}`];
}

/** The most clusters that are read for the kinds of queries that are not timed. */
const MOST_CLUSTERS = 256;

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
  `${writeRun('dense', { queries: LABEL_KINDS, top: TOP, rows }, words.length === 0 ? undefined : datasets.map(({ name }) => name).join('-'))}\n`,
);

async function measure(dataset: Dataset, asked: readonly string[]): Promise<Row[]> {
  const modality = dataset.modalities[0]?.name as string;
  const kinds: Kind[] = [];
  for (const { name, hyperplanes, ...each } of LABEL_KINDS) {
    const queries = await queriesOf(dataset, modality, hyperplanes, each);
    exportQueries(dataset, queries, name);
    kinds.push({ name, queries });
  }
  const [{ queries }, ...further] = kinds as [Kind, ...Kind[]];
  const table: Row[] = [];
  for (const keys of asked.length > 0 ? asked : codecsFor(queries.dims)) {
    const { collection } = await indexOf(dataset, {
      modalities: [modality],
      keys: Object.fromEntries(keys.split(',').map((pair) => pair.split('=') as [string, string])),
    });
    const opened = collection.modalities.get(modality) as Modality;
    const bytesOf = (prefix: string): number =>
      collection.manifest.sections
        .filter(({ name }) => name.startsWith(prefix))
        .reduce((sum, section) => sum + section.bytes, 0) / queries.rows;
    const codes = bytesOf(`${modality}.codes`);
    table.push({
      collection: dataset.name,
      codec: keys,
      bytes: codes.toFixed(1),
      'bytes in all': bytesOf(`${modality}.`).toFixed(1),
      'of float32': (codes / (4 * queries.dims)).toFixed(3),
      ...measureCodec(opened, queries),
      ...recallsOf(opened, further),
    });
  }
  table.push(...(await hnswRows(dataset, modality, kinds)), ...(await faissRows(dataset, kinds)));
  printTable(
    `${describe(dataset)}: recall@${TOP} of exhaustive float32; of 10 + 100 labels where it is not said`,
    table,
  );
  return table;
}

/** Of all items and of the best clusters, for kinds of queries that are not timed. */
function recallsOf(modality: Modality, kinds: readonly Kind[]): Row {
  return Object.fromEntries(
    kinds.flatMap(({ name, queries: { models, truth } }) => {
      const all = models.map((model) => exhaustive(modality, model));
      const some = models.map((model) => ofClusters(modality, model, MOST_CLUSTERS));
      return [
        [name, recallOf(truth, all).toFixed(4)],
        [`${name} b=${MOST_CLUSTERS}`, recallOf(truth, some).toFixed(4)],
      ];
    }),
  );
}

function measureCodec(modality: Modality, { rows, models, truth }: Queries): Row {
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
    recall: (recalls[0] as number).toFixed(4),
    'ns/item': short(((times[0]?.leastMedian ?? 0) * 1e6) / rows),
    ...Object.fromEntries(
      CLUSTERS.flatMap((b, i) => [
        [`recall b=${b}`, (recalls[i + 1] as number).toFixed(4)],
        [`ms b=${b}`, short(times[i + 1]?.leastMedian ?? 0)],
      ]),
    ),
  };
}
