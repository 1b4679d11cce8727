// The formats that hold tables, told apart by content.

import { inspect } from '../candidate.ts';
import { InputError } from '../reader.ts';
import { arrow } from './arrow.ts';
import { delimited } from './delimited.ts';
import { jsonLines } from './json-lines.ts';
import { parquet } from './parquet.ts';
import type { Cells, TableFile, TableFormat } from './table.ts';

/** The first that matches is taken; any text is CSV or TSV. */
const FORMATS: readonly TableFormat[] = [parquet, arrow, jsonLines, delimited];

export function tableFormat(path: string): TableFormat {
  const candidate = inspect(path, new Map());
  const format = FORMATS.find((known) => known.matches(candidate));
  if (format !== undefined) return format;
  throw new InputError(
    path,
    candidate.entries === null ? `starts with ${candidate.head.toString('hex', 0, 8)}` : 'is a folder',
    `expected ${FORMATS.map(({ name }) => name).join(', ')}`,
    'save it in one of these formats',
  );
}

/** A column that is asked for must be there. */
export async function openTable(
  path: string,
  column?: string,
  cells: Cells = 'typed',
  flag = 'column=',
): Promise<TableFile> {
  const table = await tableFormat(path).open(path, cells);
  const { columns } = table;
  if (column === undefined || columns === null || columns.includes(column)) return table;
  table.close();
  const names = columns.slice(0, 10).join(', ').slice(0, 200);
  throw new InputError(path, `has no column '${column}'`, `expected one of ${names}`, `correct ${flag}`);
}
