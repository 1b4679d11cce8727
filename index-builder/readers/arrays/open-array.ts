// The formats that hold arrays, told apart by content.

import { inspect, unknownFormat } from '../candidate.ts';
import { KeyError } from '../reader.ts';
import type { ArrayFile, ArrayFormat, ElementType } from './array.ts';
import { arrow } from './arrow.ts';
import { delimited } from './delimited.ts';
import { hdf5 } from './hdf5.ts';
import { bin, vecs } from './headed.ts';
import { jsonLines } from './json-lines.ts';
import { npy } from './npy.ts';
import { npz } from './npz.ts';
import { parquet } from './parquet.ts';
import { safetensors } from './safetensors.ts';

/** The first that matches is taken: what has a signature before what is told by its name, text last. */
export const arrayFormats: readonly ArrayFormat[] = [
  npy,
  npz,
  hdf5,
  parquet,
  arrow,
  safetensors,
  vecs,
  bin,
  jsonLines,
  delimited,
];

/** Every key that some format uses. */
const ARRAY_KEYS: ReadonlySet<string> = new Set(arrayFormats.flatMap(({ keys }) => keys));

/** Opens an array in `format`, or in the format that the file's content says. */
export async function openArray(
  path: string,
  options: ReadonlyMap<string, string>,
  accepted: readonly ElementType[],
  format = formatOf(path, options),
): Promise<ArrayFile> {
  const unused = [...options.keys()].find((key) => ARRAY_KEYS.has(key) && !format.keys.includes(key));
  if (unused !== undefined) {
    throw new KeyError(
      path,
      `is ${format.name}, which does not use ${unused}=`,
      format.keys.length === 0 ? 'expected no key' : `expected ${format.keys.join(', ')}`,
      'remove or correct it',
    );
  }
  return format.open(path, options, accepted);
}

function formatOf(path: string, options: ReadonlyMap<string, string>): ArrayFormat {
  const candidate = inspect(path, options);
  const format = arrayFormats.find((known) => known.matches(candidate));
  if (format !== undefined) return format;
  throw unknownFormat(candidate, arrayFormats);
}
