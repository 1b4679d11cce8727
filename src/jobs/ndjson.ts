// A result as lines of JSON.

import { type Durable, type ResultRows, type ResultWriter, writeAll } from './result-writer.ts';

/** Goes on after the bytes that are durable. */
export function ndjsonWriter(fd: number, { bytes: before }: Durable): ResultWriter {
  let bytes = before;
  return {
    get bytes() {
      return bytes;
    },
    write(rows) {
      const text = Buffer.from(linesOf(rows));
      writeAll(fd, text, bytes);
      bytes += text.length;
    },
    takeState: () => null,
    flush: () => {},
    finish: () => {},
  };
}

function linesOf({ items, scores, keys }: ResultRows): string {
  let lines = '';
  for (let i = 0; i < items.length; i++) {
    const key = keys === null ? '' : `"key":${JSON.stringify(keys[i])},`;
    lines += `{"id":${items[i]},${key}"score":${scores[i]}}\n`;
  }
  return lines;
}
