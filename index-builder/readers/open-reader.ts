// Tells input formats apart by content and opens them behind one interface.

import { inspect, unknownFormat } from './candidate.ts';
import { denseFormats } from './dense.ts';
import { expandPath } from './paths.ts';
import { r64 } from './r64.ts';
import { InputError, type InputFormat, type VectorReader } from './reader.ts';
import { sparsePair } from './sparse-pair.ts';

/** The first that matches is taken. */
const FORMATS: readonly InputFormat[] = [sparsePair, r64, ...denseFormats];

/** Every key of --modality that some format uses. */
export const readerKeys: readonly string[] = [...new Set(FORMATS.flatMap((format) => format.keys))];

export interface OpenedReader {
  readonly reader: VectorReader;
  readonly format: string;
  /** The keys this format uses, given or not; others are the codec's or a mistake. */
  readonly keys: readonly string[];
}

/** Opens a file, a folder or a pattern (see paths.ts); the matches of a pattern are one sequence of rows. */
export async function openReader(path: string, options: ReadonlyMap<string, string>): Promise<OpenedReader> {
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
  return { reader: await format.open(paths, options), format: format.name, keys: format.keys };
}

function formatOf(path: string, options: ReadonlyMap<string, string>): InputFormat {
  const candidate = inspect(path, options);
  const format = FORMATS.find((known) => known.matches(candidate));
  if (format === undefined) throw unknownFormat(candidate, FORMATS);
  return format;
}
