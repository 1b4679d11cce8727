// Dense vectors to sq8 records in two passes: the first finds the scale of every dimension.

import { native } from '../native.ts';
import {
  CodecError,
  type Encoder,
  type RecordSizes,
  type Space,
  type VectorChunk,
  type VectorSource,
} from './codec.ts';
import { choiceOption } from './options.ts';
import { type Sq8Scale, Sq8Space } from './sq8-space.ts';

const MOST_DIMS = 4096;

export class Sq8Encoder implements Encoder {
  readonly sizes: RecordSizes;
  readonly #codec: string;
  readonly #source: VectorSource;
  readonly #normalize: boolean;
  readonly #lowest: Float32Array;
  readonly #highest: Float32Array;
  #error = 0;

  /** Throws CodecError, which names the codec, for a source that it cannot hold. */
  constructor(codec: string, source: VectorSource, options: ReadonlyMap<string, string>) {
    requireDense(codec, source);
    const packed = sq8ItemBytes(source.dims);
    this.sizes = {
      record: source.dims,
      row: 0,
      representative: 4 * source.dims,
      packed,
      packedRepresentative: packed,
    };
    this.#codec = codec;
    this.#source = source;
    this.#normalize = choiceOption(options, 'normalize', ['true', 'false']) === 'true';
    this.#lowest = new Float32Array(source.dims).fill(Number.POSITIVE_INFINITY);
    this.#highest = new Float32Array(source.dims).fill(Number.NEGATIVE_INFINITY);
  }

  /** Scales the rows of the chunk to unit length, in place, where that is asked for. */
  measure(chunk: VectorChunk, threads: number): void {
    const { dims } = this.#source;
    const values = this.#valuesOf(chunk);
    const bad = native.measureSq8(values, dims, this.#normalize, threads, this.#lowest, this.#highest);
    if (bad === null) return;
    const where = `${this.#source.locate(chunk.firstRow + bad.row)}, column ${bad.column}`;
    throw new CodecError(`${where}: ${bad.value}; expected a finite number`);
  }

  encode(chunk: VectorChunk, threads: number, records: Uint8Array): void {
    this.measure(chunk, threads);
    const error = native.encodeSq8(this.#valuesOf(chunk), this.#lowest, this.#step(), threads, records);
    this.#error = Math.max(this.#error, error);
  }

  state(): number[] {
    return [...this.#lowest, ...this.#highest, this.#error];
  }

  resume(state: readonly number[]): void {
    const { dims } = this.#source;
    this.#lowest.set(state.slice(0, dims));
    this.#highest.set(state.slice(dims, 2 * dims));
    this.#error = state[2 * dims] as number;
  }

  space(): Space {
    return new Sq8Space(this.scale());
  }

  /** Complete when every chunk was measured, and the error when every chunk was encoded. */
  scale(): Sq8Scale {
    return { offset: this.#lowest, step: this.#step(), normalize: this.#normalize, maxValueError: this.#error };
  }

  #step(): Float32Array {
    return this.#highest.map((high, d) => (high - (this.#lowest[d] as number)) / 255);
  }

  #valuesOf(chunk: VectorChunk): Float32Array {
    if (chunk.kind !== 'dense') throw new CodecError(sparseInput(this.#codec));
    return chunk.values;
  }
}

/** Bytes of an item's sq8 codes in the index. */
export function sq8ItemBytes(dims: number): number {
  return native.sq8CodesBytes(16, dims) / 16;
}

/** Throws CodecError for a source that has no dense vectors, or too long ones. */
export function requireDense(codec: string, source: VectorSource): void {
  if (source.kind !== 'dense') throw new CodecError(sparseInput(codec));
  if (source.dims > MOST_DIMS) {
    throw new CodecError(`codec=${codec}: ${source.dims} dimensions; it holds up to ${MOST_DIMS}`);
  }
}

function sparseInput(codec: string): string {
  return `codec=${codec}: the input is sparse; use codec=ratio`;
}
