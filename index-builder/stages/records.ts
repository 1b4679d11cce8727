// Records of any length as sections: one behind the other, and where each begins.

import { IndexError, type SectionManifest } from '../../src/index/format.ts';
import { SectionWriter, writeSection } from './write.ts';

/** What one typed array holds, less than Node's 4 GiB. */
const MAX_RECORDS_BYTES = 2 ** 32 - 2 ** 20;

/** Where each of records of these lengths begins, and where the last one ends. */
export function offsetsOf(lengths: readonly number[]): BigUint64Array {
  const offsets = new BigUint64Array(lengths.length + 1);
  let total = 0;
  lengths.forEach((length, i) => {
    total += length;
    offsets[i + 1] = BigInt(total);
  });
  return offsets;
}

/** `path` is where they come from. */
export function writeRecords(
  directory: string,
  name: string,
  path: string,
  records: readonly Uint8Array[],
): { sections: SectionManifest[]; offsets: BigUint64Array } {
  const offsets = offsetsOf(records.map(({ length }) => length));
  const bytes = Number(offsets[records.length]);
  if (bytes > MAX_RECORDS_BYTES) {
    throw new IndexError(`${path}: ${bytes} bytes of ${name}; at most ${MAX_RECORDS_BYTES} are kept, shorten them`);
  }
  const all = new SectionWriter(directory, `${name}.bytes`, bytes);
  try {
    const first = writeSection(directory, `${name}.offsets`, new Uint8Array(offsets.buffer));
    for (const record of records) all.append(record);
    return { sections: [first, all.finish()], offsets };
  } finally {
    all.close();
  }
}
