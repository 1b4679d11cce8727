// What a user would take instead, on the same vectors and hyperplanes: FAISS (exhaustive float32, IVF-Flat, IVF-SQ8 refined
// by float32) where a Python has it, and hnswlib-node over what 12 bits a dimension hold of the vectors.

import { join } from 'node:path';
import type { Modality } from '../../src/index/open.ts';
import { buildGraph, graphExists, graphSearch, readGraph } from '../baselines/hnsw-graph.ts';
import { cacheFolder, type Dataset, indexOf } from '../datasets/collections.ts';
import { compare, quantiles, short } from '../measure.ts';
import { Faiss } from './faiss.ts';
import { type Queries, recallOf, TOP } from './queries.ts';

export type Row = Record<string, string | number>;

/** Queries of one kind; the first kind is timed. */
export interface Kind {
  readonly name: string;
  readonly queries: Queries;
}

/** Of everything that is timed, the least of which counts: what else a machine and its host do only adds. */
export const REPETITIONS = 5;
const LINKS = 16;
const BUILD_EFFORT = 100;
const EFFORTS = [100, 400] as const;
const PROBES = [16, 64, 256] as const;
/** FAISS keeps an item's number beside its code. */
const NUMBER_BYTES = 8;

export async function faissRows(dataset: Dataset, kinds: readonly Kind[]): Promise<Row[]> {
  const faiss = await Faiss.over(dataset.name);
  if (faiss === null) return [];
  const [{ name: labels, queries }, ...further] = kinds as [Kind, ...Kind[]];
  const { rows, dims } = queries;
  const centres = (index: string): number =>
    index === 'float32' ? 0 : (4 * dims * Number(faiss.about['lists'])) / rows;
  const row = async (
    name: string,
    bytes: number,
    index: 'float32' | 'ivf-flat' | 'ivf-sq8-refined',
    probes: number,
  ) => {
    const { recall } = await faiss.search(index, probes, labels);
    const medians: number[] = [];
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      medians.push(quantiles((await faiss.search(index, probes, labels)).ms).median);
    }
    const median = Math.min(...medians);
    const others: Row = {};
    for (const { name } of further) {
      if (index === 'float32') others[name] = (await faiss.search(index, 0, name)).recall.toFixed(4);
      else if (probes === PROBES.at(-1))
        others[`${name} b=${probes}`] = (await faiss.search(index, probes, name)).recall.toFixed(4);
    }
    const time: Row =
      index === 'float32' ? { 'ns/item': short((median * 1e6) / rows) } : { [`ms b=${probes}`]: short(median) };
    const found: Row =
      index === 'float32' ? { recall: recall.toFixed(4) } : { [`recall b=${probes}`]: recall.toFixed(4) };
    return {
      collection: dataset.name,
      codec: `${faiss.about['library']} ${name}`,
      bytes: bytes.toFixed(1),
      'bytes in all': (bytes + centres(index)).toFixed(1),
      ...found,
      ...time,
      ...others,
    };
  };
  const table: Row[] = [await row('float32', 4 * dims, 'float32', 0)];
  for (const [name, bytes, index] of [
    ['IVF-Flat', 4 * dims + NUMBER_BYTES, 'ivf-flat'],
    ['IVF-SQ8 + float32', 5 * dims + NUMBER_BYTES, 'ivf-sq8-refined'],
  ] as const) {
    const merged: Row = {};
    for (const probes of PROBES) Object.assign(merged, await row(name, bytes, index, probes));
    table.push(merged);
  }
  await faiss.close();
  return table;
}

export async function hnswRows(dataset: Dataset, name: string, kinds: readonly Kind[]): Promise<Row[]> {
  const [{ queries }, ...further] = kinds as [Kind, ...Kind[]];
  const { collection } = await indexOf(dataset, { modalities: [name], keys: { codec: 'rabitq', bits: '12' } });
  const modality = collection.modalities.get(name) as Modality;
  const file = join(cacheFolder(), `dense-${collection.generation}-${LINKS}-${BUILD_EFFORT}.hnsw`);
  if (!graphExists(file)) buildGraph(modality, queries.rows, { links: LINKS, effort: BUILD_EFFORT }, file);
  const { graph, builtSeconds } = readGraph(modality, queries.rows, file);
  const bytes = (4 * queries.dims + 8 * LINKS + NUMBER_BYTES).toFixed(1);
  return EFFORTS.map((effort) => {
    const { search } = graphSearch(graph, effort);
    const best = (model: Queries['models'][number]) =>
      search(model, { most: TOP, least: TOP, skip: new Uint32Array(0) });
    const recall = recallOf(queries.truth, queries.models.map(best));
    const [measured] = compare([{ name: 'hnsw', run: (q) => best(queries.models[q] as Queries['models'][number]) }], {
      inputs: queries.models.length,
      repetitions: REPETITIONS,
    });
    const ms = measured?.leastMedian ?? 0;
    const others = further.map(({ name, queries: { models, truth } }) => [
      name,
      recallOf(truth, models.map(best)).toFixed(4),
    ]);
    return {
      collection: dataset.name,
      codec: `hnswlib-node M=${LINKS} ef=${effort}, built in ${Math.round(builtSeconds)} s`,
      bytes,
      'bytes in all': bytes,
      recall: recall.toFixed(4),
      ms: short(ms),
      ...Object.fromEntries(others),
    };
  });
}
