// What an index holds: counts, levels, cluster sizes, quality, bytes.

import { clusterSizes } from './cluster-sizes.ts';
import type { ClusterSizes, GridManifest, ModalityManifest, QualityManifest } from './format.ts';
import { readManifest } from './open.ts';
import { readWords } from './sections.ts';

export interface ModalityReport {
  readonly name: string;
  readonly codec: string;
  /** How codec rabitq spends its bytes; null for the others. */
  readonly rabitq: RabitqReport | null;
  readonly dims: number;
  readonly normalize: boolean;
  /** Nodes per level, bottom up. */
  readonly levels: readonly number[];
  readonly clusters: number;
  /** That near clusters lie together in; null: they do not. */
  readonly groups: number | null;
  readonly cluster_sizes: ClusterSizes;
  readonly statistics: ModalityManifest['statistics'];
  readonly bytes_per_item: number;
}

export interface RabitqReport {
  /** Of a code per dimension; those behind the first `full_dims` have one less. */
  readonly bits: number;
  readonly full_dims: number;
  /** That a scan reads. */
  readonly scan_bits: number;
  /** The factors lie within the codes. */
  readonly folded: boolean;
}

export interface IndexReport {
  readonly generation: string;
  readonly items: number;
  readonly seed: number;
  readonly build: { readonly cluster_size: number; readonly assign: string; readonly refine: number };
  readonly bytes: number;
  readonly bytes_per_item: number;
  readonly modalities: readonly ModalityReport[];
  /** The grid whose cells the index holds, or null. */
  readonly grid: GridManifest | null;
  /** As it was measured when the index was built; null where it was not. */
  readonly quality: QualityManifest | null;
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
      rabitq: rabitqReport(modality),
      dims: modality.dims,
      normalize: modality.normalize,
      levels: modality.levels,
      clusters: modality.clusters,
      groups: modality.groups ?? null,
      cluster_sizes: clusterSizes(readWords(directory, manifest, `${modality.name}.starts`)),
      statistics: modality.statistics,
      bytes_per_item: bytesOf(`${modality.name}.`) / items,
    })),
    grid: manifest.grid ?? null,
    quality: manifest.quality ?? null,
    sections: sections.map(({ name, bytes, shards }) => ({ name, bytes, shards: shards.length })),
  };
}

function rabitqReport({ rabitq }: ModalityManifest): RabitqReport | null {
  if (rabitq === undefined) return null;
  const { largest_factor, ...form } = rabitq;
  return { ...form, folded: largest_factor !== undefined };
}
