// HDF5: a 2-d dataset of numbers, contiguous or chunked, with any filter that the library knows (gzip, shuffle, …).

import type { ArrayFormat } from './array.ts';

const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
/** The signature is at the start, or behind a user block (as MATLAB writes one) of a power of two. */
const PLACES = [0, 512, 1024, 2048];

export const hdf5: ArrayFormat = {
  name: 'hdf5',
  summary: 'HDF5 with a 2-d dataset',
  keys: ['dataset'],
  matches: ({ head }) => PLACES.some((at) => SIGNATURE.equals(head.subarray(at, at + SIGNATURE.length))),
  async open(path, options, accepted) {
    // The library is 4 MB of WebAssembly: loaded when it is needed.
    const { openDataset } = await import('../hdf5-dataset.ts');
    return openDataset(path, options.get('dataset'), accepted);
  },
};
