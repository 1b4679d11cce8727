// Tells input formats apart by content and opens them behind one interface.

import { readdirSync, statSync } from 'node:fs';
import { explained, InputFile } from './input-file.ts';
import { npy } from './npy.ts';
import { expandPath } from './paths.ts';
import { r64 } from './r64.ts';
import { type Candidate, InputError, type InputFormat, type VectorReader } from './reader.ts';
import { sparsePair } from './sparse-pair.ts';

/** The first that matches is taken. */
const FORMATS: readonly InputFormat[] = [sparsePair, npy, r64];

const HEAD_BYTES = 16;

/** Every key of --modality that some format uses. */
export const readerKeys: readonly string[] = [...new Set(FORMATS.flatMap((format) => format.keys))];

export interface OpenedReader {
  readonly reader: VectorReader;
  readonly format: string;
  /** The keys this format uses, given or not; others are the codec's or a mistake. */
  readonly keys: readonly string[];
}

/** Opens a file, a folder or a pattern (see paths.ts); the matches of a pattern are one sequence of rows. */
export function openReader(path: string, options: ReadonlyMap<string, string>): OpenedReader {
  const paths = expandPath(path);
  const formats = paths.map((match) => formatOf(match, options));
  const format = formats[0] as InputFormat;
  const other = formats.findIndex((candidate) => candidate !== format);
  if (other >= 0) {
    throw new InputError(
      paths[other] as string,
      `is ${(formats[other] as InputFormat).name}`,
      `expected ${format.name} as ${paths[0]}`,
      'narrow the pattern to files of one format',
    );
  }
  return { reader: format.open(paths, options), format: format.name, keys: format.keys };
}

function formatOf(path: string, options: ReadonlyMap<string, string>): InputFormat {
  const candidate = inspect(path, options);
  const format = FORMATS.find((known) => known.matches(candidate));
  if (format !== undefined) return format;
  const found =
    candidate.entries === null
      ? `starts with ${Buffer.from(candidate.head).toString('hex', 0, 8) || 'nothing'}`
      : `is a folder of ${candidate.entries.length} names`;
  throw new InputError(
    path,
    `${found}, no format known here`,
    `expected ${FORMATS.map((known) => known.summary).join('; or ')}`,
    'save the array with np.save',
  );
}

function inspect(path: string, options: ReadonlyMap<string, string>): Candidate {
  if (explained(path, () => statSync(path)).isDirectory()) {
    return { path, entries: explained(path, () => readdirSync(path)), head: new Uint8Array(0), options };
  }
  const file = new InputFile(path);
  try {
    const head = new Uint8Array(Math.min(HEAD_BYTES, file.size));
    file.read(0, head);
    return { path, entries: null, head, options };
  } finally {
    file.close();
  }
}
