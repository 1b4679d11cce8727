// Many embedding-like vectors as float16 .npy, written as a stream: topics within topics within topics, whose sizes differ,
// and rows scattered around the innermost. Drawn in blocks, each from the seed and its number, so memory does not depend
// on the number of rows.

import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { seededRandom } from '../../src/random.ts';
import { type NormalDraws, normalDraws } from '../datasets/normal-draws.ts';
import { mix } from '../datasets/synthetic.ts';

export interface NestedShape {
  readonly rows: number;
  readonly dims: number;
  readonly seed: number;
}

/** Topics within a topic, and how deep: 65,536 innermost ones. */
const BRANCHES = 16;
const LEVELS = 4;
/** Variance of each level's centres around those above, over that of rows around the innermost: two thirds of it all. */
const LEVEL_VARIANCE = 0.5;
/** Branch i holds a share of its topic that falls as (1 + i) ** -0.5. */
const BRANCH_DECAY = 0.5;
/** Principal deviation d falls as (1 + d) ** -0.25, like that of learned embeddings. */
const DEVIATION_DECAY = 0.25;
const ROWS_PER_BLOCK = 4096;

/** Writes the file unless it is there. */
export function writeNested(path: string, shape: NestedShape, onRows: (rows: number) => void): void {
  if (existsSync(path)) return;
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w');
  writeSync(file, npyHeader('f2', [shape.rows, shape.dims]));
  const draw = nestedBlocks(shape);
  for (let block = 0; block * ROWS_PER_BLOCK < shape.rows; block++) {
    const halves = draw(block);
    const bytes = new Uint8Array(halves.buffer, 0, halves.byteLength);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    onRows(Math.min(shape.rows, (block + 1) * ROWS_PER_BLOCK));
  }
  closeSync(file);
  renameSync(partial, path);
}

/** Block number -> its rows. */
function nestedBlocks({ rows, dims, seed }: NestedShape): (block: number) => Uint16Array<ArrayBuffer> {
  const centres = leafCentres(dims, seed);
  const deviations = Float32Array.from({ length: dims }, (_, d) => (1 + d) ** -DEVIATION_DECAY);
  const shares = branchShares();
  const row = new Float32Array(dims);
  return (block) => {
    const draws = normalDraws(seededRandom(seed, `rows ${block}`));
    const count = Math.min(ROWS_PER_BLOCK, rows - block * ROWS_PER_BLOCK);
    const halves = new Uint16Array(count * dims);
    for (let i = 0; i < count; i++) {
      draws.fill(row);
      const centre = leafOf(draws, shares) * dims;
      for (let d = 0; d < dims; d++) {
        row[d] = ((row[d] as number) + (centres[centre + d] as number)) * (deviations[d] as number);
      }
      mix(row);
      toHalf(row, halves.subarray(i * dims, (i + 1) * dims));
    }
    return halves;
  };
}

/** Innermost centres one after the other: the sum of those of all levels. */
function leafCentres(dims: number, seed: number): Float32Array {
  const draws = normalDraws(seededRandom(seed, 'centres'));
  let above = new Float32Array(dims);
  const own = new Float32Array(dims);
  for (let level = 1; level <= LEVELS; level++) {
    const centres = new Float32Array(BRANCHES ** level * dims);
    for (let at = 0; at < centres.length; at += dims) {
      draws.fill(own);
      const parent = Math.floor(at / dims / BRANCHES) * dims;
      for (let d = 0; d < dims; d++) {
        centres[at + d] = (above[parent + d] as number) + Math.sqrt(LEVEL_VARIANCE) * (own[d] as number);
      }
    }
    above = centres;
  }
  return above;
}

function leafOf(draws: NormalDraws, shares: Float64Array): number {
  let leaf = 0;
  for (let level = 0; level < LEVELS; level++) {
    const drawn = draws.uniform();
    let branch = 0;
    while (drawn >= (shares[branch] as number)) branch++;
    leaf = leaf * BRANCHES + branch;
  }
  return leaf;
}

/** Cumulative, the last one 1. */
function branchShares(): Float64Array {
  const shares = Float64Array.from({ length: BRANCHES }, (_, i) => (1 + i) ** -BRANCH_DECAY);
  const total = shares.reduce((sum, share) => sum + share, 0);
  let before = 0;
  for (let i = 0; i < BRANCHES; i++) {
    before += (shares[i] as number) / total;
    shares[i] = i + 1 < BRANCHES ? before : 1;
  }
  return shares;
}

/** Exponents of float32 are offset by 127, of float16 by 15. */
const REBIAS = (127 - 15) << 23;
const LEAST_NORMAL = 2 ** -14;

/** To the nearest float16, halves to even; what is too small for all its bits becomes 0, as no row needs it. */
function toHalf(values: Float32Array, halves: Uint16Array): void {
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < values.length; i++) {
    const bits = words[i] as number;
    const magnitude = (bits & 0x7fffffff) - REBIAS;
    const half = ((bits >>> 16) & 0x8000) | ((magnitude + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    halves[i] = Math.abs(values[i] as number) < LEAST_NORMAL ? 0 : half;
  }
}
