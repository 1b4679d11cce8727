// JSON Lines: an array of numbers in each line, or an object with such an array in one of its fields (column=).

import { InputError } from '../reader.ts';
import { linesOf } from '../text-lines.ts';
import type { ArrayFormat } from './array.ts';
import { chooseNamed } from './choose.ts';
import { openText, type TextRow } from './text-array.ts';

export const jsonLines: ArrayFormat = {
  name: 'JSON Lines',
  summary: 'JSON Lines',
  keys: ['column'],
  matches: ({ head, entries }) => entries === null && /^(\ufeff)?\s*[[{]/.test(head.toString('utf8')),
  open: (path, options, accepted) => openText(path, accepted, () => rowsOf(path, options.get('column'))),
};

async function* rowsOf(path: string, asked: string | undefined): AsyncGenerator<TextRow> {
  /** Of objects, told by the first. */
  let field: string | undefined;
  let number = 0;
  for (const line of linesOf(path)) {
    const place = `${path} line ${++number}`;
    const value = parse(place, line);
    if (Array.isArray(value) && asked === undefined && field === undefined) {
      yield { place, values: requireNumbers(place, value) };
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InputError(
        place,
        'is no object',
        `expected an object with the field '${field ?? asked}'`,
        'correct it',
      );
    }
    const fields = value as Readonly<Record<string, unknown>>;
    field ??= chooseNamed(place, 'column', asked, Object.keys(fields), (name) => isNumbers(fields[name]));
    if (!Object.hasOwn(fields, field)) {
      throw new InputError(place, `has no '${field}'`, 'expected it in every line', 'fill or leave out such lines');
    }
    yield { place, values: requireNumbers(place, fields[field]) };
  }
}

function parse(place: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new InputError(
      place,
      `is not JSON (${(error as Error).message})`,
      'expected JSON in every line',
      'correct it',
    );
  }
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === 'number');
}

function requireNumbers(place: string, value: unknown): readonly number[] {
  if (isNumbers(value)) return value;
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const at = items.findIndex((number) => typeof number !== 'number');
  throw new InputError(
    place,
    at < 0 ? 'has no array of numbers' : `has ${JSON.stringify(items[at])?.slice(0, 40)} at ${at}`,
    'expected an array of numbers',
    'correct it, or leave out such lines',
  );
}
