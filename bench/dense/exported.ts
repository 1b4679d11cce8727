// Hyperplanes and their answers as files of the cache folder, for bench/dense-reference/reference.py.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { cacheFolder, type Dataset, specsOf } from '../datasets/collections.ts';
import type { Queries } from './queries.ts';

/** -1 as int32. */
const NO_ITEM = 2 ** 32 - 1;

/** Of the dataset's first modality; `labels` names the hyperplanes among others of it. */
export function exportQueries(dataset: Dataset, { dims, models, truth }: Queries, labels: string): void {
  const write = (name: string, type: 'f4' | 'i4', columns: number, parts: readonly (Float32Array | Uint32Array)[]) =>
    writeFileSync(
      join(cacheFolder(), `dense-${dataset.name}-${labels}-${name}.npy`),
      Buffer.concat([
        npyHeader(type as 'f4', [parts.length, columns]),
        ...parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
      ]),
    );
  write(
    'weights',
    'f4',
    dims,
    models.map(({ weights }) => weights),
  );
  // Some have more items than others: the rows end with items that there are none of.
  const longest = Math.max(...truth.map(({ length }) => length));
  const padded = truth.map((items) => {
    const row = new Uint32Array(longest).fill(NO_ITEM);
    row.set(items);
    return row;
  });
  write('truth', 'i4', longest, padded);
  writeFileSync(join(cacheFolder(), `dense-${dataset.name}-path.txt`), `${specsOf(dataset)[0]?.path}\n`);
}
