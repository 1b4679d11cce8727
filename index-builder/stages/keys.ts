// The keys of items: the lines of a text file, or a column of a table.

import { IndexError, type SectionManifest } from '../../src/index/format.ts';
import { native } from '../../src/native.ts';
import { inspect } from '../readers/candidate.ts';
import { openTable } from '../readers/tables/open-table.ts';
import { linesOf } from '../readers/text-lines.ts';
import { writeRecords } from './records.ts';
import { writeSection } from './write.ts';

const MAX_KEY_BYTES = 1024;

interface Keys {
  readonly keys: readonly string[];
  /** What a key is on, for messages: `line 3`. */
  readonly placeOf: (item: number) => string;
}

export async function writeKeys(
  directory: string,
  { path, column }: { readonly path: string; readonly column?: string },
  items: number,
): Promise<SectionManifest[]> {
  const { keys, placeOf } = column === undefined ? keyLines(path, items) : await keyColumn(path, column, items);
  const records = keys.map((key, i) => {
    const bytes = Buffer.from(key);
    if (bytes.length === 0 || bytes.length > MAX_KEY_BYTES) {
      throw new IndexError(`${path} ${placeOf(i)}: a key of ${bytes.length} bytes; expected 1 to ${MAX_KEY_BYTES}`);
    }
    return bytes;
  });
  const { sections, offsets } = writeRecords(directory, 'keys', path, records);
  const table = new Uint32Array(native.keyTableSize(items));
  const duplicate = native.buildKeyTable(offsets, Buffer.concat(records), table);
  if (duplicate !== null) {
    const [first, second] = duplicate[0] < duplicate[1] ? duplicate : [duplicate[1], duplicate[0]];
    throw new IndexError(
      `${path} ${placeOf(second)}: the key ${JSON.stringify(keys[second])} is also on ${placeOf(first)}; ` +
        'keys are unique',
    );
  }
  return [...sections, writeSection(directory, 'keys.table', new Uint8Array(table.buffer))];
}

function keyLines(path: string, items: number): Keys {
  const { head } = inspect(path, new Map());
  if (head.includes(0)) {
    throw new IndexError(
      `${path}: is not text; expected one key a line; of a Parquet or Arrow file name a column, as in ` +
        `${path},column=id`,
    );
  }
  const keys = [...linesOf(path)];
  if (keys.length !== items) {
    throw new IndexError(`${path}: ${keys.length} lines; the vectors have ${items} items, one key each is expected`);
  }
  return { keys, placeOf: (item) => `line ${item + 1}` };
}

/** Numbers become their usual text. */
async function keyColumn(path: string, column: string, items: number): Promise<Keys> {
  const table = await openTable(path, column);
  try {
    const keys: string[] = [];
    for await (const { place, values } of table.rows([column])) {
      const value = values[column];
      if (typeof value !== 'string' && typeof value !== 'number') {
        const found = value === undefined || value === null ? 'no value' : `the value ${JSON.stringify(value)}`;
        throw new IndexError(`${place}: ${found.slice(0, 100)} in column '${column}'; expected text or a number`);
      }
      keys.push(String(value));
    }
    if (keys.length !== items) {
      throw new IndexError(`${path}: ${keys.length} rows; the vectors have ${items} items, one key each is expected`);
    }
    return { keys, placeOf: (item) => `row ${item}` };
  } finally {
    table.close();
  }
}
