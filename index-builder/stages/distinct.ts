// A set of rows by what is in them: representatives that are equal would be one, and its twins would stay empty.

import type { Rows } from '../../src/codecs/codec.ts';

export class DistinctRows {
  readonly #rows: Rows;
  readonly #byHash = new Map<number, number[]>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** False where an equal row is in already. */
  add(row: number): boolean {
    const hash = this.#rows.hash(row);
    const others = this.#byHash.get(hash);
    if (others?.some((other) => this.#rows.same(row, other))) return false;
    if (others === undefined) this.#byHash.set(hash, [row]);
    else others.push(row);
    return true;
  }
}
