// Codes with random contents for the kernel bench: a tile of distinct rows, as often as wanted. The addresses differ, the
// contents need not.

import { native } from '../../src/native.ts';
import type { CodesHandle, RatioParameters } from '../../src/native-types.ts';
import { seededRandom } from '../../src/random.ts';
import type { PlainVectors } from '../baselines/plain-vectors.ts';
import { ascending, SEED } from './line.ts';

export const TILE_ROWS = 4096;

export interface RandomCodes {
  readonly name: string;
  readonly dims: number;
  readonly bytesPerVector: number;
  readonly blockItems: number;
  /** Distinct rows. */
  readonly tileRows: number;
  /** One tile in plain form, for a peer; null where another codec's says the same. */
  readonly plain: PlainVectors | null;
  /** `count` vectors, a multiple of the tile's rows. */
  open(count: number): CodesHandle;
}

export function ratioCodes(dims: number, features: number, tileRows = TILE_ROWS): RandomCodes {
  const random = seededRandom(SEED, `ratio ${dims} ${features}`);
  const length = tileRows * features;
  const ids = new Uint16Array(length);
  const codes = new Uint32Array(length);
  for (let row = 0; row < tileRows; row++) {
    const distinct = new Set<number>();
    while (distinct.size < features) distinct.add(random.below(dims));
    ids.set([...distinct], row * features);
  }
  const parameters: RatioParameters = { dims, features, valueBits: 24, scale: 2 ** -24, maxSum: features };
  for (let i = 0; i < length; i++) codes[i] = random.below(255 * 2 ** 16);
  const blocks = new Uint8Array(native.ratioCodesBytes(tileRows, parameters));
  const refine = new Uint8Array(native.ratioRefineBytes(tileRows, parameters));
  native.packRatio(ids, codes, ascending(tileRows), parameters, blocks, refine);
  const values = Float32Array.from(codes, (code) => code * parameters.scale);
  const each = (native.ratioCodesBytes(128, parameters) - native.ratioCodesBytes(64, parameters)) / 64;
  return {
    name: `ratio ${features} of ${dims}`,
    dims,
    bytesPerVector: each,
    blockItems: 64,
    tileRows,
    plain: { rows: tileRows, dims, perRow: features, ids: Uint32Array.from(ids), values },
    open: (count) =>
      native.openRatio(
        count,
        parameters,
        native.memorySection(tiled(blocks, tileRows * each, native.ratioCodesBytes(count, parameters))),
        native.memorySection(tiled(refine, tileRows * features * 2, native.ratioRefineBytes(count, parameters))),
      ),
  };
}

export function sq8Codes(dims: number): RandomCodes {
  const random = seededRandom(SEED, `sq8 ${dims}`);
  const rows = Uint8Array.from({ length: TILE_ROWS * dims }, () => random.below(256));
  const blocks = new Uint8Array(native.sq8CodesBytes(TILE_ROWS, dims));
  native.packSq8(rows, ascending(TILE_ROWS), dims, blocks);
  const { offset, step } = sq8Steps(dims);
  const each = (native.sq8CodesBytes(32, dims) - native.sq8CodesBytes(16, dims)) / 16;
  const values = Float32Array.from(rows, (code) => -1 + (2 / 255) * code);
  return {
    name: `sq8 ${dims}-d`,
    dims,
    bytesPerVector: each,
    blockItems: 16,
    tileRows: TILE_ROWS,
    plain: { rows: TILE_ROWS, dims, perRow: dims, ids: null, values },
    open: (count) =>
      native.openSq8(
        count,
        offset,
        step,
        native.memorySection(tiled(blocks, TILE_ROWS * each, native.sq8CodesBytes(count, dims))),
      ),
  };
}

/** Values from -1 to 1. */
export function sq8Steps(dims: number): { readonly offset: Float32Array; readonly step: Float32Array } {
  return { offset: new Float32Array(dims).fill(-1), step: new Float32Array(dims).fill(2 / 255) };
}

/** The first `period` bytes over and over, `length` in all. */
export function tiled(bytes: Uint8Array, period: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, Math.min(period, length)));
  for (let done = period; done < length; done *= 2) out.copyWithin(done, 0, Math.min(done, length - done));
  return out;
}
