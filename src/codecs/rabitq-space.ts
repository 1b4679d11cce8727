// The space of rabitq codes: records and clusters are those of sq8, codes are of what the clusters' representatives leave.

import { native } from '../native.ts';
import type { RabitqParameters } from '../native-types.ts';
import type { CodecManifest, PackedPart, PackedSections, Representatives } from './codec.ts';
import type { Sq8Scale } from './sq8-encoder.ts';
import { type DenseRepresentatives, type DenseSpread, Sq8Space } from './sq8-space.ts';

export class RabitqSpace extends Sq8Space {
  override readonly packsResiduals = true;
  readonly #parameters: RabitqParameters;
  readonly #scale: Sq8Scale;
  /** Largest |record's value - stored value| of what was packed. */
  #packError = 0;

  constructor(scale: Sq8Scale, parameters: RabitqParameters) {
    super(scale);
    this.#scale = scale;
    this.#parameters = parameters;
  }

  override get maxValueError(): number {
    return this.#scale.maxValueError + this.#packError;
  }

  override packedSizes(items: number): { suffix: string; bytes: number }[] {
    return [
      { suffix: 'codes', bytes: native.rabitqCodesBytes(items, this.#parameters) },
      { suffix: 'codes-refine', bytes: native.rabitqRefineBytes(items, this.#parameters) },
    ];
  }

  override pack(records: Uint8Array, part: PackedPart, threads: number): PackedSections {
    const { offset, step } = this.#scale;
    const count = records.length / this.recordBytes;
    const blocks = new Uint8Array(native.rabitqCodesBytes(count, this.#parameters));
    const refine = new Uint8Array(native.rabitqRefineBytes(count, this.#parameters));
    const error = native.packRabitqRecords(
      { codes: records, offset, step },
      part.firstSlot,
      part.starts,
      valuesOf(part.representatives),
      this.#parameters,
      threads,
      blocks,
      refine,
    );
    this.#packError = Math.max(this.#packError, error);
    return [
      { suffix: 'codes', bytes: blocks },
      { suffix: 'codes-refine', bytes: refine },
    ];
  }

  override packClusters(
    representatives: DenseRepresentatives,
    spread: DenseSpread | null,
  ): { sections: PackedSections; manifest: CodecManifest } {
    const { bits, scanBits, fullDims } = this.#parameters;
    const { sections } = super.packClusters(representatives, spread);
    return { sections, manifest: { rabitq: { bits, scan_bits: scanBits as 1 | 2 | 4, full_dims: fullDims } } };
  }
}

function valuesOf(representatives: Representatives | null): Float32Array {
  if (representatives === null) throw new TypeError('rabitq codes are packed when the representatives are known');
  return (representatives as DenseRepresentatives).values;
}
