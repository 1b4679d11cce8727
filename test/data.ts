// Collections for tests of the search: seeded generated ones, and the shared real data where the machine has it.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { BUILD_DEFAULTS, type BuildOptions, buildIndex } from '../index-builder/main.ts';
import { type NpyType, npyHeader } from '../index-builder/readers/npy-array.ts';
import { type Collection, type Modality, openIndex } from '../src/index/open.ts';
import { readItemNumbers, readWords } from '../src/index/sections.ts';
import { trainLinearSvm } from '../src/models/linear-svm.ts';
import type { LinearModel, TrainingRows } from '../src/models/model.ts';
import { native } from '../src/native.ts';
import { type Random, seededRandom } from '../src/random.ts';
import { round } from '../src/round.ts';
import { DEFAULT_WEIGHT, ROUND_DEFAULTS, type RoundRequest } from '../src/round-request.ts';
import { temporaryFolder } from './support.ts';

/** Where the vectors of a modality are: a path and further keys of --modality. */
export interface Input {
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
}

export type Inputs = Readonly<Record<string, Input>>;

/** A collection of the shared data, and what stands in for it where that folder is absent. */
export interface Dataset {
  readonly name: string;
  readonly real: (folder: string) => Inputs;
  readonly generated: (folder: string) => Inputs;
}

/** The r64 layouts of the shared data. */
export const R64_LAYOUTS = {
  lsc100k: layoutKeys(5, 16, 48, '2e14', 16, '50000'),
  lsc41k: layoutKeys(7, 10, 54, '1e16', 10, '1000'),
} as const;

export const lsc100k: Dataset = {
  name: 'lsc100k',
  real: (folder) => ({ concepts: { path: join(folder, 'lsc100k'), options: R64_LAYOUTS.lsc100k } }),
  generated: (folder) => ({ concepts: r64Folder(join(folder, 'lsc100k'), 100_000, 12_988, 1, R64_LAYOUTS.lsc100k) }),
};

export const lsc41k: Dataset = {
  name: 'lsc41k',
  real: (folder) => ({ concepts: { path: join(folder, 'lsc41k'), options: R64_LAYOUTS.lsc41k } }),
  generated: (folder) => ({ concepts: r64Folder(join(folder, 'lsc41k'), 41_666, 1000, 2, R64_LAYOUTS.lsc41k) }),
};

export const caltech97: Dataset = {
  name: 'caltech97',
  real: (folder) => ({
    visual: { path: join(folder, 'caltech97/visual_1280.npy'), options: { codec: 'sq8' } },
    concepts: {
      path: join(folder, 'caltech97/concept_scores.npy'),
      options: { ids: join(folder, 'caltech97/concept_ids.npy') },
    },
  }),
  generated: (folder) => ({
    visual: { path: denseFile(folder, 'visual', clustered(7738, 1280, 97, 3), 1280), options: { codec: 'sq8' } },
    concepts: sparseFiles(folder, 'concept', sparseRows(7738, 1000, 20, 4), 20),
  }),
};

export const tate: Dataset = {
  name: 'tate',
  real: (folder) => ({
    tags: { path: join(folder, 'tate/tags_128.npy'), options: { codec: 'sq8' } },
    caption: { path: join(folder, 'tate/caption_128.npy'), options: { codec: 'sq8' } },
  }),
  generated: (folder) => ({
    tags: { path: denseFile(folder, 'tags', clustered(69_202, 128, 140, 5), 128), options: { codec: 'sq8' } },
    caption: { path: denseFile(folder, 'caption', clustered(69_202, 128, 140, 6), 128), options: { codec: 'sq8' } },
  }),
};

/** The folder of real data, or null on a machine without it. */
export function dataFolder(): string | null {
  const folder = process.env['FARSIGHT_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  return existsSync(folder) ? folder : null;
}

/**
 * A test over a dataset. Without the shared data it is skipped, by name, and the same assertions run on generated
 * vectors of the same shape.
 */
export function testOn(
  t: Test,
  dataset: Dataset,
  title: string,
  run: (t: Test, inputs: Inputs) => void | Promise<void>,
): void {
  const folder = dataFolder();
  const skip = folder === null ? 'the shared data folder is not there' : false;
  t.test(`${dataset.name}: ${title}`, { skip }, async (t) => run(t, dataset.real(folder as string)));
  if (folder === null) {
    t.test(`generated like ${dataset.name}: ${title}`, async (t) => run(t, dataset.generated(temporaryFolder(t))));
  }
}

/** Builds an index of the inputs and opens it. `codec` adds keys to every modality. */
export async function collectionOf(
  t: Test,
  inputs: Inputs,
  build: Partial<BuildOptions> = {},
  codec: Readonly<Record<string, string>> = {},
): Promise<Collection> {
  const out = join(temporaryFolder(t), 'index');
  const modalities = Object.entries(inputs).map(([name, { path, options }]) => ({
    name,
    path,
    options: new Map(Object.entries({ ...options, ...codec })),
  }));
  await buildIndex({ ...BUILD_DEFAULTS, out, threads: 1, modalities, qualityQueries: 0, ...build }, () => {});
  return openIndex(out);
}

export function modalityOf(collection: Collection, name: string): Modality {
  const modality = collection.modalities.get(name);
  if (modality === undefined) throw new RangeError(`no modality ${name}`);
  return modality;
}

/** A small collection of two modalities: `visual` dense in sq8, `text` sparse in ratio. */
export async function twoModalities(t: Test, items: number, build: Partial<BuildOptions> = {}): Promise<Collection> {
  const folder = temporaryFolder(t);
  const inputs = {
    visual: { path: denseFile(folder, 'visual', clustered(items, 24, 12, 11), 24), options: {} },
    text: sparseFiles(folder, 'text', sparseRows(items, 300, 6, 12), 6),
  };
  return await collectionOf(t, inputs, { clusterSize: 20, ...build });
}

/**
 * A request with the defaults of a round, over all modalities of the collection unless others are named. Near-duplicates
 * stay, so that the ranking itself can be looked at.
 */
export function requestOf(collection: Collection, change: Partial<RoundRequest>): RoundRequest {
  return {
    ...ROUND_DEFAULTS,
    diversity: 1,
    positive: new Uint32Array(0),
    negative: new Uint32Array(0),
    exclude: new Uint32Array(0),
    modalities: collection.manifest.modalities.map(({ name }) => ({ name, weight: DEFAULT_WEIGHT })),
    ...change,
  };
}

/** Distinct random items: the first `positives` are labelled positive, the others negative. */
export function randomLabels(
  random: Random,
  items: number,
  positives: number,
  negatives: number,
): Pick<RoundRequest, 'positive' | 'negative'> {
  const drawn = new Set<number>();
  while (drawn.size < positives + negatives) drawn.add(random.below(items));
  const all = Uint32Array.from(drawn);
  return { positive: all.slice(0, positives), negative: all.slice(positives) };
}

/** Decoded vectors of items: `perRow` values each, and ids of them where the modality is sparse. */
export interface Decoded {
  readonly perRow: number;
  readonly ids: Uint32Array | null;
  readonly values: Float32Array;
}

export function decode(modality: Modality, items: Uint32Array): Decoded {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(items.length * perRow);
  const ids = ratio === undefined ? null : new Uint32Array(values.length);
  native.decodeItems(modality.cells, items, ids ?? new Uint32Array(0), values);
  return { perRow, ids, values };
}

export function everyItem(collection: Collection): Uint32Array {
  return Uint32Array.from({ length: collection.items }, (_, item) => item);
}

/** The model a round with these labels trains for one modality. */
export function modelOf(modality: Modality, request: RoundRequest): LinearModel {
  const { model, seed } = request;
  if (model.kind !== 'linear_svm') throw new RangeError(`no model ${model.kind} here`);
  const items = Uint32Array.of(...request.positive, ...request.negative);
  const labels = Int8Array.from(items, (_, i) => (i < request.positive.length ? 1 : -1));
  const rows: TrainingRows = { dims: modality.manifest.dims, labels, ...decode(modality, items) };
  return trainLinearSvm(rows, { ...model, seed });
}

/** Item numbers per cluster, as the index has them on disk. */
export function clusterMembers(collection: Collection, name: string): readonly Uint32Array[] {
  const items = readItemNumbers(collection.directory, collection.manifest, `${name}.items`);
  const starts = readWords(collection.directory, collection.manifest, `${name}.starts`);
  return Array.from({ length: starts.length - 1 }, (_, c) => items.subarray(starts[c], starts[c + 1]));
}

/** What rounds of all kinds over an index answer, as text that is equal only when every bit is. */
export function roundsAsText(directory: string, workers: number): string {
  const collection = openIndex(directory);
  const random = seededRandom(99, 'labels of rounds');
  const searches: Partial<RoundRequest>[] = [
    { clusters: 4 },
    { clusters: 12, segments: 5, candidates: 40 },
    { exhaustive: true },
    { exhaustive: true, model: { kind: 'linear_svm', c: 1, loss: 'hinge', positiveWeight: 2 } },
    { clusters: 2 ** 31, model: { kind: 'rocchio', positiveWeight: 1, negativeWeight: 0.5 } },
    { negative: new Uint32Array(0) },
    { positive: new Uint32Array(0) },
  ];
  const answers = searches.map((search, seed) =>
    round(collection, requestOf(collection, { ...randomLabels(random, 300, 5, 20), seed, k: 60, workers, ...search })),
  );
  // A number prints with the digits that tell it from every other, but for the sign of zero.
  return JSON.stringify(answers, (_, value: unknown) => {
    if (Object.is(value, -0)) return '-0';
    return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value;
  });
}

/** Writes an array as .npy and returns its path. */
export function npyFile(
  folder: string,
  name: string,
  type: NpyType,
  values: NodeJS.TypedArray,
  columns: number,
): string {
  const path = join(folder, `${name}.npy`);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(path, Buffer.concat([npyHeader(type, [values.length / columns, columns]), bytes]));
  return path;
}

export function denseFile(folder: string, name: string, values: Float32Array, dims: number): string {
  return npyFile(folder, name, 'f4', values, dims);
}

export function sparseFiles(
  folder: string,
  name: string,
  rows: { readonly ids: Uint32Array; readonly values: Float32Array },
  perRow: number,
): Input {
  const ids = npyFile(folder, `${name}_ids`, 'u4', rows.ids, perRow);
  return { path: npyFile(folder, `${name}_scores`, 'f4', rows.values, perRow), options: { ids } };
}

/** A uniform number in [0, 1) with 24 bits. */
export function uniform(random: Random): number {
  return random.below(2 ** 24) / 2 ** 24;
}

/** Dense rows around `groups` centres, half of the spread within a group. */
export function clustered(rows: number, dims: number, groups: number, seed: number): Float32Array {
  const random = seededRandom(seed, 'clustered rows');
  const centres = Float32Array.from({ length: groups * dims }, () => 2 * uniform(random) - 1);
  const values = new Float32Array(rows * dims);
  for (let row = 0, at = 0; row < rows; row++) {
    const from = random.below(groups) * dims;
    for (let d = 0; d < dims; d++) values[at++] = (centres[from + d] as number) + uniform(random) - 0.5;
  }
  return values;
}

/**
 * Sparse rows of distinct ids and values in (0, 1], falling along the row. A row is one of rows / 500 prototypes with
 * some of its ids exchanged and its values shaken, as pictures of one scene are.
 */
export function sparseRows(
  rows: number,
  dims: number,
  perRow: number,
  seed: number,
): { readonly ids: Uint32Array; readonly values: Float32Array } {
  const random = seededRandom(seed, 'sparse rows');
  const prototypes = Array.from({ length: Math.ceil(rows / 500) }, () => distinct(random, new Set(), perRow, dims));
  const ids = new Uint32Array(rows * perRow);
  const values = new Float32Array(ids.length);
  for (let row = 0; row < rows; row++) {
    const prototype = prototypes[random.below(prototypes.length)] as number[];
    const kept = prototype.filter(() => random.below(8) > 0);
    let value = 1;
    distinct(random, new Set(kept), perRow, dims).forEach((id, j) => {
      value *= 1 - uniform(random) / 2;
      ids[row * perRow + j] = id;
      values[row * perRow + j] = value;
    });
  }
  return { ids, values };
}

/** `ids` filled up to `count` numbers below `limit`. */
function distinct(random: Random, ids: Set<number>, count: number, limit: number): number[] {
  while (ids.size < count) ids.add(random.below(limit));
  return [...ids];
}

type LayoutKeys = Readonly<Record<string, string>>;

function layoutKeys(
  features: number,
  idBits: number,
  valueBits: number,
  valueDivisor: string,
  ratioBits: number,
  ratioDivisor: string,
): LayoutKeys {
  return {
    features: `${features}`,
    id_bits: `${idBits}`,
    value_bits: `${valueBits}`,
    value_divisor: valueDivisor,
    ratio_bits: `${ratioBits}`,
    ratio_divisor: ratioDivisor,
  };
}

/** Sparse rows packed as the papers do, written from the description of the format rather than from the reader. */
function r64Folder(path: string, rows: number, dims: number, seed: number, keys: LayoutKeys): Input {
  const number = (key: string): number => Number(keys[key]);
  const features = number('features');
  const { ids, values } = sparseRows(rows, dims, features, seed);
  const words = [new BigUint64Array(rows), new BigUint64Array(rows), new BigUint64Array(rows)] as const;
  const [init, idWords, ratioWords] = words;
  const valueBits = BigInt(number('value_bits'));
  for (let row = 0; row < rows; row++) {
    const from = row * features;
    const first = BigInt(Math.round((values[from] as number) * number('value_divisor')));
    init[row] = (BigInt(ids[from] as number) << valueBits) | first;
    let idWord = 0n;
    let ratioWord = 0n;
    for (let j = features - 1; j > 0; j--) {
      const ratio = (values[from + j] as number) / (values[from + j - 1] as number);
      idWord = (idWord << BigInt(number('id_bits'))) | BigInt(ids[from + j] as number);
      ratioWord = (ratioWord << BigInt(number('ratio_bits'))) | BigInt(Math.round(ratio * number('ratio_divisor')));
    }
    idWords[row] = idWord << BigInt(64 % number('id_bits'));
    ratioWords[row] = ratioWord << BigInt(64 % number('ratio_bits'));
  }
  mkdirSync(path);
  ['init.u64', 'ids.u64', 'ratios.u64'].forEach((name, i) => {
    writeFileSync(join(path, name), new Uint8Array((words[i] as BigUint64Array).buffer));
  });
  return { path, options: keys };
}
