// Writing a result in parts: rows of item, key and score, in order. After every part the bytes are synced and a line of a
// journal says how far they go, so that an attempt that ends there, however it does, is gone on from by the next one.

import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

/** Some rows; `keys` is null where the collection has none. */
export interface ResultRows {
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  readonly keys: readonly string[] | null;
}

/** One format. */
export interface ResultWriter {
  write(rows: ResultRows): void;
  /** Hands all bytes so far to the file. */
  flush(): void;
  /** Bytes of the file so far, those that were there included. */
  readonly bytes: number;
  /** What a writer that goes on from here needs to know of what was written since the last call. */
  takeState(): unknown;
  /** Writes what is left. */
  finish(): void;
}

/** How far a result is durable. */
export interface Durable {
  readonly rows: number;
  readonly bytes: number;
  /** What the writer said of each part. */
  readonly states: readonly unknown[];
  /** Whether nothing is to follow. */
  readonly finished: boolean;
}

/** A line of the journal. */
interface Mark {
  readonly rows: number;
  readonly bytes: number;
  readonly state: unknown;
  readonly finished: boolean;
}

/** Largest parts of rows that a writer gets at a time. */
const WRITE_ROWS = 1 << 16;

export interface ResultFile {
  /** Of the bytes, and of the journal. */
  readonly path: string;
  readonly journal: string;
  /** Rows to a part. */
  readonly partRows: number;
  /** Makes a writer that goes on after some bytes of an open file. */
  readonly writerAt: (fd: number, from: Durable) => ResultWriter;
}

/** How far an earlier attempt came; what it wrote behind that is of no use. */
export function durablePart(path: string, journal: string): Durable {
  const marks = existsSync(path) ? readMarks(journal) : [];
  const { rows, bytes, finished } = marks.at(-1) ?? { rows: 0, bytes: 0, finished: false };
  if (marks.length === 0 || statSync(path).size >= bytes) {
    return { rows, bytes, finished, states: marks.map(({ state }) => state) };
  }
  const advice = 'delete the job and order it again';
  throw new Error(`${path}: shorter than the ${bytes} bytes that ${journal} says are durable; ${advice}`);
}

/**
 * Writes the rows of `total` that are not durable yet; `rowsAt` gives some of them. Calls `wrote` with the rows and bytes
 * there are, between parts of parts, which may throw to stop. Returns the bytes of the whole.
 */
export function writeParts(
  { path, journal, partRows, writerAt }: ResultFile,
  total: number,
  rowsAt: (first: number, last: number) => ResultRows,
  wrote: (rows: number, bytes: number) => void,
): number {
  const from = durablePart(path, journal);
  if (from.finished) return from.bytes;
  const fd = openSync(path, from.bytes > 0 ? 'r+' : 'w');
  const log = openSync(journal, 'a');
  try {
    ftruncateSync(fd, from.bytes);
    ftruncateSync(log, wholeLines(journal).length);
    const writer = writerAt(fd, from);
    const mark = (rows: number, finished: boolean) => {
      writer.flush();
      fsyncSync(fd);
      const line: Mark = { rows, bytes: writer.bytes, state: writer.takeState(), finished };
      writeAll(log, Buffer.from(`${serialize(line).toString('base64')}\n`));
      fsyncSync(log);
    };
    for (let first = from.rows; first < total; ) {
      // Parts and what is written at a time end at the same rows whichever row an attempt began with.
      const partEnd = Math.min(total, (Math.floor(first / partRows) + 1) * partRows);
      const last = Math.min(partEnd, first + WRITE_ROWS);
      writer.write(rowsAt(first, last));
      wrote(last, writer.bytes);
      if (last === partEnd && last < total) mark(last, false);
      first = last;
    }
    writer.finish();
    mark(total, true);
    return writer.bytes;
  } finally {
    closeSync(log);
    closeSync(fd);
  }
}

function readMarks(journal: string): Mark[] {
  if (!existsSync(journal)) return [];
  const lines = wholeLines(journal).split('\n').slice(0, -1);
  return lines.map((line) => deserialize(Buffer.from(line, 'base64')) as Mark);
}

/** A last line without its end was being written. */
function wholeLines(journal: string): string {
  const text = readFileSync(journal, 'latin1');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** A write may take less than it was given. */
export function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}
