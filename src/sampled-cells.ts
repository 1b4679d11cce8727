// The grid of GridS over a large collection: cells of given items, from the index where it has them, else by quantiles of a
// sample.

import type { CollectionSample } from './collection-sample.ts';
import { type Axis, isStored, principalAxes } from './grid-cells.ts';
import { native } from './native.ts';
import type { CellsHandle, HeadHandle } from './native-types.ts';
import type { Spaces } from './spaces.ts';

/** Cells of items, and of the items of the sample. */
export interface SampledCells {
  readonly ofSample: Uint32Array;
  of(items: Uint32Array): Uint32Array;
}

/** Grids that are kept: each holds a number per item of a sample, and a vector per component. */
const KEPT_GRIDS = 16;

/** Grids that were asked for, so that the rounds of a session find theirs once. */
export class SampledGrids {
  readonly #kept = new Map<string, SampledCells>();

  /** The grid under a key of gridKey. */
  of(key: string, spaces: Spaces, sample: CollectionSample, components: number, segments: number): SampledCells {
    const cells =
      this.#kept.get(key) ??
      storedCells(spaces, sample, components, segments) ??
      estimatedCells(spaces, sample, components, segments);
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

/** Items with what they are worth and their cells. */
interface Pool {
  readonly items: Uint32Array;
  readonly values: Float64Array;
  readonly cells: Uint32Array;
}

/** A pool and the sample with its `values`: cells that none of the best items lies in have the best of the sample. */
export function withSample(
  pool: Omit<Pool, 'cells'> | null,
  grid: SampledCells,
  sample: CollectionSample,
  sampled: Float64Array,
): Pool {
  const before = pool?.items.length ?? 0;
  const items = new Uint32Array(before + sample.items.length);
  const values = new Float64Array(items.length);
  const cells = new Uint32Array(items.length);
  if (pool !== null) {
    items.set(pool.items);
    values.set(pool.values);
    cells.set(grid.of(pool.items));
  }
  items.set(sample.items, before);
  values.set(sampled, before);
  cells.set(grid.ofSample, before);
  return { items, values, cells };
}

function storedCells(
  spaces: Spaces,
  sample: CollectionSample,
  components: number,
  segments: number,
): SampledCells | null {
  const { grid, items: count } = spaces;
  if (grid === null || !isStored(spaces, components, segments)) return null;
  const of = (items: Uint32Array): Uint32Array => {
    const cells = new Uint32Array(items.length);
    native.numbersAt(grid.section, count, grid.cells, items, cells);
    return cells;
  };
  return { ofSample: of(sample.items), of };
}

/**
 * An item's segment along a component is the number of boundaries, quantiles of the sample, that its place does not
 * exceed. Of n sampled items, the share before a boundary at p is off by sqrt(p (1 - p) / n), 0.1 % at most.
 */
function estimatedCells(spaces: Spaces, sample: CollectionSample, components: number, segments: number): SampledCells {
  const axes = principalAxes(spaces, components);
  const sampled = spaces.modalities.map((modality) => sample.cellsOf(modality));
  const every = Uint32Array.from(sample.items, (_, i) => i);
  const placesInSample = axes.map((axis) => placesOf(headsOf(axis, sampled), every));
  const boundaries = placesInSample.map((places) => boundariesOf(places, segments));
  const heads = axes.map((axis) =>
    headsOf(
      axis,
      spaces.modalities.map(({ cells }) => cells),
    ),
  );
  return {
    ofSample: cellsAt(placesInSample, boundaries, segments),
    of: (items) =>
      cellsAt(
        heads.map((prepared) => placesOf(prepared, items)),
        boundaries,
        segments,
      ),
  };
}

function headsOf(axis: Axis, cells: readonly CellsHandle[]): readonly HeadHandle[] {
  return cells.map((handle, m) => native.linearHead(handle, axis[m] as Float32Array, 0));
}

function placesOf(heads: readonly HeadHandle[], items: Uint32Array): Float64Array {
  const sum = new Float64Array(items.length);
  const part = new Float64Array(items.length);
  for (const head of heads) {
    native.scoreItems(head, items, part);
    for (let i = 0; i < sum.length; i++) (sum[i] as number) += part[i] as number;
  }
  return sum;
}

/** The largest place of each segment but the first. */
function boundariesOf(places: Float64Array, segments: number): Float64Array {
  const ascending = places.slice().sort();
  return Float64Array.from({ length: segments - 1 }, (_, s) => {
    const rank = Math.ceil(((s + 1) * places.length) / segments);
    return ascending[Math.max(0, places.length - 1 - rank)] as number;
  });
}

function cellsAt(places: readonly Float64Array[], boundaries: readonly Float64Array[], segments: number): Uint32Array {
  const cells = new Uint32Array(places[0]?.length ?? 0);
  for (const [c, along] of places.entries()) {
    const limits = boundaries[c] as Float64Array;
    for (let i = 0; i < cells.length; i++) {
      let segment = 0;
      while (segment < limits.length && (along[i] as number) <= (limits[segment] as number)) segment++;
      cells[i] = (cells[i] as number) * segments + segment;
    }
  }
  return cells;
}
