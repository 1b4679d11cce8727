// A path looked at before a format is chosen.

import { readdirSync, statSync } from 'node:fs';
import { explained, InputFile } from './input-file.ts';
import { type Candidate, InputError } from './reader.ts';

/** Enough for every signature, for HDF5's behind a user block of up to 2 KiB, and for the first line of most texts. */
const HEAD_BYTES = 4096;

export function inspect(path: string, options: ReadonlyMap<string, string>): Candidate {
  if (explained(path, () => statSync(path)).isDirectory()) {
    const entries = explained(path, () => readdirSync(path));
    return { path, entries, head: Buffer.alloc(0), size: 0, options };
  }
  const file = new InputFile(path);
  try {
    const head = Buffer.alloc(Math.min(HEAD_BYTES, file.size));
    file.read(0, head);
    return { path, entries: null, head, size: file.size, options };
  } finally {
    file.close();
  }
}

export function unknownFormat(
  { path, entries, head }: Candidate,
  known: readonly { readonly summary: string }[],
): InputError {
  const found =
    entries === null
      ? `starts with ${head.toString('hex', 0, 8) || 'nothing'}`
      : `is a folder of ${entries.length} names`;
  return new InputError(
    path,
    `${found}, no format known here`,
    `expected ${known.map(({ summary }) => summary).join('; or ')}`,
    entries === null ? 'save the array with np.save' : 'name a file inside it, or a pattern like FOLDER/*.npy',
  );
}
