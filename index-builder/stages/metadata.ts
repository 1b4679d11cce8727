// The metadata of items: a row of a table each, kept as JSON.

import { IndexError, type SectionManifest } from '../../src/index/format.ts';
import { openTable } from '../readers/tables/open-table.ts';
import { writeRecords } from './records.ts';

const MAX_RECORD_BYTES = 1 << 20;

export async function writeMetadata(directory: string, path: string, items: number): Promise<SectionManifest[]> {
  const table = await openTable(path);
  try {
    const records: Uint8Array[] = [];
    let rows = 0;
    for await (const { place, values } of table.rows()) {
      // Counted to the end, so that the message can say how many there are.
      if (rows++ >= items) continue;
      const bytes = Buffer.from(JSON.stringify(values));
      if (bytes.length > MAX_RECORD_BYTES) {
        throw new IndexError(
          `${place}: ${bytes.length} bytes of metadata for an item; at most ${MAX_RECORD_BYTES} are kept`,
        );
      }
      records.push(bytes);
    }
    if (rows !== items) {
      throw new IndexError(`${path}: metadata of ${rows} items; the vectors have ${items}, one each is expected`);
    }
    return writeRecords(directory, 'metadata', path, records).sections;
  } finally {
    table.close();
  }
}
