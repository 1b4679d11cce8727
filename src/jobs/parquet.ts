// A result as Parquet: id (int32), key (text, where the collection has keys), score (double); a row group per block.

import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { ResultWriter } from './result-writer.ts';

/** Begins a file anew; `keyed` says whether its rows have keys. */
export function parquetWriter(path: string, keyed: boolean): ResultWriter {
  const writer = fileWriter(path);
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
  return {
    get bytes() {
      return writer.offset;
    },
    write({ items, scores, keys }) {
      if (items.length === 0) return;
      const id = { name: 'id', data: Int32Array.from(items) };
      const score = { name: 'score', data: scores };
      const columnData = keys === null ? [id, score] : [id, { name: 'key', data: [...keys] }, score];
      parquet.write({ columnData, rowGroupSize: items.length });
    },
    finish: () => void parquet.finish(),
  };
}
