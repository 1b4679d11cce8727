// Parquet: columns of values and of lists of values, a row group at a time.

import type { TableFormat } from './table.ts';

export const parquet: TableFormat = {
  name: 'Parquet',
  compressed: true,
  matches: ({ head }) => head.toString('latin1', 0, 4) === 'PAR1',
  async open(path) {
    // The library and its decompressors are loaded when they are needed.
    const { openRows } = await import('../parquet-rows.ts');
    return openRows(path);
  },
};
