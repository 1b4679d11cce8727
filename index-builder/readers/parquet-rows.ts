// The rows of a Parquet file as plain values: numbers, strings (dates and times as ISO 8601), booleans, lists of these.

import { decoding } from './decoding.ts';
import { PARQUET, type ParquetColumn, ParquetFile } from './parquet-file.ts';
import { convertValues } from './parquet-page.ts';
import { InputError, type OnRead } from './reader.ts';
import { plainValue } from './tables/plain-value.ts';
import type { TableFile, TableRow } from './tables/table.ts';

export function openRows(path: string): TableFile {
  const file = new ParquetFile(path);
  const columns = [...new Set(file.columns.map(({ name }) => name))];
  return { columns, rows: (asked = columns, onRead) => rowsOf(file, asked, onRead), close: () => file.close() };
}

async function* rowsOf(file: ParquetFile, names: readonly string[], onRead?: OnRead): AsyncGenerator<TableRow> {
  const columns = file.columns.filter(({ name }) => names.includes(name));
  for (const column of columns) requirePlain(file.path, column);
  let first = 0;
  for (let group = 0; group < file.groups.length; group++) {
    const rows = Number(file.groups[group]?.num_rows);
    const cells = columns.map((column) => [column.name, cellsOf(file, column, group, rows)] as const);
    for (let row = 0; row < rows; row++) {
      const place = `${file.path} row ${first + row}`;
      const values = cells.map(([name, all]) => [name, plainValue(place, name, all[row])] as const);
      yield { place, values: Object.fromEntries(values) };
    }
    first += rows;
    // A group's own bytes may lie anywhere in the file; its share of the rows is near enough.
    onRead?.(Math.round((file.size * first) / file.rows), file.size);
  }
}

/** A column of one row group, a cell for each row. */
function cellsOf(file: ParquetFile, column: ParquetColumn, group: number, rows: number): readonly unknown[] {
  const place = `${file.path} column '${column.name}', row group ${group}`;
  const cells: unknown[] = [];
  for (const page of file.pages(column, group)) {
    const { levels, definition, repetition } = page;
    const values = decoding(place, PARQUET, () => convertValues(page.values, column));
    let next = 0;
    for (let i = 0; i < levels; i++) {
      const level = definition === null ? column.maxDefinition : (definition[i] as number);
      const value = level === column.maxDefinition ? values[next++] : null;
      if (repetition === null) {
        cells.push(value);
        continue;
      }
      // An element is there from its own level on; one level below, its list is empty, and further down null.
      if (repetition[i] !== 0) (cells.at(-1) as unknown[] | null)?.push(value);
      else if (level >= column.listDefinition) cells.push([value]);
      else cells.push(level === column.listDefinition - 1 ? [] : null);
    }
  }
  if (cells.length === rows) return cells;
  throw new InputError(place, `has ${cells.length} values`, `expected ${rows}`, 'copy or write the file again');
}

function requirePlain(path: string, { name, nesting }: ParquetColumn): void {
  if (nesting !== 'deeper') return;
  throw new InputError(
    path,
    `has the nested column '${name}'`,
    'expected columns of values or of lists of values',
    'flatten or leave out the column',
  );
}
