// The interface of a result: rows of item, key and score, in order, a block at a time.

/** Some rows; `keys` is null where the collection has none. */
export interface ResultRows {
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  readonly keys: readonly string[] | null;
}

export interface ResultWriter {
  write(rows: ResultRows): void;
  /** Bytes handed to the file so far. */
  readonly bytes: number;
  /** Writes what is left; the file is whole, but not synced. */
  finish(): void;
}
