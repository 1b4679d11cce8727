// The grid of GridS (IRIS, steps 1 and 2): every item's place along the principal components, cut into quantiles.

import type { Modality } from './index/open.ts';
import { native } from './native.ts';
import { sampleAscending, seededRandom } from './random.ts';

/** Modalities and their weights: as one vector, each scaled by the root of its weight. */
export interface Spaces {
  readonly modalities: readonly Modality[];
  readonly weights: Float64Array;
  /** Items of the collection. */
  readonly items: number;
}

export interface Scan {
  readonly workers: number;
  readonly deadlineMs: number;
}

/** Components are taken from this many items at most, and from no more than so many values. */
const SAMPLE_ITEMS = 2048;
const SAMPLE_VALUES = 1 << 24;

/** Grids that are kept, each of 4 bytes an item. */
const KEPT_GRIDS = 4;

/** Grids that were asked for, so that the rounds of a session compute theirs once. */
export class GridCells {
  readonly #kept = new Map<string, Uint32Array>();

  /** The cells of a collection of this generation; null when the deadline passed first. */
  of(generation: string, spaces: Spaces, components: number, segments: number, scan: Scan): Uint32Array | null {
    const names = spaces.modalities.map(({ name }) => name);
    const key = JSON.stringify([generation, names, [...spaces.weights], components, segments]);
    const cells = this.#kept.get(key) ?? gridCells(spaces, components, segments, scan);
    if (cells === null) return null;
    // The least recently used one goes.
    this.#kept.delete(key);
    this.#kept.set(key, cells);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_GRIDS) break;
      this.#kept.delete(old);
    }
    return cells;
  }
}

/**
 * The cell of every item: digits to the base `segments`, one per component. An item's segment is its rank along the
 * component times segments / items, so segments are equally full; equal places are ranked by item number.
 */
export function gridCells(spaces: Spaces, components: number, segments: number, scan: Scan): Uint32Array | null {
  const { items } = spaces;
  const axes = principalAxes(spaces, components);
  const numbers = Uint32Array.from({ length: items }, (_, item) => item);
  const order = new Uint32Array(items);
  const cells = new Uint32Array(items);
  for (const axis of axes) {
    const places = placesAlong(axis, spaces, scan);
    if (places === null) return null;
    native.orderByScore(numbers, places, order);
    for (let rank = 0; rank < items; rank++) {
      const item = order[rank] as number;
      cells[item] = (cells[item] as number) * segments + Math.floor((rank * segments) / items);
    }
  }
  return cells;
}

/** Unit vectors over the dims of all modalities in turn, of a sample that depends on the collection alone. */
function principalAxes({ modalities, weights, items }: Spaces, count: number): readonly Float32Array[] {
  const dims = modalities.reduce((sum, { manifest }) => sum + manifest.dims, 0);
  const most = Math.max(count + 1, Math.min(SAMPLE_ITEMS, Math.floor(SAMPLE_VALUES / dims)));
  const sample = sampleAscending(seededRandom(0, 'grid sample'), most, items);
  const axes = new Float32Array(count * dims);
  native.principalComponents(
    modalities.map(({ cells }) => cells),
    weights,
    sample,
    axes,
  );
  return Array.from({ length: count }, (_, c) => axes.subarray(c * dims, (c + 1) * dims));
}

/** The product of every item's vector with an axis. */
function placesAlong(axis: Float32Array, { modalities, weights, items }: Spaces, scan: Scan): Float64Array | null {
  const sum = new Float64Array(items);
  const places = new Float64Array(items);
  let from = 0;
  for (const [m, { cells, manifest }] of modalities.entries()) {
    const scale = Math.sqrt(weights[m] as number);
    const model = axis.subarray(from, from + manifest.dims).map((value) => value * scale);
    from += manifest.dims;
    if (!native.scoreAll(native.linearHead(cells, model, 0), scan.workers, scan.deadlineMs, places)) return null;
    for (let item = 0; item < items; item++) (sum[item] as number) += places[item] as number;
  }
  return sum;
}
