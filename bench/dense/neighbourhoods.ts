// A million vectors like real embeddings, where only some ten thousand real ones are at hand: manifold Parzen windows
// (Vincent and Bengio, NIPS 2002). Each new vector is a real one plus a normal step within the span of its nearest
// neighbours, with their covariance around it, plus a little noise in all directions:
//   x = r + sum_k g_k (n_k - r) / sqrt(K) + EVERYWHERE s g,   s^2 = mean_k |n_k - r|^2 / dims,   g_k, g standard normal
// So density, the sizes of groups and the directions in which items differ are those of the real collection.

import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { Modality } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import { cacheFolder, type Dataset, indexOf, isReal, specsOf } from '../datasets/collections.ts';
import { type NormalDraws, normalDraws } from '../datasets/normal-draws.ts';
import { unitRows } from './queries.ts';
import { exhaustive } from './searches.ts';

const SEED = 5;
/** K: neighbours that differ from the vector; equal ones say nothing of a direction. */
const NEIGHBOURS = 16;
const EQUAL = 1e-8;
const EVERYWHERE = 0.1;
const CHUNK_ROWS = 8192;

/** `rows` vectors like those of the dataset's first modality, written once to the cache folder. */
export async function neighbourhoodsOf(dataset: Dataset, rows: number): Promise<Dataset> {
  if (!isReal(dataset)) throw new RangeError(`${dataset.name} is not there: name the folder of data in FARSIGHT_DATA`);
  const [modality] = dataset.modalities;
  if (modality === undefined) throw new RangeError(`${dataset.name} has no modality`);
  const path = join(cacheFolder(), `like-${dataset.name}-${modality.name}-${rows}.npy`);
  if (!existsSync(path)) await writeLike(dataset, rows, path);
  return {
    name: `${dataset.name}-like-${rows}`,
    modalities: [{ name: 'vectors', path, options: {}, shape: { ...modality.shape, rows } }],
    realGroups: () => [],
  };
}

async function writeLike(dataset: Dataset, rows: number, path: string): Promise<void> {
  const [spec] = specsOf(dataset);
  const { reader } = await openReader(spec?.path as string, new Map());
  const real = await unitRows(reader);
  const { dims } = reader;
  reader.close();
  const draws = normalDraws(seededRandom(SEED, 'neighbourhoods'));
  const around = await neighboursOf(dataset, real, dims);
  const partial = `${path}.${process.pid}`;
  const file = openSync(partial, 'w');
  writeSync(file, npyHeader('f4', [rows, dims]));
  const chunk = new Float32Array(CHUNK_ROWS * dims);
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const here = Math.min(CHUNK_ROWS, rows - first);
    for (let i = 0; i < here; i++) {
      const row = Math.floor(draws.uniform() * around.length);
      drawNear(real, dims, row, around[row] as Uint32Array, draws, chunk.subarray(i * dims, (i + 1) * dims));
    }
    writeSync(file, new Uint8Array(chunk.buffer, 0, here * dims * Float32Array.BYTES_PER_ELEMENT));
  }
  closeSync(file);
  renameSync(partial, path);
}

/** Per row its nearest others that differ from it, by the cosine of what sq8 holds of them. */
async function neighboursOf(dataset: Dataset, real: Float32Array, dims: number): Promise<readonly Uint32Array[]> {
  const names = dataset.modalities.slice(0, 1).map(({ name }) => name);
  const { collection } = await indexOf(dataset, { modalities: names });
  const modality = collection.modalities.get(names[0] as string) as Modality;
  return Array.from({ length: collection.items }, (_, row) => {
    const weights = real.slice(row * dims, (row + 1) * dims);
    const near = exhaustive(modality, { weights, bias: 0 });
    return near.filter((other) => distance(real, dims, row, other) > EQUAL).slice(0, NEIGHBOURS);
  });
}

function drawNear(
  real: Float32Array,
  dims: number,
  row: number,
  neighbours: Uint32Array,
  draws: NormalDraws,
  out: Float32Array,
): void {
  const steps = new Float32Array(neighbours.length);
  draws.fill(steps);
  draws.fill(out);
  let scatter = 0;
  for (const other of neighbours) scatter += distance(real, dims, row, other) / neighbours.length;
  const noise = EVERYWHERE * Math.sqrt(scatter / dims);
  for (let d = 0; d < dims; d++) {
    const own = real[row * dims + d] as number;
    let step = 0;
    for (let k = 0; k < neighbours.length; k++) {
      step += (steps[k] as number) * ((real[(neighbours[k] as number) * dims + d] as number) - own);
    }
    out[d] = own + step / Math.sqrt(Math.max(1, neighbours.length)) + noise * (out[d] as number);
  }
}

function distance(real: Float32Array, dims: number, row: number, other: number): number {
  let square = 0;
  for (let d = 0; d < dims; d++) {
    square += ((real[row * dims + d] as number) - (real[other * dims + d] as number)) ** 2;
  }
  return square;
}
