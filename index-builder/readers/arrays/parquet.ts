// Parquet: a column with a list of numbers in each row, fixed-size or not.

import type { ArrayFormat } from './array.ts';

export const parquet: ArrayFormat = {
  name: 'parquet',
  summary: 'Parquet with a column of lists',
  keys: ['column'],
  matches: ({ head }) => head.toString('latin1', 0, 4) === 'PAR1',
  async open(path, options, accepted) {
    // The library and its decompressors are loaded when they are needed.
    const { openVectors } = await import('../parquet-vectors.ts');
    return openVectors(path, options.get('column'), accepted);
  },
};
