// The grid of GridS (IRIS, steps 1 and 2): every item's place along the principal components, cut into quantiles.

import { native } from './native.ts';
import { sampleAscending, seededRandom } from './random.ts';
import type { Scan, Spaces } from './spaces.ts';

/** The grid of a round that asks for no other, and of the index. */
export const GRID_DEFAULTS = { components: 3, segments: 10 } as const;

/** Components are taken from this many items at most, and from no more than so many values. */
const SAMPLE_ITEMS = 2048;
const SAMPLE_VALUES = 1 << 24;

/** Grids that are kept, each of 4 bytes an item. */
const KEPT_GRIDS = 4;

/** Grids that were asked for, so that the rounds of a session compute theirs once. */
export class GridCells {
  readonly #kept = new Map<string, Uint32Array>();

  /** The cells under a key of gridKey; null when the deadline passed first. */
  of(key: string, spaces: Spaces, components: number, segments: number, scan: Scan): Uint32Array | null {
    const cells =
      this.#kept.get(key) ??
      storedCells(spaces, components, segments) ??
      exactCells(spaces, components, segments, scan);
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

/** What tells grids apart. */
export function gridKey(generation: string, spaces: Spaces, components: number, segments: number): string {
  const names = spaces.modalities.map(({ name }) => name);
  return JSON.stringify([generation, names, [...spaces.weights], components, segments]);
}

/** Whether the index holds the cells of this grid. */
export function isStored({ grid }: Spaces, components: number, segments: number): boolean {
  return grid !== null && grid.components === components && grid.segments === segments;
}

/**
 * The cell of every item: digits to the base `segments`, one per component. An item's segment is its rank along the
 * component times segments / items, largest place first, so segments are equally full; equal places are ranked by item
 * number. Null when the deadline passed first.
 */
export function exactCells(
  spaces: Spaces,
  components: number,
  segments: number,
  scan: Scan,
  onComponent: (done: number) => void = () => {},
): Uint32Array | null {
  const axes = principalAxes(spaces, components);
  const cells = new Uint32Array(spaces.items);
  const places = new Float64Array(spaces.items);
  for (const [c, axis] of axes.entries()) {
    places.fill(0);
    for (const [m, { cells: codes }] of spaces.modalities.entries()) {
      const head = native.linearHead(codes, axis[m] as Float32Array, 0);
      if (!native.addScores(head, scan.workers, scan.deadlineMs, places)) return null;
    }
    native.appendSegments(places, segments, scan.workers, cells);
    onComponent(c + 1);
  }
  return cells;
}

/** Per component, its weights in each modality: the product with an item's vectors is its place. */
export type Axis = readonly Float32Array[];

/** Unit vectors over the dims of all modalities in turn, of a sample that depends on the collection alone. */
export function principalAxes({ modalities, weights, items }: Spaces, count: number): readonly Axis[] {
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
  return Array.from({ length: count }, (_, c) => {
    let from = c * dims;
    return modalities.map(({ manifest }, m) => {
      const scale = Math.sqrt(weights[m] as number);
      const first = from;
      from += manifest.dims;
      return axes.slice(first, from).map((value) => value * scale);
    });
  });
}

/** Those of the index, when they are of this grid. */
function storedCells({ grid, items, ...spaces }: Spaces, components: number, segments: number): Uint32Array | null {
  if (grid === null || !isStored({ grid, items, ...spaces }, components, segments)) return null;
  const bytes = new Uint8Array(native.packedBytes(items, grid.cells));
  native.readSection(grid.section, 0, bytes);
  const cells = new Uint32Array(items);
  native.unpackNumbers(bytes, grid.cells, cells);
  return cells;
}
