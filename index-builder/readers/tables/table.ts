// Rows of named values in a file, for keys and metadata, whatever format holds them.

import type { Candidate, OnRead } from '../reader.ts';

export interface TableRow {
  /** Where it stands, for messages. */
  readonly place: string;
  /** What JSON can hold, by the name of the column. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface TableFile {
  /** Null where every row has its own. */
  readonly columns: readonly string[] | null;
  /** All rows in order, with these columns or all; can be read several times. */
  rows(columns?: readonly string[], onRead?: OnRead): AsyncIterable<TableRow>;
  close(): void;
}

/** Of text formats without types: whether a column of numbers gives numbers, which takes a pass of its own to know. */
export type Cells = 'typed' | 'text';

/** One file format that holds tables. */
export interface TableFormat {
  readonly name: string;
  /** Whether it is compressed, so that its content is larger than the file. */
  readonly compressed: boolean;
  matches(candidate: Candidate): boolean;
  open(path: string, cells: Cells): Promise<TableFile>;
}
