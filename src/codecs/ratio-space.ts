// The space of ratio records: sparse vectors of a few features, clusters by Euclidean distance.

import type { RatioCodesManifest } from '../index/format.ts';
import { native } from '../native.ts';
import type { AssignTree, OnPass, RatioParameters, RatioQuantiser, SparseVectors } from '../native-types.ts';
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

/** Representatives and spreads are means and variances: 4,080 steps of the largest are finer than what they say. */
export const REPRESENTATIVE_BITS = 12;
const REPRESENTATIVE_MAX_CODE = 255 * 2 ** (REPRESENTATIVE_BITS - 8);
/** Readable bytes behind the last rest of a refine section. */
const REFINE_TAIL_BYTES = 8;

interface SparseRepresentatives extends Representatives, SparseVectors {}
interface SparseSpread extends Spread, SparseVectors {}

export class RatioSpace implements Space {
  readonly dims: number;
  readonly normalize: boolean;
  readonly maxValueError: number;
  readonly recordBytes: number;
  readonly kind = 'sparse';
  readonly seeds = 'random';
  readonly packsResiduals = false;
  readonly #quantiser: RatioQuantiser;
  readonly #parameters: RatioParameters;
  readonly #codeBytes: number;
  readonly #representativeFeatures: number;
  readonly #representativeScale: number;

  constructor(
    quantiser: RatioQuantiser,
    parameters: RatioParameters,
    codeBytes: number,
    representativeFeatures: number,
    maxValueError: number,
  ) {
    this.dims = parameters.dims;
    this.normalize = quantiser.normalize;
    this.maxValueError = maxValueError;
    this.recordBytes = parameters.features * (2 + codeBytes);
    this.#quantiser = quantiser;
    this.#parameters = parameters;
    this.#codeBytes = codeBytes;
    this.#representativeFeatures = representativeFeatures;
    // A mean is never larger than the largest value, nor, scaled to unit length, than 1.
    const largest = quantiser.normalize ? 1 : parameters.scale * quantiser.maxCode;
    this.#representativeScale = largest / REPRESENTATIVE_MAX_CODE;
  }

  rows(records: Uint8Array, threads: number): RatioRows {
    const { features, scale } = this.#parameters;
    const count = records.length / this.recordBytes;
    const ids = new Uint16Array(count * features);
    const values = new Float32Array(count * features);
    native.ratioVectors(records, features, this.#codeBytes, scale, threads, ids, values);
    return this.#rowsOf({ ids, values, perRow: features });
  }

  #rowsOf(vectors: SparseVectors): RatioRows {
    const { normalize } = this;
    return new RatioRows(
      vectors,
      this.dims,
      this.#representativeFeatures,
      (means) => this.#compress(means, normalize),
      (rows) => this.#compress(rows, false),
    );
  }

  join(first: SparseRepresentatives, second: SparseRepresentatives): SparseRepresentatives {
    const ids = new Uint16Array(first.ids.length + second.ids.length);
    ids.set(first.ids);
    ids.set(second.ids, first.ids.length);
    const values = new Float32Array(ids.length);
    values.set(first.values);
    values.set(second.values, first.values.length);
    return { count: first.count + second.count, ids, values, perRow: first.perRow };
  }

  pick(representatives: SparseRepresentatives, numbers: Uint32Array): SparseRepresentatives {
    return gather(representatives, numbers, representatives.perRow);
  }

  assigner(representatives: SparseRepresentatives, tree: AssignTree | null, threads: number): Assigner {
    const assigner = native.sparseAssigner(representatives, this.dims, tree, threads);
    return {
      assign: (rows, nearest, distances) =>
        native.assignSparse(assigner, (rows as RatioRows).vectors, threads, nearest, distances),
      release: () => native.releaseSparseAssigner(assigner),
    };
  }

  asRows(representatives: SparseRepresentatives): Rows {
    return this.#rowsOf(representatives);
  }

  dense(representatives: SparseRepresentatives, number: number): number[] {
    return dense(representatives, number, this.dims);
  }

  save({ ids, values }: SparseRepresentatives): Uint8Array {
    const bytes = new Uint8Array(values.byteLength + ids.byteLength);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), values.byteLength);
    return bytes;
  }

  load(bytes: Uint8Array): SparseRepresentatives {
    const perRow = this.#representativeFeatures;
    const count = bytes.length / (6 * perRow);
    const copy = bytes.slice().buffer;
    const values = new Float32Array(copy, 0, count * perRow);
    return { count, values, ids: new Uint16Array(copy, values.byteLength, count * perRow), perRow };
  }

  members(starts: Uint32Array, spread: boolean): Members {
    const clusters = starts.length - 1;
    const members = native.openRatioMembers(this.#parameters, this.#codeBytes);
    const means = noVectors(clusters, this.#representativeFeatures);
    const variances = spread ? noVectors(clusters, this.#representativeFeatures) : null;
    let counts = { duplicates: 0, zeros: 0 };
    return {
      add: (records, threads) => {
        counts = native.addRatioMembers(members, records, starts, threads, means, variances);
      },
      finish: (): Moments => {
        this.#compress(means, this.normalize);
        return { representatives: means, spread: variances, ...counts };
      },
    };
  }

  packedSizes(items: number): { suffix: string; bytes: number }[] {
    return [
      { suffix: 'codes', bytes: native.ratioCodesBytes(items, this.#parameters) },
      { suffix: 'codes-refine', bytes: native.ratioRefineBytes(items, this.#parameters) },
    ];
  }

  pack(records: Uint8Array, { last }: PackedPart, threads: number): PackedSections {
    const count = records.length / this.recordBytes;
    const blocks = new Uint8Array(native.ratioCodesBytes(count, this.#parameters));
    const refine = new Uint8Array(native.ratioRefineBytes(count, this.#parameters));
    native.packRatioRecords(records, this.#codeBytes, this.#parameters, threads, blocks, refine);
    const tail = last || refine.length === 0 ? 0 : REFINE_TAIL_BYTES;
    return [
      { suffix: 'codes', bytes: blocks },
      { suffix: 'codes-refine', bytes: refine.subarray(0, refine.length - tail) },
    ];
  }

  groups(representatives: SparseRepresentatives, tree: AssignTree, threads: number, onPass: OnPass) {
    const of = new Uint32Array(representatives.count);
    return { of, count: native.groupSparse(representatives, this.dims, tree, threads, of, onPass) };
  }

  /** Not drawn out to unit length: the mean of unlike members promises less. */
  groupMeans(representatives: SparseRepresentatives, starts: Uint32Array, threads: number): SparseRepresentatives {
    const means = noVectors(starts.length - 1, representatives.perRow);
    native.meansSparse(representatives, this.dims, ascending(representatives.count), starts, threads, means);
    return means;
  }

  packClusters(
    representatives: SparseRepresentatives,
    spread: SparseSpread | null,
    groups: SparseRepresentatives | null,
  ): { sections: PackedSections; manifest: CodecManifest } {
    const means = this.#packFew('representatives', representatives, this.#representativeScale);
    const variances = spread && this.#packFew('spread', spread, scaleFor(spread.values));
    const grouped = groups && this.#packFew('groups', groups, this.#representativeScale);
    return {
      sections: [...means.sections, ...(variances?.sections ?? []), ...(grouped?.sections ?? [])],
      manifest: {
        ratio: {
          items: manifestOf(this.#parameters),
          representatives: manifestOf(means.parameters),
          ...(variances === null ? {} : { spread: manifestOf(variances.parameters) }),
          ...(grouped === null ? {} : { groups: manifestOf(grouped.parameters) }),
          value_divisor: this.#quantiser.valueDivisor,
          ratio_divisor: this.#quantiser.ratioDivisor,
          rounding: this.#quantiser.floor ? 'floor' : 'nearest',
        },
      },
    };
  }

  /** Scales vectors to unit length, if wanted, and rounds them to what is stored of representatives. */
  #compress({ values, perRow }: SparseVectors, normalize: boolean): void {
    const step = this.#representativeScale;
    for (let from = 0; from < values.length; from += perRow) {
      let square = 0;
      if (normalize) for (let j = from; j < from + perRow; j++) square += (values[j] as number) ** 2;
      const norm = square > 0 ? Math.sqrt(square) : 1;
      for (let j = from; j < from + perRow; j++) {
        values[j] = Math.min(Math.round((values[j] as number) / norm / step), REPRESENTATIVE_MAX_CODE) * step;
      }
    }
  }

  /** Packs one vector per cluster, in cluster order. */
  #packFew(suffix: string, { ids, values, perRow, count }: SparseSpread, scale: number) {
    const parameters: RatioParameters = {
      dims: this.dims,
      features: perRow,
      valueBits: REPRESENTATIVE_BITS,
      scale,
      maxSum: largestSum(values, perRow) + perRow * scale,
    };
    const codes = new Uint32Array(values.length);
    for (let i = 0; i < codes.length; i++) {
      codes[i] = Math.min(Math.round((values[i] as number) / scale), REPRESENTATIVE_MAX_CODE);
    }
    const blocks = new Uint8Array(native.ratioCodesBytes(count, parameters));
    const refine = new Uint8Array(native.ratioRefineBytes(count, parameters));
    native.packRatio(ids, codes, ascending(count), parameters, blocks, refine);
    return {
      parameters,
      sections: [
        { suffix, bytes: blocks },
        { suffix: `${suffix}-refine`, bytes: refine },
      ],
    };
  }
}

/** Rows as the vectors they decode to. */
class RatioRows implements Rows {
  readonly count: number;
  readonly vectors: SparseVectors;
  readonly #dims: number;
  readonly #representativeFeatures: number;
  readonly #compress: (means: SparseVectors) => void;
  readonly #round: (rows: SparseVectors) => void;

  constructor(
    vectors: SparseVectors,
    dims: number,
    representativeFeatures: number,
    compress: (means: SparseVectors) => void,
    round: (rows: SparseVectors) => void,
  ) {
    this.count = vectors.values.length / vectors.perRow;
    this.vectors = vectors;
    this.#dims = dims;
    this.#representativeFeatures = representativeFeatures;
    this.#compress = compress;
    this.#round = round;
  }

  range(first: number, end: number): RatioRows {
    const { ids, values, perRow } = this.vectors;
    const some = {
      ids: ids.subarray(first * perRow, end * perRow),
      values: values.subarray(first * perRow, end * perRow),
    };
    return new RatioRows({ ...some, perRow }, this.#dims, this.#representativeFeatures, this.#compress, this.#round);
  }

  take(numbers: Uint32Array): SparseRepresentatives {
    const taken = gather(this.vectors, numbers, this.#representativeFeatures);
    this.#round(taken);
    return taken;
  }

  means(
    order: Uint32Array,
    starts: Uint32Array,
    previous: SparseRepresentatives,
    threads: number,
  ): SparseRepresentatives {
    const means = { ...previous, ids: previous.ids.slice(), values: previous.values.slice() };
    native.meansSparse(this.vectors, this.#dims, order, starts, threads, means);
    this.#compress(means);
    return means;
  }

  same(row: number, other: number): boolean {
    const { ids, values, perRow } = this.vectors;
    for (let j = 0; j < perRow; j++) {
      if (values[row * perRow + j] !== values[other * perRow + j]) return false;
      if (ids[row * perRow + j] !== ids[other * perRow + j]) return false;
    }
    return true;
  }

  hash(row: number): number {
    const { ids, values, perRow } = this.vectors;
    const ofIds = native.crc32c(0, bytesOf(ids.subarray(row * perRow, (row + 1) * perRow)));
    return native.crc32c(ofIds, bytesOf(values.subarray(row * perRow, (row + 1) * perRow)));
  }

  dense(row: number): number[] {
    return dense(this.vectors, row, this.#dims);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function noVectors(count: number, perRow: number): SparseRepresentatives {
  return { count, ids: new Uint16Array(count * perRow), values: new Float32Array(count * perRow), perRow };
}

/** Rows `numbers` of vectors, padded to `perRow` entries. */
function gather(vectors: SparseVectors, numbers: Uint32Array, perRow: number): SparseRepresentatives {
  const gathered = noVectors(numbers.length, perRow);
  for (let i = 0; i < numbers.length; i++) {
    const from = (numbers[i] as number) * vectors.perRow;
    for (let j = 0; j < vectors.perRow; j++) {
      gathered.ids[i * perRow + j] = vectors.ids[from + j] as number;
      gathered.values[i * perRow + j] = vectors.values[from + j] as number;
    }
  }
  return gathered;
}

function dense(vectors: SparseVectors, row: number, dims: number): number[] {
  const out = new Array<number>(dims).fill(0);
  for (let j = row * vectors.perRow; j < (row + 1) * vectors.perRow; j++) {
    const value = vectors.values[j] as number;
    if (value !== 0) out[vectors.ids[j] as number] = value;
  }
  return out;
}

function largestSum(values: Float32Array, perRow: number): number {
  let largest = 0;
  for (let from = 0; from < values.length; from += perRow) {
    let sum = 0;
    for (let j = from; j < from + perRow; j++) sum += values[j] as number;
    largest = Math.max(largest, sum);
  }
  return largest;
}

/** The step that lets the largest value take the largest code. */
function scaleFor(values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, value);
  return largest > 0 ? largest / REPRESENTATIVE_MAX_CODE : 1;
}

function ascending(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

function manifestOf(parameters: RatioParameters): RatioCodesManifest {
  return {
    features: parameters.features,
    value_bits: parameters.valueBits,
    scale: parameters.scale,
    max_sum: parameters.maxSum,
  };
}
