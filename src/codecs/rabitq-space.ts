// The space of rabitq codes. A record is an sq8 code and as many bytes below it; clusters are those of the sq8 codes, and
// what is packed is what their representatives leave of the whole record.

import { native } from '../native.ts';
import type { RabitqParameters } from '../native-types.ts';
import type { CodecManifest, Members, PackedPart, PackedSections, Representatives, Rows } from './codec.ts';
import { type DenseRepresentatives, type DenseSpread, type Sq8Scale, Sq8Space } from './sq8-space.ts';

export class RabitqSpace extends Sq8Space {
  override readonly packsResiduals = true;
  override readonly recordBytes: number;
  readonly #parameters: RabitqParameters;
  readonly #scale: Sq8Scale;
  /** Largest |record's value - stored value| of what was packed. */
  #packError = 0;

  constructor(scale: Sq8Scale, parameters: RabitqParameters) {
    super(scale);
    this.recordBytes = 2 * this.dims;
    this.#scale = scale;
    this.#parameters = parameters;
  }

  override get maxValueError(): number {
    return this.#scale.maxValueError + this.#packError;
  }

  override rows(records: Uint8Array): Rows {
    return super.rows(this.#upper(records));
  }

  override members(starts: Uint32Array, spread: boolean): Members {
    const members = super.members(starts, spread);
    return {
      add: (records, threads) => members.add(this.#upper(records), threads),
      finish: () => members.finish(),
    };
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

  /** The sq8 codes of records. */
  #upper(records: Uint8Array): Uint8Array {
    const { dims, recordBytes } = this;
    const codes = new Uint8Array(records.length / 2);
    for (let at = 0, from = 0; at < codes.length; at += dims, from += recordBytes) {
      codes.set(records.subarray(from, from + dims), at);
    }
    return codes;
  }

  override packClusters(
    representatives: DenseRepresentatives,
    spread: DenseSpread | null,
    groups: DenseRepresentatives | null,
  ): { sections: PackedSections; manifest: CodecManifest } {
    const { bits, scanBits, fullDims } = this.#parameters;
    const { sections } = super.packClusters(representatives, spread, groups);
    return { sections, manifest: { rabitq: { bits, scan_bits: scanBits as 1 | 2 | 4, full_dims: fullDims } } };
  }
}

function valuesOf(representatives: Representatives | null): Float32Array {
  if (representatives === null) throw new TypeError('rabitq codes are packed when the representatives are known');
  return (representatives as DenseRepresentatives).values;
}
