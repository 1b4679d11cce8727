// A result as Parquet: id (int32), key (text, where the collection has keys), score (double); a row group per block.

import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { type Durable, type ResultWriter, writeAll } from './result-writer.ts';

/** What the end of the file tells of its rows. */
type RowGroups = ParquetWriter['row_groups'];

/** Goes on after the bytes that are durable; `keyed` says whether rows have keys. */
export function parquetWriter(fd: number, { rows, bytes, states }: Durable, keyed: boolean): ResultWriter {
  const writer = new FileWriter(fd);
  const parquet = new ParquetWriter({
    writer,
    createdBy: 'farsight',
    schema: [
      { name: 'root', num_children: keyed ? 3 : 2 },
      { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
      ...(keyed
        ? [{ name: 'key', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' } as const]
        : []),
      { name: 'score', type: 'DOUBLE', repetition_type: 'REQUIRED' },
    ],
  });
  if (bytes > 0) {
    // What its constructor wrote, the first bytes of the file, is there.
    writer.goOn(bytes);
    parquet.row_groups = states.flatMap((state) => state as RowGroups);
    parquet.num_rows = BigInt(rows);
  }
  let told = parquet.row_groups.length;
  return {
    get bytes() {
      return writer.offset;
    },
    write({ items, scores, keys }) {
      if (items.length === 0) return;
      // Without an index of pages, which would have to be kept for the end of the file and says nothing of a single page.
      const id = { name: 'id', data: Int32Array.from(items), offsetIndex: false };
      const score = { name: 'score', data: scores, offsetIndex: false };
      const columnData =
        keys === null ? [id, score] : [id, { name: 'key', data: [...keys], offsetIndex: false }, score];
      parquet.write({ columnData, rowGroupSize: items.length });
    },
    takeState() {
      const since = parquet.row_groups.slice(told);
      told += since.length;
      return since;
    },
    flush: () => writer.flush(),
    finish: () => void parquet.finish(),
  };
}

/** Its buffer goes to the end of a file. */
class FileWriter extends ByteWriter {
  readonly #fd: number;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  /** Forgets what was not flushed; the file has so many bytes. */
  goOn(bytes: number): void {
    this.index = 0;
    this.offset = bytes;
  }

  flush(): void {
    writeAll(this.#fd, this.getBytes(), this.offset - this.index);
    this.index = 0;
  }
}
