// JSON Lines: an object in each line.

import { InputError, type OnRead } from '../reader.ts';
import { linesOf } from '../text-lines.ts';
import type { TableFormat, TableRow } from './table.ts';

export const jsonLines: TableFormat = {
  name: 'JSON Lines',
  compressed: false,
  matches: ({ head, entries }) => entries === null && /^(\ufeff)?\s*[[{]/.test(head.toString('utf8')),
  open: async (path) => ({ columns: null, rows: (_columns, onRead) => rowsOf(path, onRead), close: () => {} }),
};

async function* rowsOf(path: string, onRead?: OnRead): AsyncGenerator<TableRow> {
  let number = 0;
  for (const line of linesOf(path, onRead)) {
    const place = `${path} line ${++number}`;
    let values: unknown;
    try {
      values = JSON.parse(line);
    } catch (error) {
      throw new InputError(place, `not JSON (${(error as Error).message})`, 'expected a JSON object', 'correct it');
    }
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      throw new InputError(place, 'is not an object', 'expected a JSON object', 'correct it');
    }
    yield { place, values: values as Readonly<Record<string, unknown>> };
  }
}
