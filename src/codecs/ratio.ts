// ratio: the Blackthorn compression for sparse non-negative features (Exquisitor §3.1). The n strongest features of a
// vector, values chained as quantised ratios as in the papers, then stored as linear codes that scan fast; see
// native/src/ratio.h for the arithmetic and docs/codecs.md for the error bounds.

import type { RatioCodesManifest } from '../index/format.ts';
import { native } from '../native.ts';
import type { BadValue, RatioParameters, RatioQuantiser } from '../native-types.ts';
import {
  type Codec,
  CodecError,
  type Encoder,
  type RecordSizes,
  type Space,
  type VectorChunk,
  type VectorSource,
} from './codec.ts';
import { choiceOption, numberOption, wholeOption } from './options.ts';
import { RatioSpace, REPRESENTATIVE_BITS } from './ratio-space.ts';

const DEFAULT_DENSE_FEATURES = 16;
/** A mean of a hundred sparse vectors is less sparse than they are; see bench/recall.bench.ts. */
const LEAST_REPRESENTATIVE_FEATURES = 8;

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

  encoder(source, options) {
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
      Math.min(most, Math.max(LEAST_REPRESENTATIVE_FEATURES, features)),
      features,
      most,
    );
    return new RatioEncoder(source, quantiser, storedBits, representativeFeatures);
  },

  open(manifest, items, section) {
    if (manifest.ratio === undefined) throw new CodecError(`modality ${manifest.name}: no ratio parameters`);
    const open = (count: number, codes: RatioCodesManifest, suffix: string) =>
      native.openRatio(count, parametersOf(manifest.dims, codes), section(suffix), section(`${suffix}-refine`));
    const { items: itemCodes, representatives, spread, groups } = manifest.ratio;
    if ((groups === undefined) !== (manifest.groups === undefined)) {
      throw new CodecError(`modality ${manifest.name}: groups without their parameters, or parameters without groups`);
    }
    return {
      codes: open(items, itemCodes, 'codes'),
      representatives: open(manifest.clusters, representatives, 'representatives'),
      spread: spread === undefined ? null : open(manifest.clusters, spread, 'spread'),
      groups: groups === undefined ? null : open(manifest.groups ?? 0, groups, 'groups'),
    };
  },

  copy({ name, dims, ratio: manifest }, count, rows) {
    if (manifest === undefined) throw new CodecError(`modality ${name}: no ratio parameters`);
    const parameters = parametersOf(dims, manifest.items);
    const { features, scale } = parameters;
    const ids = new Uint16Array(count * features);
    const codes = new Uint32Array(ids.length);
    for (let first = 0; first < count; first += COPIED_ROWS) {
      const part = rows(first, Math.min(COPIED_ROWS, count - first));
      ids.set(part.ids, first * features);
      // A decoded value is a code times the scale, rounded to single precision.
      codes.set(
        Uint32Array.from(part.values, (value) => Math.round(value / scale)),
        first * features,
      );
    }
    const order = Uint32Array.from({ length: count }, (_, row) => row);
    const blocks = new Uint8Array(native.ratioCodesBytes(count, parameters));
    const refine = new Uint8Array(native.ratioRefineBytes(count, parameters));
    native.packRatio(ids, codes, order, parameters, blocks, refine);
    return native.openRatio(count, parameters, native.memorySection(blocks), native.memorySection(refine));
  },
};

/** Rows decoded at a time. */
const COPIED_ROWS = 4096;

class RatioEncoder implements Encoder {
  readonly sizes: RecordSizes;
  readonly #source: VectorSource;
  readonly #quantiser: RatioQuantiser;
  readonly #storedBits: number;
  readonly #representativeFeatures: number;
  readonly #codeBytes: number;
  /** Largest value, largest sum, largest error. The first fixes the step of the codes. */
  readonly #extremes = new Float64Array(3);

  constructor(source: VectorSource, quantiser: RatioQuantiser, storedBits: number, representativeFeatures: number) {
    this.#codeBytes = storedBits <= 16 ? 2 : 4;
    const { features, dims } = quantiser;
    const packed = (of: number, valueBits: number) => packedItemBytes({ dims, features: of, valueBits });
    this.sizes = {
      record: features * (2 + this.#codeBytes),
      row: features * 6,
      representative: representativeFeatures * 6,
      packed: packed(features, storedBits),
      packedRepresentative: packed(representativeFeatures, REPRESENTATIVE_BITS),
    };
    this.#source = source;
    this.#quantiser = quantiser;
    this.#storedBits = storedBits;
    this.#representativeFeatures = representativeFeatures;
  }

  measure(chunk: VectorChunk, threads: number): void {
    this.#pass(chunk, this.#quantiser, threads, null);
  }

  encode(chunk: VectorChunk, threads: number, records: Uint8Array): void {
    this.#pass(chunk, { ...this.#quantiser, scale: this.#scale() }, threads, records);
  }

  state(): number[] {
    return [...this.#extremes];
  }

  resume(state: readonly number[]): void {
    this.#extremes.set(state);
  }

  space(): Space {
    const { features, dims } = this.#quantiser;
    const [, largestSum, maxValueError] = this.#extremes as unknown as [number, number, number];
    const scale = this.#scale();
    const parameters: RatioParameters = {
      dims,
      features,
      valueBits: this.#storedBits,
      scale,
      maxSum: largestSum + features * scale,
    };
    return new RatioSpace(
      { ...this.#quantiser, scale },
      parameters,
      this.#codeBytes,
      this.#representativeFeatures,
      maxValueError,
    );
  }

  #scale(): number {
    const largest = this.#extremes[0] as number;
    return largest > 0 ? largest / this.#quantiser.maxCode : 1;
  }

  #pass(chunk: VectorChunk, quantiser: RatioQuantiser, threads: number, records: Uint8Array | null): void {
    const bad =
      chunk.kind === 'dense'
        ? native.encodeRatioDense(chunk.values, quantiser, threads, records, this.#extremes)
        : native.encodeRatio(chunk.ids, chunk.values, this.#source.perRow, quantiser, threads, records, this.#extremes);
    if (bad !== null) throw new CodecError(refusal(this.#source, chunk.firstRow, bad));
  }
}

/** Of one item in a long section. */
function packedItemBytes(codes: Pick<RatioParameters, 'dims' | 'features' | 'valueBits'>): number {
  const parameters = { ...codes, scale: 1, maxSum: 0 };
  const items = 64;
  return (native.ratioCodesBytes(items, parameters) + native.ratioRefineBytes(items, parameters)) / items;
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

function parametersOf(dims: number, codes: RatioCodesManifest): RatioParameters {
  return { dims, features: codes.features, valueBits: codes.value_bits, scale: codes.scale, maxSum: codes.max_sum };
}
