// The layout of r64 words: from the keys of --modality, and from a file layout.json in the folder for those not given,
// such as { "features": 5, "id_bits": 16, "value_bits": 48, … }. A key that is given wins over the file.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { R64Layout } from '../../src/native-types.ts';
import { integerOption, numberOption } from '../modality-spec.ts';
import { explained } from './input-file.ts';
import { InputError } from './reader.ts';

const NEEDED_KEYS = ['features', 'id_bits', 'value_bits', 'value_divisor', 'ratio_bits', 'ratio_divisor'] as const;
export const LAYOUT_KEYS: readonly string[] = [...NEEDED_KEYS, 'pad_bits', 'dims'];
export const LAYOUT_FILE = 'layout.json';

type IntegerKey = 'features' | 'id_bits' | 'value_bits' | 'ratio_bits' | 'pad_bits' | 'dims';
/** Least and most of the keys that are integers; the divisors are positive numbers. */
const RANGES: Readonly<Record<IntegerKey, readonly [least: number, most: number]>> = {
  features: [1, 65],
  id_bits: [1, 16],
  value_bits: [1, 63],
  ratio_bits: [1, 32],
  pad_bits: [0, 63],
  dims: [1, 65_536],
};

const EXAMPLE = 'features=5,id_bits=16,value_bits=48,value_divisor=2e14,ratio_bits=16,ratio_divisor=50000';
/** A layout is eight numbers; a longer file is something else. */
const LAYOUT_FILE_BYTES = 65_536;

/** The options with what the folder's layout.json adds to them, if it has one. */
export function withLayoutFile(folder: string, options: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const path = join(folder, LAYOUT_FILE);
  if (!existsSync(path)) return options;
  const refuse = (wrong: string): InputError =>
    new InputError(
      path,
      wrong,
      `expected an object of ${LAYOUT_KEYS.join(', ')}`,
      'correct it, or remove it and give keys',
    );
  if (explained(path, () => statSync(path)).size > LAYOUT_FILE_BYTES) {
    throw refuse(`is larger than ${LAYOUT_FILE_BYTES} bytes`);
  }
  const text = explained(path, () => readFileSync(path, 'utf8'));
  let layout: unknown;
  try {
    layout = JSON.parse(text);
  } catch (error) {
    throw refuse(`is not JSON (${(error as Error).message})`);
  }
  if (typeof layout !== 'object' || layout === null || Array.isArray(layout)) throw refuse('is not an object');
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(layout)) {
    if (!LAYOUT_KEYS.includes(key)) throw refuse(`has the unknown key '${key}'`);
    if (typeof value !== 'number') throw refuse(`has a ${key} that is no number`);
    all.set(key, String(value));
  }
  // Checked here too, so that a mistake in the file is not put down to the command line.
  for (const [key, [least, most]] of Object.entries(RANGES)) integerOption(path, all, key, least, most);
  for (const key of ['value_divisor', 'ratio_divisor']) numberOption(path, all, key);
  return new Map([...all, ...options]);
}

/** The layout from the keys, which are all needed but pad_bits. */
export function parseLayout(path: string, options: ReadonlyMap<string, string>): R64Layout {
  const missing = NEEDED_KEYS.filter((key) => !options.has(key));
  if (missing.length > 0) {
    throw new InputError(
      path,
      `is an r64 folder, but ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not given`,
      'expected the layout of its bits',
      `add keys like ${EXAMPLE}, or a ${LAYOUT_FILE}`,
    );
  }
  const integer = (key: IntegerKey): number | undefined => integerOption(path, options, key, ...RANGES[key]);
  const needed = (key: IntegerKey): number => integer(key) as number;
  const idBits = needed('id_bits');
  const ratioBits = needed('ratio_bits');
  const padBits = integer('pad_bits');
  const layout: R64Layout = {
    features: needed('features'),
    idBits,
    valueBits: needed('value_bits'),
    ratioBits,
    idPadBits: padBits ?? 64 % idBits,
    ratioPadBits: padBits ?? 64 % ratioBits,
    valueDivisor: numberOption(path, options, 'value_divisor') as number,
    ratioDivisor: numberOption(path, options, 'ratio_divisor') as number,
  };
  const further = layout.features - 1;
  requireFit(path, 'id_bits + value_bits', idBits + layout.valueBits);
  requireFit(path, '(features - 1) * id_bits + pad bits', further * idBits + layout.idPadBits);
  requireFit(path, '(features - 1) * ratio_bits + pad bits', further * ratioBits + layout.ratioPadBits);
  return layout;
}

function requireFit(path: string, what: string, bits: number): void {
  if (bits <= 64) return;
  throw new InputError(
    path,
    `${what} is ${bits}`,
    'expected at most the 64 bits of a word',
    `check keys like ${EXAMPLE}`,
  );
}
