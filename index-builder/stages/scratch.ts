// A scratch file of fixed-size records in row order: appended to, then read in ranges.

import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { IndexError } from '../../src/index/format.ts';
import { changing, writeAt } from './disk.ts';

export class ScratchFile {
  readonly path: string;
  readonly recordBytes: number;
  readonly #file: number;
  #rows: number;

  /** Opens the file with its first `rows` records, which an earlier build may have written; what follows is cut off. */
  constructor(path: string, recordBytes: number, rows: number) {
    this.path = path;
    this.recordBytes = recordBytes;
    this.#rows = rows;
    this.#file = changing(path, () => openSync(path, rows === 0 ? 'w+' : 'r+'));
    const { size } = fstatSync(this.#file);
    if (size < rows * recordBytes) {
      closeSync(this.#file);
      throw new IndexError(
        `${path}: ${size} bytes, expected at least ${rows * recordBytes}; it was changed, build again without --resume`,
      );
    }
    changing(path, () => ftruncateSync(this.#file, rows * recordBytes));
  }

  get rows(): number {
    return this.#rows;
  }

  append(records: Uint8Array): void {
    changing(this.path, () => writeAt(this.#file, records, this.#rows * this.recordBytes));
    this.#rows += records.length / this.recordBytes;
  }

  /** Waits until everything appended is on disk. */
  sync(): void {
    changing(this.path, () => fsyncSync(this.#file));
  }

  /** Fills `out` with the records from `first` on. */
  read(first: number, out: Uint8Array): void {
    const position = first * this.recordBytes;
    for (let filled = 0; filled < out.length; ) {
      const wanted = Math.min(out.length - filled, 1 << 30);
      const got = readSync(this.#file, out, filled, wanted, position + filled);
      if (got === 0) throw new IndexError(`${this.path}: shorter than it was written; it was changed during the build`);
      filled += got;
    }
  }

  /** Parts of at most `rows` records, in order; the bytes are overwritten by the next part. */
  *parts(rows: number, firstRow = 0): Generator<{ first: number; count: number; records: Uint8Array }> {
    const buffer = new Uint8Array(Math.min(rows, this.#rows) * this.recordBytes);
    for (let first = firstRow; first < this.#rows; first += rows) {
      const count = Math.min(rows, this.#rows - first);
      const records = buffer.subarray(0, count * this.recordBytes);
      this.read(first, records);
      yield { first, count, records };
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
