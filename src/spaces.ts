// The modalities of a round as one vector, each scaled by the root of its weight.

import type { Collection, Modality, StoredGrid } from './index/open.ts';

export interface Spaces {
  readonly modalities: readonly Modality[];
  /** They add up to 1. */
  readonly weights: Float64Array;
  /** Items of the collection. */
  readonly items: number;
  /** The collection's stored grid, where it is of these modalities and weights. */
  readonly grid: StoredGrid | null;
}

/** What a scan may take: threads that share it, and when to stop. */
export interface Scan {
  readonly workers: number;
  readonly deadlineMs: number;
}

/** Modalities of a collection by name, with their weights. Throws RangeError for one that it lacks. */
export function spacesOf(
  collection: Collection,
  modalities: readonly { readonly name: string; readonly weight: number }[],
): Spaces {
  const total = modalities.reduce((sum, { weight }) => sum + weight, 0);
  const [first] = modalities;
  const names = collection.manifest.modalities.map(({ name }) => name);
  const all = names.length === modalities.length && modalities.every(({ name }, m) => name === names[m]);
  return {
    modalities: modalities.map(({ name }) => modalityOf(collection, name)),
    weights: Float64Array.from(modalities, ({ weight }) => weight / total),
    items: collection.items,
    grid: all && modalities.every(({ weight }) => weight === first?.weight) ? collection.grid : null,
  };
}

/** All modalities with equal weights: what the stored grid is of. */
export function spacesOfAll(collection: Collection): Spaces {
  return spacesOf(
    collection,
    collection.manifest.modalities.map(({ name }) => ({ name, weight: 1 })),
  );
}

/** A modality by name. Throws RangeError. */
export function modalityOf(collection: Collection, name: string): Modality {
  const modality = collection.modalities.get(name);
  if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
  return modality;
}
