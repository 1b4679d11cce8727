// What a sweep found, as it waits to be written out: the first durable part of a job. The rows come first, synced, then the
// file that names their checksum and what else the job will say.

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { native } from '../native.ts';
import type { SweepSummary } from './job.ts';
import { putInPlace } from './job-directory.ts';
import { writeAll } from './result-writer.ts';

/** What is known of a sweep before its result is written. */
export type SweptSummary = Omit<SweepSummary, 'bytes' | 'resumedRows'>;

export interface Swept {
  readonly summary: SweptSummary;
  /** In the order of the result. */
  readonly items: Uint32Array;
  readonly scores: Float64Array;
}

interface Head {
  readonly rows: number;
  readonly crc32c: number;
  readonly summary: SweptSummary;
}

/** Read and written at a time: a call takes 2 GiB at most. */
const CHUNK_BYTES = 1 << 26;

export function writeSwept(path: string, { summary, items, scores }: Swept): void {
  const rows = openSync(`${path}.rows.part`, 'w');
  let crc32c = 0;
  try {
    for (const chunk of chunksOf(items, scores)) {
      writeAll(rows, chunk);
      crc32c = native.crc32c(crc32c, chunk);
    }
  } finally {
    closeSync(rows);
  }
  putInPlace(`${path}.rows.part`, `${path}.rows`);
  const head: Head = { rows: items.length, crc32c, summary };
  const fd = openSync(`${path}.json.part`, 'w');
  try {
    writeAll(fd, Buffer.from(JSON.stringify(head)));
  } finally {
    closeSync(fd);
  }
  putInPlace(`${path}.json.part`, `${path}.json`);
}

/** Null where no attempt came so far. Throws when the rows are not those that were written. */
export function readSwept(path: string): Swept | null {
  if (!existsSync(`${path}.json`)) return null;
  const { rows, crc32c, summary } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Head;
  const items = new Uint32Array(rows);
  const scores = new Float64Array(rows);
  const fd = openSync(`${path}.rows`, 'r');
  let found = 0;
  try {
    for (const chunk of chunksOf(items, scores)) {
      for (let done = 0, some = 1; done < chunk.length && some > 0; done += some) {
        some = readSync(fd, chunk, done, chunk.length - done, null);
      }
      found = native.crc32c(found, chunk);
    }
  } finally {
    closeSync(fd);
  }
  if (found === crc32c) return { summary, items, scores };
  throw new Error(
    `${path}.rows: is not what was written (CRC-32C ${found}, not ${crc32c}); delete the job and order it again`,
  );
}

function* chunksOf(...arrays: readonly (Uint32Array | Float64Array)[]): Iterable<Uint8Array> {
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (let first = 0; first < byteLength; first += CHUNK_BYTES) {
      yield new Uint8Array(buffer, byteOffset + first, Math.min(CHUNK_BYTES, byteLength - first));
    }
  }
}
