// Arrow IPC files (Feather version 2) and streams: a column with a list of numbers in each row, fixed-size or not.

import type { ArrayFormat } from './array.ts';

export const arrow: ArrayFormat = {
  name: 'arrow',
  summary: 'Arrow/Feather with a column of lists',
  keys: ['column'],
  matches: ({ head }) =>
    head.toString('latin1', 0, 6) === 'ARROW1' ||
    (head.length >= 8 && head.readUInt32LE() === 0xffffffff && head.readInt32LE(4) > 0),
  async open(path, options, accepted) {
    // The library is loaded when it is needed.
    const { openVectors } = await import('../arrow-vectors.ts');
    return openVectors(path, options.get('column'), accepted);
  },
};
