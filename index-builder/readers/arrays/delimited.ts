// CSV and TSV: a number in every cell, or a vector within one column (column=), its numbers between spaces, commas or
// semicolons, with brackets around them or not. A first row that is not of numbers names the columns.

import { type DelimitedRow, delimitedRows, delimiterIn } from '../delimited-rows.ts';
import { InputError } from '../reader.ts';
import type { ArrayFormat } from './array.ts';
import { openText, type TextRow } from './text-array.ts';

const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;
/** Text has none of these bytes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells it from binary data
const BINARY = /[\0-\x08\x0e-\x1f]/;

export const delimited: ArrayFormat = {
  name: 'CSV or TSV',
  summary: 'CSV or TSV',
  keys: ['column'],
  matches({ head, entries, options }) {
    const start = head.toString('latin1');
    if (entries !== null || head.length === 0 || BINARY.test(start)) return false;
    const lines = start.split('\n').slice(0, 2);
    return (
      options.has('column') || lines.some((line) => line.replaceAll('"', '').split(delimiterIn(line)).some(isNumber))
    );
  },
  open: (path, options, accepted) => openText(path, accepted, () => rowsOf(path, options.get('column'))),
};

async function* rowsOf(path: string, column: string | undefined): AsyncGenerator<TextRow> {
  let header: readonly string[] | null = null;
  let at = -1;
  let isFirst = true;
  for await (const row of delimitedRows(path)) {
    if (isFirst) {
      isFirst = false;
      if (column !== undefined || !row.cells.every(isNumber)) {
        header = row.cells;
        if (column !== undefined) at = requireColumn(path, header, column);
        continue;
      }
    }
    const place = `${path} line ${row.line}`;
    yield { place, values: at < 0 ? numbersIn(place, row, header) : vectorIn(place, row.cells[at] as string) };
  }
}

function requireColumn(path: string, header: readonly string[], column: string): number {
  const at = header.indexOf(column);
  if (at >= 0) return at;
  const names = header.slice(0, 10).join(', ').slice(0, 200);
  throw new InputError(path, `has no column '${column}'`, `its first line names ${names}`, 'correct column=');
}

function numbersIn(place: string, { cells }: DelimitedRow, header: readonly string[] | null): readonly number[] {
  return cells.map((cell, at) => {
    if (isNumber(cell)) return numberOf(cell);
    throw new InputError(
      place,
      `has '${cell.slice(0, 40)}' in column ${header === null ? at : `'${header[at]}'`}`,
      'expected a number in every cell',
      'leave out other columns, or name the one that holds the vectors with column=',
    );
  });
}

function vectorIn(place: string, cell: string): readonly number[] {
  const inner = cell
    .trim()
    .replace(/^[[({]|[\])}]$/g, '')
    .trim();
  return inner.split(/\s*[\s,;]\s*/).map((text, at) => {
    if (isNumber(text)) return numberOf(text);
    throw new InputError(
      place,
      `has '${text.slice(0, 40)}' at ${at}`,
      'expected numbers',
      'correct or leave out the row',
    );
  });
}

function isNumber(cell: string): boolean {
  return NUMBER.test(cell.trim());
}

/** Number() knows neither inf nor nan in small letters. */
function numberOf(cell: string): number {
  const text = cell.trim().toLowerCase();
  if (text.endsWith('nan')) return Number.NaN;
  if (text.includes('inf')) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}
