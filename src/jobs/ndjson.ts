// A result as lines of JSON.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { ResultRows, ResultWriter } from './result-writer.ts';

/** Begins a file anew. */
export function ndjsonWriter(path: string): ResultWriter {
  const fd = openSync(path, 'w');
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write(rows) {
      const text = Buffer.from(linesOf(rows));
      for (let done = 0; done < text.length; ) done += writeSync(fd, text, done);
      bytes += text.length;
    },
    finish: () => closeSync(fd),
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
