// Values of libraries as what JSON can hold.

import { InputError } from '../reader.ts';

/** Integers that a double cannot hold become text; NaN and infinities, which JSON does not have, null. */
export function plainValue(place: string, column: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map((item) => plainValue(place, column, item));
  throw new InputError(
    place,
    `column '${column}' holds bytes or a nested value`,
    'expected numbers, text, booleans, dates, or lists of these',
    'convert or leave out the column',
  );
}
