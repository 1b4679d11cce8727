// Seeded synthetic vectors with the traits that matter to an index: groups of very different size (Zipf), members
// scattered around what their group has in common, and a background of items that belong to none.

import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { type Random, seededRandom } from '../../src/random.ts';

export type SyntheticShape =
  | {
      readonly kind: 'dense';
      readonly rows: number;
      readonly dims: number;
      readonly groups: number;
      readonly seed: number;
      /** Principal deviation i falls as (1 + i) ** -decay, like that of learned embeddings; 0 when left out. */
      readonly decay?: number;
      /** Distance between group centres over the scatter of a member, per dimension; SEPARATION when left out. */
      readonly separation?: number;
      /** Whether half of the items belong to no group; they do when left out. */
      readonly background?: boolean;
      /** Whether groups are of about equal size; Zipf-distributed when left out. */
      readonly even?: boolean;
    }
  | {
      readonly kind: 'sparse';
      readonly rows: number;
      readonly dims: number;
      /** Features per row, strongest first. */
      readonly features: number;
      readonly groups: number;
      readonly seed: number;
    };

/** Rows generated and written together. */
const CHUNK_ROWS = 8192;
/** Distance between group centres over the scatter of a member, per dimension. */
const SEPARATION = 0.6;
/** Features a sparse group has in common, and the share of a member's features that come from them. */
const GROUP_FEATURES = 12;
const GROUP_SHARE = 0.6;

/** Writes the vectors as .npy (once) and returns them as the value of --modality. */
export function writeSynthetic(
  shape: SyntheticShape,
  folder: string,
): { readonly path: string; readonly options: ReadonlyMap<string, string> } {
  const stem = join(folder, `synthetic-${Object.values(shape).join('-')}`);
  if (shape.kind === 'dense') {
    const path = `${stem}.npy`;
    if (!existsSync(path)) writeRows([path], ['f4'], shape.rows, shape.dims, denseRows(shape));
    return { path, options: new Map([['codec', 'sq8']]) };
  }
  const path = `${stem}.npy`;
  const ids = `${stem}-ids.npy`;
  if (!existsSync(path)) writeRows([ids, path], ['u2', 'f4'], shape.rows, shape.features, sparseRows(shape));
  return {
    path,
    options: new Map([
      ['codec', 'ratio'],
      ['ids', ids],
      ['dims', String(shape.dims)],
    ]),
  };
}

/** The items of each group; those of the background are in none. */
export function syntheticGroups(shape: SyntheticShape): readonly Uint32Array[] {
  const groups: number[][] = Array.from({ length: shape.groups }, () => []);
  groupOfRow(shape).forEach((group, row) => {
    groups[group]?.push(row);
  });
  return groups.map((group) => Uint32Array.from(group));
}

/** Per row its group, or `groups` for the background: half of the items, the rest Zipf-distributed. */
function groupOfRow(shape: SyntheticShape): Uint32Array {
  const { rows, groups, seed } = shape;
  const background = shape.kind === 'sparse' || (shape.background ?? true);
  const random = seededRandom(seed, 'synthetic groups');
  const even = shape.kind === 'dense' && (shape.even ?? false);
  const drawn = even ? (from: Random) => from.below(groups) : zipfOf(groups);
  return Uint32Array.from({ length: rows }, () => (background && random.below(2) === 0 ? groups : drawn(random)));
}

/** Gaussian rows around Gaussian centres; the background around the origin. */
function* denseRows(shape: SyntheticShape & { kind: 'dense' }): Generator<readonly [Float32Array]> {
  const { rows, dims, groups, seed, decay = 0, separation = SEPARATION } = shape;
  const deviations = Float32Array.from({ length: dims }, (_, d) => (1 + d) ** -decay);
  const random = seededRandom(seed, 'synthetic dense');
  const normal = normals(random);
  const centres = Float32Array.from({ length: (groups + 1) * dims }, (_, i) =>
    i < groups * dims ? separation * normal() : 0,
  );
  const group = groupOfRow(shape);
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const values = new Float32Array(Math.min(CHUNK_ROWS, rows - first) * dims);
    for (let i = 0; i < values.length; i++) {
      const centre = (group[first + Math.floor(i / dims)] as number) * dims;
      values[i] = ((centres[centre + (i % dims)] as number) + normal()) * (deviations[i % dims] as number);
    }
    if (decay !== 0) for (let at = 0; at < values.length; at += dims) mix(values.subarray(at, at + dims));
    yield [values];
  }
}

/**
 * An orthogonal transform that leaves no coordinate a principal one: a Walsh-Hadamard transform of every block of equal
 * stride, blocks being as long as the largest power of two that divides the dims.
 */
export function mix(row: Float32Array): void {
  const length = row.length & -row.length;
  const stride = row.length / length;
  for (let half = stride; half < row.length; half *= 2) {
    for (let from = 0; from < row.length; from += 2 * half) {
      for (let i = from; i < from + half; i++) {
        const low = row[i] as number;
        const high = row[i + half] as number;
        row[i] = (low + high) * Math.SQRT1_2;
        row[i + half] = (low - high) * Math.SQRT1_2;
      }
    }
  }
}

/** Zipf-distributed features, most of a member's from its group's own; values fall off like a classifier's scores. */
function* sparseRows(shape: SyntheticShape & { kind: 'sparse' }): Generator<readonly [Uint16Array, Float32Array]> {
  const { rows, dims, features, groups, seed } = shape;
  const random = seededRandom(seed, 'synthetic sparse');
  const zipf = zipfOf(dims);
  const own = Uint16Array.from({ length: groups * GROUP_FEATURES }, () => zipf(random));
  const group = groupOfRow(shape);
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - first);
    const ids = new Uint16Array(count * features);
    const values = new Float32Array(count * features);
    for (let row = 0; row < count; row++) {
      const of = group[first + row] as number;
      const at = row * features;
      let value = 0.2 + 0.8 * uniform(random);
      for (let j = 0; j < features; j++) {
        let id: number;
        do {
          const shared = of < groups && uniform(random) < GROUP_SHARE;
          id = shared ? (own[of * GROUP_FEATURES + random.below(GROUP_FEATURES)] as number) : zipf(random);
        } while (ids.subarray(at, at + j).includes(id));
        ids[at + j] = id;
        values[at + j] = value;
        value *= 0.3 + 0.65 * uniform(random);
      }
    }
    yield [ids, values];
  }
}

/** Writes columns of rows side by side, one .npy each, the last named last: it is there only when all are. */
function writeRows(
  paths: readonly string[],
  types: readonly NpyType[],
  rows: number,
  columns: number,
  chunks: Iterable<readonly (Float32Array | Uint16Array)[]>,
): void {
  const partial = (path: string): string => `${path}.${process.pid}`;
  const files = paths.map((path) => openSync(partial(path), 'w'));
  files.forEach((file, i) => {
    writeSync(file, npyHeader(types[i] as NpyType, [rows, columns]));
  });
  for (const chunk of chunks) {
    chunk.forEach((values, i) => {
      writeSync(files[i] as number, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    });
  }
  for (const file of files) closeSync(file);
  for (const path of paths) renameSync(partial(path), path);
}

/** Draws 0 … count - 1, number i with probability proportional to 1 / (i + 1). */
function zipfOf(count: number): (random: Random) => number {
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    total += 1 / (i + 1);
    cumulative[i] = total;
  }
  return (random) => {
    const drawn = uniform(random) * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Standard normal numbers (Box and Muller, 1958). */
export function normals(random: Random): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const second = spare;
      spare = null;
      return second;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(random)));
    const angle = 2 * Math.PI * uniform(random);
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** A number in [0, 1) in steps of 2^-32. */
function uniform(random: Random): number {
  return random.below(2 ** 32) / 2 ** 32;
}
