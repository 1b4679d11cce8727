// What an index holds: counts, levels, cluster sizes, bytes.

import type { ModalityManifest } from './format.ts';
import { readManifest } from './open.ts';
import { readWords } from './sections.ts';

export interface ModalityReport {
  readonly name: string;
  readonly codec: string;
  readonly dims: number;
  readonly normalize: boolean;
  /** Nodes per level, bottom up. */
  readonly levels: readonly number[];
  readonly clusters: number;
  readonly cluster_sizes: {
    readonly mean: number;
    readonly deviation: number;
    /** Sizes that share 1 %, 10 %, 50 %, 90 % and 99 % of the clusters lie at or below. */
    readonly quantiles: Readonly<Record<string, number>>;
    readonly largest: number;
  };
  readonly statistics: ModalityManifest['statistics'];
  readonly bytes_per_item: number;
}

export interface IndexReport {
  readonly generation: string;
  readonly items: number;
  readonly seed: number;
  readonly build: { readonly cluster_size: number; readonly assign: string; readonly refine: number };
  readonly bytes: number;
  readonly bytes_per_item: number;
  readonly modalities: readonly ModalityReport[];
  readonly sections: readonly { readonly name: string; readonly bytes: number; readonly shards: number }[];
}

/** Throws IndexError when the directory holds no readable index. */
export function inspectIndex(directory: string): IndexReport {
  const manifest = readManifest(directory);
  const { sections, items } = manifest;
  const bytesOf = (prefix: string): number =>
    sections.filter(({ name }) => name.startsWith(prefix)).reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = bytesOf('');
  return {
    generation: manifest.generation,
    items,
    seed: manifest.seed,
    build: manifest.build,
    bytes,
    bytes_per_item: bytes / items,
    modalities: manifest.modalities.map((modality) => ({
      name: modality.name,
      codec: modality.codec,
      dims: modality.dims,
      normalize: modality.normalize,
      levels: modality.levels,
      clusters: modality.clusters,
      cluster_sizes: sizesOf(readWords(directory, manifest, `${modality.name}.starts`)),
      statistics: modality.statistics,
      bytes_per_item: bytesOf(`${modality.name}.`) / items,
    })),
    sections: sections.map(({ name, bytes, shards }) => ({ name, bytes, shards: shards.length })),
  };
}

function sizesOf(starts: Uint32Array): ModalityReport['cluster_sizes'] {
  const sizes = Uint32Array.from(starts.subarray(1), (end, c) => end - (starts[c] as number)).sort();
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length;
  const quantile = (share: number): number => sizes[Math.ceil(share * sizes.length) - 1] ?? 0;
  return {
    mean,
    deviation: Math.sqrt(variance),
    quantiles: { p1: quantile(0.01), p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) },
    largest: sizes.at(-1) ?? 0,
  };
}
