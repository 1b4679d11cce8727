// The space of sq8 records: dense vectors on a grid of 256 steps per dimension, clusters by Euclidean distance.

import { native } from '../native.ts';
import type { AssignTree, OnPass, Sq8Vectors } from '../native-types.ts';
import type {
  Assigner,
  CodecManifest,
  Members,
  Moments,
  PackedPart,
  PackedSections,
  Representatives,
  Rows,
  Space,
  Spread,
} from './codec.ts';

export interface DenseRepresentatives extends Representatives {
  /** count x dims, on the grid of the codes. */
  readonly values: Float32Array;
}

export interface DenseSpread extends Spread {
  /** count x dims. */
  readonly values: Float32Array;
}

/** value = offset + step * code, per dimension. */
export interface Sq8Scale {
  readonly offset: Float32Array;
  readonly step: Float32Array;
  readonly normalize: boolean;
  /** Largest |input value - recorded value|, after normalisation. */
  readonly maxValueError: number;
}

export class Sq8Space implements Space {
  readonly dims: number;
  readonly normalize: boolean;
  readonly recordBytes: number;
  readonly kind = 'dense';
  readonly seeds = 'apart';
  readonly packsResiduals: boolean = false;
  readonly #maxValueError: number;
  readonly #offset: Float32Array;
  readonly #step: Float32Array;

  constructor({ offset, step, normalize, maxValueError }: Sq8Scale) {
    this.dims = offset.length;
    this.normalize = normalize;
    this.#maxValueError = maxValueError;
    this.recordBytes = offset.length;
    this.#offset = offset;
    this.#step = step;
  }

  get maxValueError(): number {
    return this.#maxValueError;
  }

  rows(records: Uint8Array): Rows {
    return this.#rowsOf(records);
  }

  #rowsOf(codes: Uint8Array): Sq8Rows {
    return new Sq8Rows({ codes, offset: this.#offset, step: this.#step });
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

  assigner(representatives: DenseRepresentatives, tree: AssignTree | null, threads: number): Assigner {
    const assigner = native.denseAssigner(representatives.values, this.dims, tree, threads);
    return {
      assign: (rows, nearest, distances) =>
        native.assignDense(assigner, (rows as Sq8Rows).vectors, threads, nearest, distances),
      release: () => native.releaseDenseAssigner(assigner),
    };
  }

  asRows(representatives: DenseRepresentatives): Rows {
    return this.#rowsOf(this.#codesOf(representatives.values));
  }

  dense(representatives: DenseRepresentatives, number: number): number[] {
    return Array.from(representatives.values.subarray(number * this.dims, (number + 1) * this.dims));
  }

  save({ values }: DenseRepresentatives): Uint8Array {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }

  load(bytes: Uint8Array): DenseRepresentatives {
    const values = new Float32Array(bytes.slice().buffer);
    return { count: values.length / this.dims, values };
  }

  members(starts: Uint32Array, spread: boolean): Members {
    const clusters = starts.length - 1;
    const members = native.openSq8Members(this.#offset, this.#step);
    const means = new Float32Array(clusters * this.dims);
    const variances = spread ? new Float32Array(clusters * this.dims) : null;
    let counts = { duplicates: 0, zeros: 0 };
    return {
      add: (records, threads) => {
        counts = native.addSq8Members(members, records, starts, threads, means, variances);
      },
      finish: (): Moments => {
        ontoGrid(means, this.#offset, this.#step);
        const representatives: DenseRepresentatives = { count: clusters, values: means };
        const dense: DenseSpread | null = variances && { count: clusters, values: variances };
        return { representatives, spread: dense, ...counts };
      },
    };
  }

  packedSizes(items: number): { suffix: string; bytes: number }[] {
    return [{ suffix: 'codes', bytes: native.sq8CodesBytes(items, this.dims) }];
  }

  pack(records: Uint8Array, _part: PackedPart, threads: number): PackedSections {
    return [{ suffix: 'codes', bytes: this.#pack(records, threads) }];
  }

  groups(representatives: DenseRepresentatives, tree: AssignTree, threads: number, onPass: OnPass) {
    const of = new Uint32Array(representatives.count);
    return { of, count: native.groupDense(representatives.values, this.dims, tree, threads, of, onPass) };
  }

  groupMeans({ values }: DenseRepresentatives, starts: Uint32Array, threads: number): DenseRepresentatives {
    const count = starts.length - 1;
    const means = new Float32Array(count * this.dims);
    const order = Uint32Array.from({ length: values.length / this.dims }, (_, i) => i);
    const rows = { codes: this.#codesOf(values), offset: this.#offset, step: this.#step };
    native.meansDense(rows, order, starts, threads, means);
    return { count, values: means };
  }

  packClusters(
    representatives: DenseRepresentatives,
    spread: DenseSpread | null,
    groups: DenseRepresentatives | null,
  ): { sections: PackedSections; manifest: CodecManifest } {
    return {
      sections: [
        { suffix: 'scale', bytes: scaleBytes(this.#offset, this.#step) },
        { suffix: 'representatives', bytes: this.#pack(this.#codesOf(representatives.values), 1) },
        ...(spread === null ? [] : this.#packSpread(spread)),
        ...(groups === null ? [] : [{ suffix: 'groups', bytes: this.#pack(this.#codesOf(groups.values), 1) }]),
      ],
      manifest: {},
    };
  }

  /** Variances on a scale of their own, from 0 to the largest of each dimension. */
  #packSpread({ values }: DenseSpread): PackedSections {
    const offset = new Float32Array(this.dims);
    const step = new Float32Array(this.dims);
    for (let i = 0, d = 0; i < values.length; i++, d = d + 1 === this.dims ? 0 : d + 1) {
      step[d] = Math.max(step[d] as number, (values[i] as number) / 255);
    }
    const codes = new Uint8Array(values.length);
    native.encodeSq8(values, offset, step, 1, codes);
    return [
      { suffix: 'spread-scale', bytes: scaleBytes(offset, step) },
      { suffix: 'spread', bytes: this.#pack(codes, 1) },
    ];
  }

  #pack(codes: Uint8Array, threads: number): Uint8Array {
    const blocks = new Uint8Array(native.sq8CodesBytes(codes.length / this.dims, this.dims));
    native.packSq8Records(codes, this.dims, threads, blocks);
    return blocks;
  }

  #codesOf(values: Float32Array): Uint8Array {
    const codes = new Uint8Array(values.length);
    native.encodeSq8(values, this.#offset, this.#step, 1, codes);
    return codes;
  }
}

class Sq8Rows implements Rows {
  readonly count: number;
  readonly vectors: Sq8Vectors;
  readonly #dims: number;

  constructor(vectors: Sq8Vectors) {
    this.vectors = vectors;
    this.#dims = vectors.offset.length;
    this.count = vectors.codes.length / this.#dims;
  }

  range(first: number, end: number): Sq8Rows {
    return new Sq8Rows({ ...this.vectors, codes: this.vectors.codes.subarray(first * this.#dims, end * this.#dims) });
  }

  take(numbers: Uint32Array): DenseRepresentatives {
    const { codes, offset, step } = this.vectors;
    const values = new Float32Array(numbers.length * this.#dims);
    let at = 0;
    for (const row of numbers) {
      for (let d = 0; d < this.#dims; d++) {
        values[at++] = (offset[d] as number) + (step[d] as number) * (codes[row * this.#dims + d] as number);
      }
    }
    return { count: numbers.length, values };
  }

  means(
    order: Uint32Array,
    starts: Uint32Array,
    previous: DenseRepresentatives,
    threads: number,
  ): DenseRepresentatives {
    const values = previous.values.slice();
    native.meansDense(this.vectors, order, starts, threads, values);
    ontoGrid(values, this.vectors.offset, this.vectors.step);
    return { count: previous.count, values };
  }

  same(row: number, other: number): boolean {
    const { codes } = this.vectors;
    for (let d = 0; d < this.#dims; d++) {
      if (codes[row * this.#dims + d] !== codes[other * this.#dims + d]) return false;
    }
    return true;
  }

  hash(row: number): number {
    return native.crc32c(0, this.vectors.codes.subarray(row * this.#dims, (row + 1) * this.#dims));
  }

  dense(row: number): number[] {
    return Array.from(this.take(Uint32Array.of(row)).values);
  }
}

/** Compresses means like the items: a mean lies inside the codes' range. */
function ontoGrid(values: Float32Array, offset: Float32Array, step: Float32Array): void {
  const codes = new Uint8Array(values.length);
  native.encodeSq8(values, offset, step, 1, codes);
  for (let i = 0, d = 0; i < values.length; i++, d = d + 1 === offset.length ? 0 : d + 1) {
    values[i] = (offset[d] as number) + (step[d] as number) * (codes[i] as number);
  }
}

/** The section of a scale: offsets, then steps. */
function scaleBytes(offset: Float32Array, step: Float32Array): Uint8Array {
  const scale = new Float32Array(2 * offset.length);
  scale.set(offset);
  scale.set(step, offset.length);
  return new Uint8Array(scale.buffer);
}
