// Texts in a table of any format, one after the other in bounded memory, and their keys.

import { InputError, type OnRead } from '../readers/reader.ts';
import { openTable } from '../readers/tables/open-table.ts';
import type { TableRow } from '../readers/tables/table.ts';

/** One text, and its key where one was asked for. */
export interface Document {
  readonly text: string;
  readonly key: string | null;
}

/** Can be gone through more than once, always in the same order; `onRead` hears how far of the file it is. */
export interface Documents {
  all(onRead: OnRead): AsyncIterable<Document>;
  close(): void;
}

export interface DocumentOptions {
  readonly path: string;
  /** Columns whose texts are joined; lists of strings are joined too. */
  readonly fields: readonly string[];
  readonly key?: string;
}

/** Throws InputError for a file that is no table or has none of the fields; going through the texts does, for a row. */
export async function openDocuments(options: DocumentOptions): Promise<Documents> {
  const { path, fields, key } = options;
  const table = await openTable(path, key, 'text', '--key');
  const { columns } = table;
  const asked = columns === null ? fields : fields.filter((field) => columns.includes(field));
  if (asked.length === 0) {
    table.close();
    throw without(path, fields, columns ?? []);
  }
  const wanted = key === undefined ? asked : [...new Set([...asked, key])];
  return {
    async *all(onRead) {
      for await (const row of table.rows(wanted, onRead)) yield documentOf(row, asked, key);
    },
    close: () => table.close(),
  };
}

/** A field may be missing from single lines of JSON, and is then empty. */
function documentOf({ place, values }: TableRow, fields: readonly string[], key: string | undefined): Document {
  if (!fields.some((field) => Object.hasOwn(values, field))) throw without(place, fields, Object.keys(values));
  const texts = fields.map((field) => textOf(values[field], place, field));
  return { text: texts.join(' '), key: key === undefined ? null : keyOf(values[key], place, key) };
}

function without(place: string, fields: readonly string[], names: readonly string[]): InputError {
  const found = names.slice(0, 20).join(', ').slice(0, 200);
  return new InputError(
    place,
    `has none of the fields ${fields.join(', ')}`,
    `it has ${found}`,
    'choose with --fields',
  );
}

function textOf(value: unknown, place: string, field: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map((each) => textOf(each, place, field)).join(' ');
  throw new InputError(
    place,
    `has ${typeof value === 'object' ? 'an object' : `a ${typeof value}`} in the field ${field}`,
    'expected text, a number or a list of them',
    'choose other --fields, or write it as text',
  );
}

function keyOf(value: unknown, place: string, name: string): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (text !== '' && !/[\r\n]/.test(text)) return text;
  throw new InputError(place, `has no key in the field ${name}`, 'expected text of one line', 'choose another --key');
}
