// sq8: one byte per dimension of a dense embedding, each dimension on its own scale; see native/src/sq8.h for the
// arithmetic and docs/codecs.md for the error bounds.

import { native, type SectionHandle, type Sq8Vectors, type Tree } from '../native.ts';
import {
  type Codec,
  CodecError,
  type EncodedRows,
  type Representatives,
  type Spread,
  type VectorSource,
} from './codec.ts';
import { choiceOption } from './options.ts';

const CHUNK_VALUES = 1 << 22;

export const sq8: Codec = {
  name: 'sq8',
  optionKeys: ['normalize'],

  encode(source, options, onRows) {
    if (source.kind !== 'dense') throw new CodecError('codec=sq8: the input is sparse; use codec=ratio');
    if (source.dims > 4096) throw new CodecError(`codec=sq8: ${source.dims} dimensions; it holds up to 4096`);
    const normalize = choiceOption(options, 'normalize', ['true', 'false']) === 'true';
    const { dims, rows } = source;
    const lowest = new Float32Array(dims).fill(Number.POSITIVE_INFINITY);
    const highest = new Float32Array(dims).fill(Number.NEGATIVE_INFINITY);
    for (const chunk of measured(source, normalize, lowest, highest)) onRows(chunk.rows);
    const step = highest.map((high, d) => (high - (lowest[d] as number)) / 255);
    const codes = new Uint8Array(rows * dims);
    let maxValueError = 0;
    for (const chunk of measured(source, normalize, lowest, highest)) {
      const from = chunk.firstRow * dims;
      const error = native.encodeSq8(chunk.values, lowest, step, codes.subarray(from, from + chunk.rows * dims));
      maxValueError = Math.max(maxValueError, error);
      onRows(chunk.rows);
    }
    return new Sq8Rows({ codes, offset: lowest, step }, normalize, maxValueError);
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

interface DenseRepresentatives extends Representatives {
  /** count x dims, on the grid of the codes. */
  readonly values: Float32Array;
}

interface DenseSpread extends Spread {
  /** count x dims. */
  readonly values: Float32Array;
}

class Sq8Rows implements EncodedRows {
  readonly rows: number;
  readonly dims: number;
  readonly normalize: boolean;
  readonly maxValueError: number;
  readonly #vectors: Sq8Vectors;

  constructor(vectors: Sq8Vectors, normalize: boolean, maxValueError: number) {
    this.#vectors = vectors;
    this.dims = vectors.offset.length;
    this.rows = vectors.codes.length / this.dims;
    this.normalize = normalize;
    this.maxValueError = maxValueError;
  }

  take(rows: Uint32Array): DenseRepresentatives {
    const { codes, offset, step } = this.#vectors;
    const values = new Float32Array(rows.length * this.dims);
    let at = 0;
    for (const row of rows) {
      for (let d = 0; d < this.dims; d++) {
        values[at++] = (offset[d] as number) + (step[d] as number) * (codes[row * this.dims + d] as number);
      }
    }
    return { count: rows.length, values };
  }

  join(first: DenseRepresentatives, second: DenseRepresentatives): DenseRepresentatives {
    const values = new Float32Array(first.values.length + second.values.length);
    values.set(first.values);
    values.set(second.values, first.values.length);
    return { count: first.count + second.count, values };
  }

  pick(representatives: DenseRepresentatives, numbers: Uint32Array): DenseRepresentatives {
    const values = new Float32Array(numbers.length * this.dims);
    numbers.forEach((number, i) => {
      values.set(representatives.values.subarray(number * this.dims, (number + 1) * this.dims), i * this.dims);
    });
    return { count: numbers.length, values };
  }

  nearest(
    representatives: DenseRepresentatives,
    tree: Tree | null,
    threads: number,
    nearest: Uint32Array,
    distances: Float32Array,
  ): void {
    native.nearestDense(this.#vectors, representatives.values, tree, threads, nearest, distances);
  }

  nearestOf(rows: Uint32Array, representatives: DenseRepresentatives, threads: number): Uint32Array {
    const codes = new Uint8Array(rows.length * this.dims);
    rows.forEach((row, i) => {
      codes.set(this.#vectors.codes.subarray(row * this.dims, (row + 1) * this.dims), i * this.dims);
    });
    return this.#nearest(codes, representatives, threads);
  }

  parents(representatives: DenseRepresentatives, among: DenseRepresentatives, threads: number): Uint32Array {
    return this.#nearest(this.#codesOf(representatives), among, threads);
  }

  #nearest(codes: Uint8Array, representatives: DenseRepresentatives, threads: number): Uint32Array {
    const rows = codes.length / this.dims;
    const nearest = new Uint32Array(rows);
    const vectors = { ...this.#vectors, codes };
    native.nearestDense(vectors, representatives.values, null, threads, nearest, new Float32Array(rows));
    return nearest;
  }

  means(
    order: Uint32Array,
    starts: Uint32Array,
    previous: DenseRepresentatives,
    threads: number,
  ): DenseRepresentatives {
    const values = previous.values.slice();
    native.meansDense(this.#vectors, order, starts, threads, values);
    // Compressed like the items: a mean lies inside the codes' range.
    const codes = this.#codesOf({ count: previous.count, values });
    const { offset, step } = this.#vectors;
    for (let i = 0; i < values.length; i++) {
      const d = i % this.dims;
      values[i] = (offset[d] as number) + (step[d] as number) * (codes[i] as number);
    }
    return { count: previous.count, values };
  }

  spread(order: Uint32Array, starts: Uint32Array, threads: number): DenseSpread {
    const count = starts.length - 1;
    const values = new Float32Array(count * this.dims);
    native.variancesDense(this.#vectors, order, starts, threads, values);
    return { count, values };
  }

  denseRepresentative(representatives: DenseRepresentatives, number: number): number[] {
    return Array.from(representatives.values.subarray(number * this.dims, (number + 1) * this.dims));
  }

  denseRow(row: number): number[] {
    return Array.from(this.take(Uint32Array.of(row)).values);
  }

  hashes(): Uint32Array {
    const { codes } = this.#vectors;
    const hashes = new Uint32Array(this.rows);
    for (let row = 0; row < this.rows; row++) {
      hashes[row] = native.crc32c(0, codes.subarray(row * this.dims, (row + 1) * this.dims));
    }
    return hashes;
  }

  sameCode(row: number, other: number): boolean {
    const { codes } = this.#vectors;
    for (let d = 0; d < this.dims; d++) {
      if (codes[row * this.dims + d] !== codes[other * this.dims + d]) return false;
    }
    return true;
  }

  /** Zero within half a step in every dimension. */
  isZero(row: number): boolean {
    const { codes, offset, step } = this.#vectors;
    for (let d = 0; d < this.dims; d++) {
      const value = (offset[d] as number) + (step[d] as number) * (codes[row * this.dims + d] as number);
      if (Math.abs(value) > (step[d] as number) / 2 + 1e-12) return false;
    }
    return true;
  }

  pack(
    order: Uint32Array,
    representatives: DenseRepresentatives,
    spread: DenseSpread | null,
  ): ReturnType<EncodedRows['pack']> {
    const { codes, offset, step } = this.#vectors;
    const inOrder = Uint32Array.from({ length: representatives.count }, (_, number) => number);
    return {
      sections: [
        { suffix: 'scale', bytes: scaleBytes(offset, step) },
        { suffix: 'codes', bytes: this.#pack(codes, order) },
        { suffix: 'representatives', bytes: this.#pack(this.#codesOf(representatives), inOrder) },
        ...(spread === null ? [] : this.#packSpread(spread, inOrder)),
      ],
      manifest: {},
    };
  }

  /** Variances on a scale of their own, from 0 to the largest of each dimension. */
  #packSpread({ values }: DenseSpread, inOrder: Uint32Array): { suffix: string; bytes: Uint8Array }[] {
    const offset = new Float32Array(this.dims);
    const step = new Float32Array(this.dims);
    values.forEach((value, i) => {
      const d = i % this.dims;
      step[d] = Math.max(step[d] as number, value / 255);
    });
    const codes = new Uint8Array(values.length);
    native.encodeSq8(values, offset, step, codes);
    return [
      { suffix: 'spread-scale', bytes: scaleBytes(offset, step) },
      { suffix: 'spread', bytes: this.#pack(codes, inOrder) },
    ];
  }

  #pack(codes: Uint8Array, order: Uint32Array): Uint8Array {
    const blocks = new Uint8Array(native.sq8CodesBytes(order.length, this.dims));
    native.packSq8(codes, order, this.dims, blocks);
    return blocks;
  }

  #codesOf(representatives: DenseRepresentatives): Uint8Array {
    const codes = new Uint8Array(representatives.values.length);
    native.encodeSq8(representatives.values, this.#vectors.offset, this.#vectors.step, codes);
    return codes;
  }
}

/** Chunks of the source, normalised in place when asked, after measuring them. */
function* measured(
  source: VectorSource,
  normalize: boolean,
  lowest: Float32Array,
  highest: Float32Array,
): Iterable<{ firstRow: number; rows: number; values: Float32Array }> {
  for (const chunk of source.chunks(Math.max(1, Math.floor(CHUNK_VALUES / source.dims)))) {
    if (chunk.kind !== 'dense') throw new CodecError('codec=sq8: the input is sparse; use codec=ratio');
    const bad = native.measureSq8(chunk.values, source.dims, normalize, lowest, highest);
    if (bad !== null) {
      const where = `${source.locate(chunk.firstRow + bad.row)}, column ${bad.column}`;
      throw new CodecError(`${where}: ${bad.value}; expected a finite number`);
    }
    yield chunk;
  }
}

/** The section of a scale: offsets, then steps. */
function scaleBytes(offset: Float32Array, step: Float32Array): Uint8Array {
  const scale = new Float32Array(2 * offset.length);
  scale.set(offset);
  scale.set(step, offset.length);
  return new Uint8Array(scale.buffer);
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
