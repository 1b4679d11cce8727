// The rows of an Arrow file as plain values: numbers, strings (dates and times as ISO 8601), booleans, lists of these.

import { DataType, Vector } from 'apache-arrow';
import { ARROW, ArrowFile } from './arrow-file.ts';
import { decoding } from './decoding.ts';
import type { OnRead } from './reader.ts';
import { plainValue } from './tables/plain-value.ts';
import type { TableFile, TableRow } from './tables/table.ts';

export function openRows(path: string): TableFile {
  const file = new ArrowFile(path);
  const columns = file.schema.fields.map(({ name }) => name);
  return { columns, rows: (asked = columns, onRead) => rowsOf(file, asked, onRead), close: () => file.close() };
}

async function* rowsOf(file: ArrowFile, names: readonly string[], onRead?: OnRead): AsyncGenerator<TableRow> {
  for (const at of file.batches) {
    onRead?.(at.at + at.bytes, file.size);
    const batch = file.read(at);
    const columns = names.map((name) => [name, batch.getChild(name)] as const);
    for (let row = 0; row < at.rows; row++) {
      const place = `${file.path} row ${at.firstRow + row}`;
      const values = columns.map(([name, vector]) => {
        const value = decoding(place, ARROW, () => jsonValue(vector?.get(row), vector?.type));
        return [name, plainValue(place, name, value)] as const;
      });
      yield { place, values: Object.fromEntries(values) };
    }
  }
}

/** Lists as arrays, times as text: the library gives milliseconds of the epoch for both dates and timestamps. */
function jsonValue(value: unknown, type: DataType | undefined): unknown {
  if (value === null || value === undefined || type === undefined) return null;
  if (DataType.isDictionary(type)) return jsonValue(value, type.dictionary);
  if (DataType.isDate(type)) return new Date(Number(value)).toISOString().slice(0, 10);
  if (DataType.isTimestamp(type)) return new Date(Number(value)).toISOString();
  if (value instanceof Vector) return [...value].map((item) => jsonValue(item, type.children?.[0]?.type));
  return value;
}
