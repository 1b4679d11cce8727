// Dense codecs: bytes of an item's codes, recall@100 of exhaustive float32 over SVM hyperplanes, ns per item of an
// exhaustive search, and recall and time of the b best clusters. On real embeddings and on synthetic ones of 128 to 2048
// dims; hnswlib-node and FAISS on the same vectors and hyperplanes are bench/dense-reference.
//   node dist/bench/dense.bench.js [collection…] [codec=…,bits=…]…

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npyHeader } from '../index-builder/readers/npy-array.ts';
import type { Modality } from '../src/index/open.ts';
import {
  cacheFolder,
  caltech97,
  type Dataset,
  describe,
  indexOf,
  named,
  specsOf,
  synthetic,
  tate,
} from './datasets/collections.ts';
import { type Queries, queriesOf, recallOf, TOP } from './dense/queries.ts';
import { exhaustive, ofClusters } from './dense/searches.ts';
import { compare, printTable, short, writeRun } from './measure.ts';

const HYPERPLANES = 100;
const CLUSTERS = [16, 64, 256] as const;
const REPETITIONS = 3;

/** Like learned embeddings: groups of very different size, from which two thirds of the variance come, as in tate. */
function embeddings(dims: number, rows: number): Dataset {
  const shape = { kind: 'dense', rows, dims, groups: Math.round(rows / 100), seed: 5 } as const;
  return synthetic(`${dims}-d`, { ...shape, decay: 0.25, separation: 1.4, background: false });
}

const standard: readonly Dataset[] = [
  caltech97,
  tate,
  embeddings(128, 200_000),
  embeddings(512, 50_000),
  embeddings(768, 50_000),
  embeddings(1280, 30_000),
  embeddings(2048, 20_000),
];
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

const CODECS: readonly string[] = [
  'codec=sq8',
  'codec=rabitq,bits=1',
  'codec=rabitq,bits=2',
  'codec=rabitq,bits=3',
  'codec=rabitq,bits=3,scan_bits=1',
  'codec=rabitq,bits=4',
  'codec=rabitq,bits=4,scan_bits=2',
  'codec=rabitq,bits=4,scan_bits=1',
  'codec=rabitq,bits=6',
  'codec=rabitq,bits=8',
];

const words = process.argv.slice(2);
const asked = words.filter((word) => word.includes('='));
const datasets = named(
  words.filter((word) => !word.includes('=')),
  [...standard, million],
  standard,
);
const rows: Record<string, string | number>[] = [];
for (const dataset of datasets) rows.push(...(await measure(dataset, asked.length > 0 ? asked : CODECS)));
process.stdout.write(
  `${writeRun('dense', { hyperplanes: HYPERPLANES, top: TOP, rows }, datasets.map(({ name }) => name).join('-'))}\n`,
);

async function measure(dataset: Dataset, codecs: readonly string[]): Promise<Record<string, string | number>[]> {
  const modality = dataset.modalities[0]?.name as string;
  const queries = await queriesOf(dataset, modality, HYPERPLANES);
  exportQueries(dataset, queries);
  const table: Record<string, string | number>[] = [];
  for (const keys of codecs) {
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

/** For bench/dense-reference/reference.py: the same hyperplanes and answers. */
function exportQueries(dataset: Dataset, { dims, models, truth }: Queries): void {
  const write = (name: string, type: 'f4' | 'i4', columns: number, parts: readonly (Float32Array | Uint32Array)[]) =>
    writeFileSync(
      join(cacheFolder(), `dense-${dataset.name}-${name}.npy`),
      Buffer.concat([
        npyHeader(type as 'f4', [parts.length, columns]),
        ...parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
      ]),
    );
  write(
    'weights',
    'f4',
    dims,
    models.map(({ weights }) => weights),
  );
  write('truth', 'i4', TOP, truth);
  writeFileSync(join(cacheFolder(), `dense-${dataset.name}-path.txt`), `${specsOf(dataset)[0]?.path}\n`);
}
