// Several inputs of one shape, read one after the other.

import { type DenseChunk, InputError, type SparseChunk, type VectorReader } from './reader.ts';

/**
 * Opens every path and joins the rows in that order. Dense inputs must have the same dims, sparse ones the same pairs
 * per row; the dims of sparse inputs are the largest of any.
 */
export async function openConcatenated(
  paths: readonly string[],
  open: (path: string) => Promise<VectorReader>,
): Promise<VectorReader> {
  const parts: VectorReader[] = [];
  try {
    for (const path of paths) {
      const part = await open(path);
      parts.push(part);
      requireSameShape(path, part, paths[0] as string, parts[0] as VectorReader);
    }
  } catch (error) {
    for (const part of parts) part.close();
    throw error;
  }
  return parts.length === 1 ? (parts[0] as VectorReader) : new Concatenation(parts);
}

class Concatenation implements VectorReader {
  readonly kind: 'dense' | 'sparse';
  readonly rows: number;
  readonly dims: number;
  readonly perRow: number;
  readonly chained: boolean;
  readonly files: readonly string[];
  readonly heldBytes: number;
  readonly #parts: readonly VectorReader[];

  constructor(parts: readonly VectorReader[]) {
    const first = parts[0] as VectorReader;
    this.kind = first.kind;
    this.rows = parts.reduce((sum, part) => sum + part.rows, 0);
    this.dims = parts.reduce((largest, part) => Math.max(largest, part.dims), 0);
    this.perRow = first.perRow;
    this.chained = first.chained;
    this.files = parts.flatMap((part) => part.files);
    this.heldBytes = parts.reduce((most, part) => Math.max(most, part.heldBytes), 0);
    this.#parts = parts;
  }

  async *chunks(rowsPerChunk: number, firstRow = 0): AsyncGenerator<DenseChunk | SparseChunk> {
    if (!Number.isInteger(firstRow) || firstRow < 0 || firstRow > this.rows) {
      throw new RangeError('firstRow must be a row');
    }
    let before = 0;
    for (const part of this.#parts) {
      const first = Math.max(0, firstRow - before);
      if (first < part.rows) {
        for await (const chunk of part.chunks(rowsPerChunk, first)) {
          yield { ...chunk, firstRow: before + chunk.firstRow };
        }
      }
      before += part.rows;
    }
  }

  locate(row: number): string {
    let rest = row;
    for (const part of this.#parts) {
      if (rest < part.rows) return part.locate(rest);
      rest -= part.rows;
    }
    throw new RangeError(`row ${row} of ${this.rows}`);
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

function requireSameShape(path: string, part: VectorReader, firstPath: string, first: VectorReader): void {
  if (part.perRow === first.perRow) return;
  const width = (reader: VectorReader) => `${reader.perRow} ${reader.kind === 'dense' ? 'dims' : 'pairs a row'}`;
  throw new InputError(
    path,
    `has ${width(part)}`,
    `expected ${width(first)} as in ${firstPath}`,
    'build an index from files of one shape',
  );
}
