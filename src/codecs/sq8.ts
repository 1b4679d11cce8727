// sq8: one byte per dimension of a dense embedding, each dimension on its own scale; see native/src/sq8.h for the
// arithmetic and docs/codecs.md for the error bounds.

import { native, type SectionHandle } from '../native.ts';
import {
  type Codec,
  CodecError,
  type Encoder,
  type RecordSizes,
  type Space,
  type VectorChunk,
  type VectorSource,
} from './codec.ts';
import { choiceOption } from './options.ts';
import { Sq8Space } from './sq8-space.ts';

const MOST_DIMS = 4096;

export const sq8: Codec = {
  name: 'sq8',
  optionKeys: ['normalize'],

  encoder(source, options) {
    if (source.kind !== 'dense') throw new CodecError('codec=sq8: the input is sparse; use codec=ratio');
    if (source.dims > MOST_DIMS) {
      throw new CodecError(`codec=sq8: ${source.dims} dimensions; it holds up to ${MOST_DIMS}`);
    }
    return new Sq8Encoder(source, choiceOption(options, 'normalize', ['true', 'false']) === 'true');
  },

  open(manifest, items, section) {
    const scale = readScale(manifest.name, 'scale', manifest.dims, section);
    const spread = manifest.spread ? readScale(manifest.name, 'spread-scale', manifest.dims, section) : null;
    return {
      codes: native.openSq8(items, scale.offset, scale.step, section('codes')),
      representatives: native.openSq8(manifest.clusters, scale.offset, scale.step, section('representatives')),
      spread: spread && native.openSq8(manifest.clusters, spread.offset, spread.step, section('spread')),
    };
  },
};

class Sq8Encoder implements Encoder {
  readonly sizes: RecordSizes;
  readonly #source: VectorSource;
  readonly #normalize: boolean;
  readonly #lowest: Float32Array;
  readonly #highest: Float32Array;
  #error = 0;

  constructor(source: VectorSource, normalize: boolean) {
    const packed = native.sq8CodesBytes(16, source.dims) / 16;
    this.sizes = {
      record: source.dims,
      row: 0,
      representative: 4 * source.dims,
      packed,
      packedRepresentative: packed,
    };
    this.#source = source;
    this.#normalize = normalize;
    this.#lowest = new Float32Array(source.dims).fill(Number.POSITIVE_INFINITY);
    this.#highest = new Float32Array(source.dims).fill(Number.NEGATIVE_INFINITY);
  }

  /** Scales the rows of the chunk to unit length, in place, where that is asked for. */
  measure(chunk: VectorChunk, threads: number): void {
    const { dims } = this.#source;
    const bad = native.measureSq8(valuesOf(chunk), dims, this.#normalize, threads, this.#lowest, this.#highest);
    if (bad === null) return;
    const where = `${this.#source.locate(chunk.firstRow + bad.row)}, column ${bad.column}`;
    throw new CodecError(`${where}: ${bad.value}; expected a finite number`);
  }

  encode(chunk: VectorChunk, threads: number, records: Uint8Array): void {
    this.measure(chunk, threads);
    const error = native.encodeSq8(valuesOf(chunk), this.#lowest, this.#step(), threads, records);
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
    return new Sq8Space(this.#lowest, this.#step(), this.#normalize, this.#error);
  }

  #step(): Float32Array {
    return this.#highest.map((high, d) => (high - (this.#lowest[d] as number)) / 255);
  }
}

function valuesOf(chunk: VectorChunk): Float32Array {
  if (chunk.kind !== 'dense') throw new CodecError('codec=sq8: the input is sparse; use codec=ratio');
  return chunk.values;
}

function readScale(
  modality: string,
  suffix: string,
  dims: number,
  section: (suffix: string) => SectionHandle,
): { offset: Float32Array; step: Float32Array } {
  const handle = section(suffix);
  const offset = new Float32Array(dims);
  const step = new Float32Array(dims);
  const bytes = native.sectionBytes(handle);
  if (bytes !== 8 * dims) throw new CodecError(`section ${modality}.${suffix}: ${bytes} bytes for ${dims} dims`);
  native.readSection(handle, 0, new Uint8Array(offset.buffer));
  native.readSection(handle, offset.byteLength, new Uint8Array(step.buffer));
  return { offset, step };
}
