// NumPy's .npy.

import { NPY_MAGIC, openNpyArray } from '../npy-array.ts';
import type { ArrayFormat } from './array.ts';

export const npy: ArrayFormat = {
  name: 'npy',
  summary: 'NumPy .npy, 2-d',
  keys: [],
  matches: ({ head }) => NPY_MAGIC.every((byte, at) => head[at] === byte),
  open: async (path, _options, accepted) => openNpyArray(path, accepted),
};
