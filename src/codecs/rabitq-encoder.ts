// Dense vectors to records of 16 bits a dimension: sq8 codes, then a byte for where a value lies within the sq8 step. Codes
// of up to 12 bits are made of them, when the clusters are known.

import { native } from '../native.ts';
import { CodecError, type Encoder, type RecordSizes, type Space, type VectorChunk } from './codec.ts';
import { type RabitqForm, RabitqSpace } from './rabitq-space.ts';
import type { Sq8Encoder } from './sq8-encoder.ts';

export class RabitqEncoder implements Encoder {
  readonly sizes: RecordSizes;
  readonly #upper: Sq8Encoder;
  readonly #dims: number;
  readonly #form: RabitqForm;
  #error = 0;

  /** `packed`: bytes of an item's codes in the index. */
  constructor(upper: Sq8Encoder, dims: number, form: RabitqForm, packed: number) {
    this.sizes = { ...upper.sizes, record: 2 * dims, row: dims, packed };
    this.#upper = upper;
    this.#dims = dims;
    this.#form = form;
  }

  measure(chunk: VectorChunk, threads: number): void {
    this.#upper.measure(chunk, threads);
  }

  encode(chunk: VectorChunk, threads: number, records: Uint8Array): void {
    if (chunk.kind !== 'dense') throw new CodecError('codec=rabitq: the input is sparse; use codec=ratio');
    const dims = this.#dims;
    const upper = new Uint8Array(chunk.rows * dims);
    this.#upper.encode(chunk, threads, upper);
    const { offset, step } = this.#upper.scale();
    const rest = new Float32Array(upper.length);
    for (let i = 0, d = 0; i < rest.length; i++, d = d + 1 === dims ? 0 : d + 1) {
      rest[i] = (chunk.values[i] as number) - ((offset[d] as number) + (step[d] as number) * (upper[i] as number));
    }
    const lower = new Uint8Array(upper.length);
    const lowest = step.map((value) => -value / 2);
    const error = native.encodeSq8(
      rest,
      lowest,
      step.map((value) => value / 255),
      threads,
      lower,
    );
    this.#error = Math.max(this.#error, error);
    for (let row = 0; row < chunk.rows; row++) {
      records.set(upper.subarray(row * dims, (row + 1) * dims), 2 * row * dims);
      records.set(lower.subarray(row * dims, (row + 1) * dims), (2 * row + 1) * dims);
    }
  }

  state(): number[] {
    return [...this.#upper.state(), this.#error];
  }

  resume(state: readonly number[]): void {
    this.#upper.resume(state.slice(0, -1));
    this.#error = state.at(-1) as number;
  }

  space(): Space {
    return new RabitqSpace({ ...this.#upper.scale(), maxValueError: this.#error }, this.#form);
  }
}
