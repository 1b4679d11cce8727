// Seeded inputs and builds for tests of the index, the builder and the command line.

import { writeFileSync } from 'node:fs';
import { type BuildOptions, buildIndex } from '../../index-builder/main.ts';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import type { Progress } from '../../index-builder/stages/stage.ts';
import type { Manifest } from '../../src/index/format.ts';
import { openIndex } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS, type RoundResult } from '../../src/round-request.ts';

/** A modality's vectors file and its keys. */
export type Input = readonly [path: string, options?: Readonly<Record<string, string>>];

/** Builds `out` from inputs by modality name: one thread, clusters of 10, hardly measured, all else by default. */
export async function build(
  out: string,
  inputs: Readonly<Record<string, Input>>,
  options: Partial<BuildOptions> = {},
  onProgress: (progress: Progress) => void = () => {},
): Promise<Manifest> {
  const modalities = Object.entries(inputs).map(([name, [path, keys = {}]]) => ({
    name,
    path,
    options: new Map(Object.entries(keys)),
  }));
  return await buildIndex(
    {
      out,
      modalities,
      seed: 1,
      clusterSize: 10,
      assign: 'exact',
      refine: 1,
      threads: 1,
      qualityQueries: 1,
      ...options,
    },
    onProgress,
  );
}

/** Writes float32 vectors, row-major, as .npy. */
export function writeVectors(path: string, dims: number, values: Float32Array): string {
  writeFileSync(
    path,
    Buffer.concat([npyHeader('f4', [values.length / dims, dims]), new Uint8Array(values.buffer, 0, values.byteLength)]),
  );
  return path;
}

export function writeLines(path: string, lines: readonly string[]): string {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

/** Values uniform in [0, 1), or around zero. */
export function uniformValues(seed: number, count: number, lowest: 0 | -1 = 0): Float32Array {
  const random = seededRandom(seed, 'uniform values');
  return Float32Array.from({ length: count }, () => {
    const uniform = random.below(2 ** 24) / 2 ** 24;
    return lowest === 0 ? uniform : 2 * uniform - 1;
  });
}

/**
 * Groups of equal size, row i in group i % groups: centres uniform in [0, 1) per dimension, members within `radius` of
 * them per dimension, nothing below 0.
 */
export function groupedValues(seed: number, rows: number, dims: number, groups: number, radius: number): Float32Array {
  const centres = uniformValues(seed, groups * dims);
  const noise = uniformValues(seed + 1, rows * dims, -1);
  return noise.map((offset, i) => {
    const group = Math.floor(i / dims) % groups;
    return Math.max(0, (centres[group * dims + (i % dims)] as number) + radius * offset);
  });
}

/** One round over an index on disk with all its modalities. */
export function roundOver(directory: string, positive: readonly number[], negative: readonly number[]): RoundResult {
  const collection = openIndex(directory);
  return round(collection, {
    ...ROUND_DEFAULTS,
    diversity: 1,
    positive: Uint32Array.from(positive),
    negative: Uint32Array.from(negative),
    exclude: new Uint32Array(0),
    k: 10,
    modalities: [...collection.modalities.keys()].map((name) => ({ name, weight: 1 })),
  });
}

/** A modality as the index holds it, decoded to plain dense vectors. */
export interface Decoded {
  /** By item number. */
  readonly items: readonly Float64Array[];
  /** By cluster number. */
  readonly representatives: readonly Float64Array[];
}

export function decode(directory: string, name: string): Decoded {
  const collection = openIndex(directory);
  const modality = collection.modalities.get(name);
  if (modality === undefined) throw new RangeError(`no modality ${name}`);
  const { dims, ratio, clusters } = modality.manifest;
  const all = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
  const rows = (
    count: number,
    features: number | undefined,
    read: (ids: Uint32Array, values: Float32Array) => void,
  ) => {
    const perRow = features ?? dims;
    const values = new Float32Array(count * perRow);
    const ids = new Uint32Array(features === undefined ? 0 : values.length);
    read(ids, values);
    return Array.from({ length: count }, (_, row) => {
      const vector = new Float64Array(dims);
      for (let j = 0; j < perRow; j++) {
        const value = values[row * perRow + j] as number;
        if (value !== 0) vector[features === undefined ? j : (ids[row * perRow + j] as number)] = value;
      }
      return vector;
    });
  };
  return {
    items: rows(collection.items, ratio?.items.features, (ids, values) =>
      native.decodeItems(modality.cells, all(collection.items), ids, values),
    ),
    representatives: rows(clusters, ratio?.representatives.features, (ids, values) =>
      native.decodeSlots(modality.representatives, all(clusters), ids, values),
    ),
  };
}

export function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, d) => sum + (value - (b[d] as number)) ** 2, 0);
}
