// Arrow IPC files (Feather version 2) and streams, a record batch at a time.

import type { TableFormat } from './table.ts';

export const arrow: TableFormat = {
  name: 'Arrow/Feather',
  compressed: true,
  matches: ({ head }) =>
    head.toString('latin1', 0, 6) === 'ARROW1' ||
    (head.length >= 8 && head.readUInt32LE() === 0xffffffff && head.readInt32LE(4) > 0),
  async open(path) {
    // The library is loaded when it is needed.
    const { openRows } = await import('../arrow-rows.ts');
    return openRows(path);
  },
};
