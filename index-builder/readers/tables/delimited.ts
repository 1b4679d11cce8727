// CSV and TSV with a header line. A column has one type: numbers when every cell that is not empty is a number as JSON
// writes them and a double holds it (so 007 is text, and so is a whole number beyond 2^53), else text. An empty cell is
// null.

import { delimitedRows } from '../delimited-rows.ts';
import { InputError, type OnRead } from '../reader.ts';
import type { Cells, TableFile, TableFormat, TableRow } from './table.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells it from binary data
const BINARY = /[\0-\x08\x0e-\x1f]/;

export const delimited: TableFormat = {
  name: 'CSV or TSV',
  compressed: false,
  matches: ({ head, entries }) => entries === null && !BINARY.test(head.toString('latin1')),
  open,
};

async function open(path: string, kind: Cells): Promise<TableFile> {
  let columns: readonly string[] | null = null;
  let numeric: boolean[] = [];
  for await (const { line, cells } of delimitedRows(path)) {
    if (columns === null) {
      columns = requireNames(`${path} line ${line}`, cells);
      numeric = columns.map(() => kind === 'typed');
      if (kind === 'text') break;
      continue;
    }
    for (let at = 0; at < cells.length; at++) {
      if (numeric[at] && cells[at] !== '' && !isNumber(cells[at] as string)) numeric[at] = false;
    }
  }
  if (columns === null) throw new InputError(path, 'is empty', 'expected a header line', 'check how it was written');
  return { columns, rows: (_columns, onRead) => rowsOf(path, numeric, onRead), close: () => {} };
}

async function* rowsOf(path: string, numeric: readonly boolean[], onRead?: OnRead): AsyncGenerator<TableRow> {
  let columns: readonly string[] | null = null;
  for await (const { line, cells } of delimitedRows(path, onRead)) {
    if (columns === null) {
      columns = cells;
      continue;
    }
    const values = columns.map((name, at) => {
      const cell = cells[at] as string;
      return [name, cell === '' ? null : numeric[at] ? Number(cell) : cell] as const;
    });
    yield { place: `${path} line ${line}`, values: Object.fromEntries(values) };
  }
}

function requireNames(place: string, names: readonly string[]): readonly string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return names;
  throw new InputError(place, `has the column '${twice}' twice`, 'expected each name once', 'rename one of them');
}

/** JSON's grammar, and a value that a double holds: whole numbers beyond 2^53 would come out as others. */
function isNumber(cell: string): boolean {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(cell)) return false;
  const value = Number(cell);
  return Number.isFinite(value) && (/[.e]/i.test(cell) || Number.isSafeInteger(value));
}
