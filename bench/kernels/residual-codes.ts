// rabitq codes with random contents for the kernel bench: of 1, 2 and 4 bits, and folded. Clusters are of equal size, and
// there are as many of them as an index has: a score is that of its cluster's representative and what the residual adds.

import { native } from '../../src/native.ts';
import type { CodesHandle, RabitqParameters, SectionHandle, Sq8Vectors } from '../../src/native-types.ts';
import { seededRandom } from '../../src/random.ts';
import { SEED } from './line.ts';
import { type RandomCodes, sq8Codes, sq8Steps, TILE_ROWS, tiled } from './random-codes.ts';

export const CLUSTER_ITEMS = 128;
const BLOCK_ITEMS = 16;
const TILE_CLUSTERS = TILE_ROWS / CLUSTER_ITEMS;
/** Factors of residuals whose values go from -1 to 1 are about a half. */
const LARGEST_FACTOR = 1;

export function rabitqCodes(dims: number, bits: 1 | 2 | 4): RandomCodes {
  const parameters: RabitqParameters = { dims, bits, scanBits: bits, fullDims: dims };
  const blocks = new Uint8Array(native.rabitqCodesBytes(TILE_ROWS, parameters));
  const none = new Uint8Array(0);
  native.packRabitqRecords(randomRecords(dims), 0, starts(TILE_ROWS), middle(dims), parameters, 1, blocks, none);
  const each = blocks.length / TILE_ROWS;
  return {
    ...common(dims, each),
    name: `rabitq ${bits} bit ${dims}-d`,
    open(count) {
      const all = tiled(blocks, blocks.length, native.rabitqCodesBytes(count, parameters));
      // Blocks begin with the cluster of their first slot.
      const view = new DataView(all.buffer);
      for (let slot = 0; slot < count; slot += BLOCK_ITEMS) {
        view.setUint32(slot * each, Math.floor(slot / CLUSTER_ITEMS), true);
      }
      const section = native.memorySection(all);
      return native.openRabitq(count, parameters, section, native.memorySection(none), representatives(dims, count));
    },
  };
}

export function foldedCodes(dims: number): RandomCodes {
  const blocks = new Uint8Array(native.foldedCodesBytes(TILE_ROWS, dims));
  native.packFoldedRecords(randomRecords(dims), 0, starts(TILE_ROWS), middle(dims), dims, LARGEST_FACTOR, 1, blocks);
  return {
    ...common(dims, blocks.length / TILE_ROWS),
    name: `rabitq folded ${dims}-d`,
    open: (count) =>
      native.openFolded(
        count,
        dims,
        LARGEST_FACTOR,
        native.memorySection(tiled(blocks, blocks.length, native.foldedCodesBytes(count, dims))),
        sectionOf(starts(count)),
        representatives(dims, count),
      ),
  };
}

const common = (dims: number, bytesPerVector: number) =>
  ({ dims, bytesPerVector, blockItems: BLOCK_ITEMS, tileRows: TILE_ROWS, plain: null }) as const;

/** Of random bytes; see native/src/rabitq-pack.h. */
function randomRecords(dims: number): Sq8Vectors {
  const random = seededRandom(SEED, `rabitq ${dims}`);
  return { codes: Uint8Array.from({ length: 2 * TILE_ROWS * dims }, () => random.below(256)), ...sq8Steps(dims) };
}

/** The mean of random records, for every cluster of a tile. */
const middle = (dims: number): Float32Array => new Float32Array(TILE_CLUSTERS * dims);

function representatives(dims: number, count: number): CodesHandle {
  const clusters = count / CLUSTER_ITEMS;
  return sq8Codes(dims).open(clusters);
}

function starts(count: number): Uint32Array {
  return Uint32Array.from({ length: count / CLUSTER_ITEMS + 1 }, (_, cluster) => cluster * CLUSTER_ITEMS);
}

function sectionOf(numbers: Uint32Array): SectionHandle {
  return native.memorySection(new Uint8Array(numbers.buffer));
}
