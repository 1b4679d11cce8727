// The collections that benches run on. Real ones lie in the shared data folder (../shared/data beside the package, or
// FARSIGHT_DATA); where it is absent, a synthetic collection of the same shape stands in, and the bench says so.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD_DEFAULTS, type BuildOptions, buildIndex } from '../../index-builder/main.ts';
import type { ModalitySpec } from '../../index-builder/modality-spec.ts';
import { type Collection, openIndex } from '../../src/index/open.ts';
import { type SyntheticShape, syntheticGroups, writeSynthetic } from './synthetic.ts';

/** One modality: where its vectors are, and what stands in for them. */
export interface DatasetModality {
  readonly name: string;
  /** Relative to the shared data folder, unless it begins at the root; null for data that is always synthetic. */
  readonly path: string | null;
  /** Further keys of --modality; `ids` is a path like `path`. */
  readonly options: Readonly<Record<string, string>>;
  /** The shape of the vectors, to generate others like them. */
  readonly shape: SyntheticShape;
}

export interface Dataset {
  readonly name: string;
  readonly modalities: readonly DatasetModality[];
  /** Items that belong together (a class, a subject, a strongest concept), read from the real data. */
  readonly realGroups: () => readonly Uint32Array[];
}

export const lsc100k: Dataset = {
  name: 'lsc100k',
  modalities: [
    {
      name: 'concepts',
      path: 'lsc100k',
      options: {
        features: '5',
        id_bits: '16',
        value_bits: '48',
        value_divisor: '2e14',
        ratio_bits: '16',
        ratio_divisor: '50000',
      },
      shape: { kind: 'sparse', rows: 100_000, dims: 12_988, features: 5, groups: 1000, seed: 1 },
    },
  ],
  // No labels: items with the same strongest concept, which is what the papers' ImageNet actors look for.
  realGroups: () => byKey(strongestIds('lsc100k/init.u64', 48)),
};

export const lsc41k: Dataset = {
  name: 'lsc41k',
  modalities: [
    {
      name: 'concepts',
      path: 'lsc41k',
      options: {
        features: '7',
        id_bits: '10',
        value_bits: '54',
        value_divisor: '1e16',
        ratio_bits: '10',
        ratio_divisor: '1000',
      },
      shape: { kind: 'sparse', rows: 41_666, dims: 1000, features: 7, groups: 300, seed: 2 },
    },
  ],
  realGroups: () => byKey(strongestIds('lsc41k/init.u64', 54)),
};

export const caltech97: Dataset = {
  name: 'caltech97',
  modalities: [
    {
      name: 'visual',
      path: 'caltech97/visual_1280.npy',
      options: { codec: 'sq8' },
      shape: { kind: 'dense', rows: 7_738, dims: 1280, groups: 97, seed: 3 },
    },
    {
      name: 'concepts',
      path: 'caltech97/concept_scores.npy',
      options: { ids: 'caltech97/concept_ids.npy' },
      shape: { kind: 'sparse', rows: 7_738, dims: 1001, features: 20, groups: 97, seed: 3 },
    },
  ],
  realGroups: () => byKey(npyPayload('caltech97/labels.npy', Int32Array)),
};

export const tate: Dataset = {
  name: 'tate',
  modalities: [
    {
      name: 'tags',
      path: 'tate/tags_128.npy',
      options: { codec: 'sq8' },
      shape: { kind: 'dense', rows: 69_202, dims: 128, groups: 143, seed: 4 },
    },
    {
      name: 'caption',
      path: 'tate/caption_128.npy',
      options: { codec: 'sq8' },
      shape: { kind: 'dense', rows: 69_202, dims: 128, groups: 143, seed: 4 },
    },
  ],
  realGroups: subjectGroups,
};

/** A collection of one modality that is synthetic on every machine. */
export function synthetic(name: string, shape: SyntheticShape): Dataset {
  return { name, modalities: [{ name: 'vectors', path: null, options: {}, shape }], realGroups: () => [] };
}

/** The collections that a command line names; without names, the standard ones. */
export function named(
  names: readonly string[],
  known: readonly Dataset[],
  standard: readonly Dataset[],
): readonly Dataset[] {
  if (names.length === 0) return standard;
  return names.map((wanted) => {
    const dataset = known.find(({ name }) => name === wanted);
    if (dataset === undefined) throw new RangeError(`${wanted}: known are ${known.map(({ name }) => name).join(', ')}`);
    return dataset;
  });
}

/** The folder of real data, or null on a machine without it. */
export function dataFolder(): string | null {
  const folder = process.env.FARSIGHT_DATA ?? join(packageRoot(), '../shared/data');
  return existsSync(folder) ? folder : null;
}

/** The package's own folder, from the sources and from dist alike. */
export function packageRoot(): string {
  const up = import.meta.url.endsWith('.ts') ? '../..' : '../../..';
  return fileURLToPath(new URL(up, import.meta.url));
}

export function isReal(dataset: Dataset): boolean {
  const folder = dataFolder();
  return folder !== null && dataset.modalities.every(({ path }) => path !== null && existsSync(resolve(folder, path)));
}

/** Name, size and origin, for the head of a table. */
export function describe(dataset: Dataset): string {
  const rows = (dataset.modalities[0] as DatasetModality).shape.rows;
  const shapes = dataset.modalities.map(({ name, shape }) =>
    shape.kind === 'dense' ? `${name} ${shape.dims}-d` : `${name} ${shape.features} of ${shape.dims}`,
  );
  return `${dataset.name}: ${rows} items, ${shapes.join(' + ')} (${isReal(dataset) ? 'real data' : 'synthetic stand-in'})`;
}

/** Item numbers that belong together, by decreasing size. */
export function groupsOf(dataset: Dataset): readonly Uint32Array[] {
  const groups = isReal(dataset)
    ? dataset.realGroups()
    : syntheticGroups((dataset.modalities[0] as DatasetModality).shape);
  return groups.toSorted((a, b) => b.length - a.length);
}

/** What --modality would say; writes the synthetic vectors on first use. */
export function specsOf(dataset: Dataset): readonly ModalitySpec[] {
  const folder = dataFolder();
  const real = folder !== null && isReal(dataset);
  return dataset.modalities.map(({ name, path, options, shape }) => {
    if (!real) return { name, ...writeSynthetic(shape, cacheFolder()) };
    const { ids, ...rest } = options;
    const located = ids === undefined ? rest : { ...rest, ids: join(folder, ids) };
    return { name, path: resolve(folder, path as string), options: new Map(Object.entries(located)) };
  });
}

export interface IndexOptions extends Partial<Omit<BuildOptions, 'out' | 'modalities'>> {
  /** Names of the modalities to index; all without. */
  readonly modalities?: readonly string[];
  /** Keys of --modality to add to every modality, as { normalize: 'false' }. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** An index of the collection, built once per set of options and builder and kept in a cache folder. */
export async function indexOf(
  dataset: Dataset,
  { modalities, keys = {}, ...build }: IndexOptions = {},
): Promise<{ readonly directory: string; readonly collection: Collection }> {
  const specs = specsOf(dataset)
    .filter(({ name }) => modalities?.includes(name) ?? true)
    .map((spec) => ({ ...spec, options: new Map([...spec.options, ...Object.entries(keys)]) }));
  const options = { ...BUILD_DEFAULTS, threads: 2, ...build, modalities: specs };
  const asked = JSON.stringify({
    ...options,
    modalities: specs.map((spec) => [spec.name, spec.path, ...spec.options]),
  });
  const name = `${dataset.name}-${shortHash(asked)}`;
  const current = `${name}-${builderStamp()}`;
  const directory = join(cacheFolder(), current);
  if (!existsSync(directory)) {
    for (const old of readdirSync(cacheFolder())) {
      if (old.startsWith(`${name}-`)) rmSync(join(cacheFolder(), old), { recursive: true, force: true });
    }
    await buildIndex({ ...options, out: directory }, () => {});
  }
  return { directory, collection: openIndex(directory) };
}

/** Where generated vectors and indexes are kept between runs. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), 'farsight-bench');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Changes when the addon or a file of the builder does, so that no bench runs on an index of older code. */
function builderStamp(): string {
  const built = new URL('../../', import.meta.url);
  const folders = ['index-builder', 'src'].map((folder) => fileURLToPath(new URL(folder, built)));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  files.push(join(packageRoot(), 'native/build/Release/farsight.node'));
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    if (/\.(js|ts|node)$/.test(file) && statSync(file).isFile()) hash.update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 8);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Items by equal key. */
function byKey(keys: ArrayLike<number>): Uint32Array[] {
  const members = new Map<number, number[]>();
  for (let item = 0; item < keys.length; item++) {
    const key = keys[item] as number;
    const group = members.get(key);
    if (group === undefined) members.set(key, [item]);
    else group.push(item);
  }
  return [...members.values()].map((group) => Uint32Array.from(group));
}

/** The id above the value bits of each word of an r64 `init` file: the strongest feature of each item. */
function strongestIds(path: string, valueBits: number): number[] {
  const bytes = readFileSync(join(dataFolder() as string, path));
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  return Array.from(words, (word) => Number(word >> BigInt(valueBits)));
}

function subjectGroups(): Uint32Array[] {
  const starts = npyPayload('tate/subject_indptr.npy', Uint32Array);
  const subjects = npyPayload('tate/subject_indices.npy', Uint16Array);
  const members: number[][] = [];
  for (let item = 0; item + 1 < starts.length; item++) {
    for (let i = starts[item] as number; i < (starts[item + 1] as number); i++) {
      const subject = subjects[i] as number;
      members[subject] ??= [];
      (members[subject] as number[]).push(item);
    }
  }
  return members.filter((group) => group !== undefined).map((group) => Uint32Array.from(group));
}

/** The numbers of a one-dimensional .npy (version 1) whose type the caller knows. */
function npyPayload<T>(path: string, array: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): T }): T {
  const bytes = readFileSync(join(dataFolder() as string, path));
  const payload = bytes.subarray(10 + bytes.readUInt16LE(8));
  return new array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength) as ArrayBuffer);
}
