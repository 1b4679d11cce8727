// ratio: the Blackthorn compression for sparse non-negative features (Exquisitor §3.1). The n strongest features of a
// vector, values chained as quantised ratios as in the papers, then stored as linear codes that scan fast; see
// native/src/ratio.h for the arithmetic and docs/codecs.md for the error bounds.

import type { RatioCodesManifest } from '../index/format.ts';
import { type BadValue, native, type RatioParameters, type RatioQuantiser, type SparseVectors } from '../native.ts';
import {
  type Codec,
  CodecError,
  type EncodedRows,
  type Representatives,
  type Spread,
  type VectorSource,
} from './codec.ts';
import { choiceOption, numberOption, wholeOption } from './options.ts';

const CHUNK_ROWS = 16384;
const DEFAULT_DENSE_FEATURES = 16;
/** A mean of a hundred sparse vectors is less sparse than they are; see bench/recall.bench.ts. */
const DEFAULT_REPRESENTATIVE_FEATURES = 16;
/** Representatives are few: they always keep float precision. */
const REPRESENTATIVE_BITS = 24;

export const ratio: Codec = {
  name: 'ratio',
  optionKeys: [
    'features',
    'normalize',
    'stored_bits',
    'representative_features',
    'value_divisor',
    'ratio_divisor',
    'rounding',
  ],

  encode(source, options, onRows) {
    if (source.dims > 65536) throw new CodecError(`dims=${source.dims}: the ratio codec holds up to 65536 features`);
    const most = Math.min(255, source.dims);
    const fallback = Math.min(most, source.kind === 'sparse' ? source.perRow : DEFAULT_DENSE_FEATURES);
    const features = wholeOption(options, 'features', fallback, 1, most);
    const storedBits = wholeOption(options, 'stored_bits', 24, 8, 24);
    const quantiser: RatioQuantiser = {
      features,
      dims: source.dims,
      valueDivisor: source.chained ? 0 : numberOption(options, 'value_divisor', 2e14, 0, 1e18),
      ratioDivisor: source.chained ? 0 : numberOption(options, 'ratio_divisor', 50000, 0, 2 ** 32),
      floor: choiceOption(options, 'rounding', ['nearest', 'floor']) === 'floor',
      normalize: choiceOption(options, 'normalize', ['true', 'false']) === 'true',
      scale: 1,
      maxCode: 255 * 2 ** (storedBits - 8),
    };
    const representativeFeatures = wholeOption(
      options,
      'representative_features',
      Math.min(most, Math.max(DEFAULT_REPRESENTATIVE_FEATURES, 2 * features)),
      features,
      most,
    );
    const ids = new Uint16Array(source.rows * features);
    const codes = new Uint32Array(source.rows * features);
    // First the largest value, which fixes the step of the codes, then the codes.
    const [largest] = encodeAll(source, quantiser, ids, null, onRows);
    const scale = largest > 0 ? largest / quantiser.maxCode : 1;
    const [, largestSum, largestError] = encodeAll(source, { ...quantiser, scale }, ids, codes, onRows);
    return new RatioRows(
      { ...quantiser, scale },
      { dims: source.dims, features, valueBits: storedBits, scale, maxSum: largestSum + features * scale },
      representativeFeatures,
      ids,
      codes,
      largestError,
    );
  },

  open(manifest, items, section) {
    if (manifest.ratio === undefined) throw new CodecError(`modality ${manifest.name}: no ratio parameters`);
    const open = (count: number, codes: RatioCodesManifest, suffix: string) =>
      native.openRatio(count, parametersOf(manifest.dims, codes), section(suffix), section(`${suffix}-refine`));
    const { items: itemCodes, representatives, spread } = manifest.ratio;
    return {
      codes: open(items, itemCodes, 'codes'),
      representatives: open(manifest.clusters, representatives, 'representatives'),
      spread: spread === undefined ? null : open(manifest.clusters, spread, 'spread'),
    };
  },
};

interface SparseRepresentatives extends Representatives, SparseVectors {}
interface SparseSpread extends Spread, SparseVectors {}

class RatioRows implements EncodedRows {
  readonly rows: number;
  readonly dims: number;
  readonly normalize: boolean;
  readonly maxValueError: number;
  readonly #quantiser: RatioQuantiser;
  readonly #parameters: RatioParameters;
  readonly #representativeFeatures: number;
  readonly #representativeScale: number;
  readonly #ids: Uint16Array;
  readonly #codes: Uint32Array;
  readonly #vectors: SparseVectors;

  constructor(
    quantiser: RatioQuantiser,
    parameters: RatioParameters,
    representativeFeatures: number,
    ids: Uint16Array,
    codes: Uint32Array,
    maxValueError: number,
  ) {
    const { dims, features, scale } = parameters;
    this.rows = ids.length / features;
    this.dims = dims;
    this.normalize = quantiser.normalize;
    this.maxValueError = maxValueError;
    this.#quantiser = quantiser;
    this.#parameters = parameters;
    this.#representativeFeatures = representativeFeatures;
    // A mean is never larger than the largest value, nor, scaled to unit length, than 1: 255 * 2^16 steps.
    const largest = quantiser.normalize ? 1 : scale * quantiser.maxCode;
    this.#representativeScale = largest / maxCode(REPRESENTATIVE_BITS);
    this.#ids = ids;
    this.#codes = codes;
    const values = new Float32Array(codes.length);
    for (let i = 0; i < codes.length; i++) values[i] = (codes[i] as number) * scale;
    this.#vectors = { ids, values, perRow: features };
  }

  take(rows: Uint32Array): SparseRepresentatives {
    return gather(this.#vectors, rows, this.#representativeFeatures);
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

  nearest(
    representatives: SparseRepresentatives,
    tree: Parameters<EncodedRows['nearest']>[1],
    threads: number,
    nearest: Uint32Array,
    distances: Float32Array,
  ): void {
    native.nearestSparse(this.#vectors, representatives, this.dims, tree, threads, nearest, distances);
  }

  nearestOf(rows: Uint32Array, representatives: SparseRepresentatives, threads: number): Uint32Array {
    return this.#nearest(gather(this.#vectors, rows, this.#vectors.perRow), representatives, threads);
  }

  parents(representatives: SparseRepresentatives, among: SparseRepresentatives, threads: number): Uint32Array {
    return this.#nearest(representatives, among, threads);
  }

  #nearest(rows: SparseRepresentatives, representatives: SparseRepresentatives, threads: number): Uint32Array {
    const nearest = new Uint32Array(rows.count);
    native.nearestSparse(rows, representatives, this.dims, null, threads, nearest, new Float32Array(rows.count));
    return nearest;
  }

  means(
    order: Uint32Array,
    starts: Uint32Array,
    previous: SparseRepresentatives,
    threads: number,
  ): SparseRepresentatives {
    const means = { ...previous, ids: previous.ids.slice(), values: previous.values.slice() };
    native.meansSparse(this.#vectors, this.dims, order, starts, threads, means);
    const step = this.#representativeScale;
    const { values } = means;
    if (this.normalize) toUnitLength(means);
    for (let i = 0; i < values.length; i++) values[i] = Math.round((values[i] as number) / step) * step;
    return means;
  }

  spread(order: Uint32Array, starts: Uint32Array, threads: number): SparseSpread {
    const count = starts.length - 1;
    const perRow = this.#representativeFeatures;
    const ids = new Uint16Array(count * perRow);
    const values = new Float32Array(count * perRow);
    const spread = { count, ids, values, perRow };
    native.variancesSparse(this.#vectors, this.dims, order, starts, threads, spread);
    return spread;
  }

  denseRepresentative(representatives: SparseRepresentatives, number: number): number[] {
    return dense(representatives, number, this.dims);
  }

  denseRow(row: number): number[] {
    return dense(this.#vectors, row, this.dims);
  }

  hashes(): Uint32Array {
    const { features } = this.#parameters;
    const hashes = new Uint32Array(this.rows);
    for (let row = 0, at = 0; row < this.rows; row++) {
      let hash = 0x811c9dc5;
      for (let j = 0; j < features; j++, at++) {
        const code = this.#codes[at] as number;
        if (code === 0) continue;
        hash = Math.imul(hash ^ (this.#ids[at] as number), 0x01000193);
        hash = Math.imul(hash ^ code ^ (hash >>> 15), 0x85ebca6b);
      }
      hashes[row] = hash;
    }
    return hashes;
  }

  sameCode(row: number, other: number): boolean {
    const { features } = this.#parameters;
    for (let j = 0; j < features; j++) {
      const code = this.#codes[row * features + j] as number;
      if (code !== this.#codes[other * features + j]) return false;
      if (code !== 0 && this.#ids[row * features + j] !== this.#ids[other * features + j]) return false;
    }
    return true;
  }

  isZero(row: number): boolean {
    const { features } = this.#parameters;
    for (let j = 0; j < features; j++) if (this.#codes[row * features + j] !== 0) return false;
    return true;
  }

  pack(
    order: Uint32Array,
    representatives: SparseRepresentatives,
    spread: SparseSpread | null,
  ): ReturnType<EncodedRows['pack']> {
    const means = this.#packFew('representatives', representatives, this.#representativeScale);
    const variances = spread && this.#packFew('spread', spread, scaleFor(spread.values));
    return {
      sections: [
        ...packCodes('codes', this.#ids, this.#codes, order, this.#parameters),
        ...means.sections,
        ...(variances?.sections ?? []),
      ],
      manifest: {
        ratio: {
          items: manifestOf(this.#parameters),
          representatives: manifestOf(means.parameters),
          ...(variances === null ? {} : { spread: manifestOf(variances.parameters) }),
          value_divisor: this.#quantiser.valueDivisor,
          ratio_divisor: this.#quantiser.ratioDivisor,
          rounding: this.#quantiser.floor ? 'floor' : 'nearest',
        },
      },
    };
  }

  /** Packs one vector per cluster, in cluster order, at float precision. */
  #packFew(suffix: string, vectors: SparseSpread, scale: number) {
    const parameters: RatioParameters = {
      dims: this.dims,
      features: vectors.perRow,
      valueBits: REPRESENTATIVE_BITS,
      scale,
      maxSum: largestSum(vectors) + vectors.perRow * scale,
    };
    const codes = Uint32Array.from(vectors.values, (value) =>
      Math.min(Math.round(value / scale), maxCode(REPRESENTATIVE_BITS)),
    );
    const inOrder = Uint32Array.from({ length: vectors.count }, (_, number) => number);
    return { parameters, sections: packCodes(suffix, vectors.ids, codes, inOrder, parameters) };
  }
}

/** One pass over the source; returns the largest value, sum and error. Without codes it only measures. */
function encodeAll(
  source: VectorSource,
  quantiser: RatioQuantiser,
  ids: Uint16Array,
  codes: Uint32Array | null,
  onRows: (rows: number) => void,
): [number, number, number] {
  const extremes = new Float64Array(3);
  const { features } = quantiser;
  for (const chunk of source.chunks(CHUNK_ROWS)) {
    const from = chunk.firstRow * features;
    const to = from + chunk.rows * features;
    const outIds = ids.subarray(from, to);
    const outCodes = codes?.subarray(from, to) ?? null;
    const bad =
      chunk.kind === 'dense'
        ? native.encodeRatioDense(chunk.values, quantiser, outIds, outCodes, extremes)
        : native.encodeRatio(chunk.ids, chunk.values, source.perRow, quantiser, outIds, outCodes, extremes);
    if (bad !== null) throw new CodecError(refusal(source, chunk.firstRow, bad));
    onRows(chunk.rows);
  }
  return [extremes[0] as number, extremes[1] as number, extremes[2] as number];
}

function refusal(source: VectorSource, firstRow: number, bad: BadValue): string {
  const where = `${source.locate(firstRow + bad.row)}, column ${bad.column}`;
  if (bad.value < 0 && Number.isFinite(bad.value)) {
    return `${where}: ${bad.value} is negative; the ratio codec holds non-negative features, use codec=sq8`;
  }
  const what =
    Number.isNaN(bad.value) && source.kind === 'sparse' ? 'NaN, or an id that repeats or is too large' : bad.value;
  return `${where}: ${what}; expected finite values and distinct ids below ${source.dims}`;
}

/** Scales every vector that is not zero to unit length. */
function toUnitLength({ values, perRow }: SparseVectors): void {
  for (let from = 0; from < values.length; from += perRow) {
    const row = values.subarray(from, from + perRow);
    const norm = Math.hypot(...row);
    if (norm > 0) for (let j = 0; j < perRow; j++) row[j] = (row[j] as number) / norm;
  }
}

/** Rows `numbers` of vectors, padded to `perRow` entries. */
function gather(vectors: SparseVectors, numbers: Uint32Array, perRow: number): SparseRepresentatives {
  const ids = new Uint16Array(numbers.length * perRow);
  const values = new Float32Array(numbers.length * perRow);
  numbers.forEach((number, i) => {
    const from = number * vectors.perRow;
    ids.set(vectors.ids.subarray(from, from + vectors.perRow), i * perRow);
    values.set(vectors.values.subarray(from, from + vectors.perRow), i * perRow);
  });
  return { count: numbers.length, ids, values, perRow };
}

function dense(vectors: SparseVectors, row: number, dims: number): number[] {
  const out = new Array<number>(dims).fill(0);
  for (let j = row * vectors.perRow; j < (row + 1) * vectors.perRow; j++) {
    const value = vectors.values[j] as number;
    if (value !== 0) out[vectors.ids[j] as number] = value;
  }
  return out;
}

function largestSum(vectors: SparseVectors): number {
  let largest = 0;
  for (let from = 0; from < vectors.values.length; from += vectors.perRow) {
    let sum = 0;
    for (let j = from; j < from + vectors.perRow; j++) sum += vectors.values[j] as number;
    largest = Math.max(largest, sum);
  }
  return largest;
}

function packCodes(
  suffix: string,
  ids: Uint16Array,
  codes: Uint32Array,
  order: Uint32Array,
  parameters: RatioParameters,
): { suffix: string; bytes: Uint8Array }[] {
  const blocks = new Uint8Array(native.ratioCodesBytes(order.length, parameters));
  const refine = new Uint8Array(native.ratioRefineBytes(order.length, parameters));
  native.packRatio(ids, codes, order, parameters, blocks, refine);
  return [
    { suffix, bytes: blocks },
    { suffix: `${suffix}-refine`, bytes: refine },
  ];
}

/** The step that lets the largest value take the largest code. */
function scaleFor(values: Float32Array): number {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return largest > 0 ? largest / maxCode(REPRESENTATIVE_BITS) : 1;
}

function maxCode(bits: number): number {
  return 255 * 2 ** (bits - 8);
}

function manifestOf(parameters: RatioParameters): RatioCodesManifest {
  return {
    features: parameters.features,
    value_bits: parameters.valueBits,
    scale: parameters.scale,
    max_sum: parameters.maxSum,
  };
}

function parametersOf(dims: number, codes: RatioCodesManifest): RatioParameters {
  return { dims, features: codes.features, valueBits: codes.value_bits, scale: codes.scale, maxSum: codes.max_sum };
}
