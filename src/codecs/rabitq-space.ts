// The space of rabitq codes. A record is an sq8 code and as many bytes below it; clusters are those of the sq8 codes, and
// what is packed is what their representatives leave of the whole record.

import { native } from '../native.ts';
import type { RabitqParameters } from '../native-types.ts';
import type { CodecManifest, Members, PackedPart, PackedSections, Representatives, Rows } from './codec.ts';
import { type DenseRepresentatives, type DenseSpread, type Sq8Scale, Sq8Space } from './sq8-space.ts';

/** Folded codes are of 4 bits, all of them the scan's, with their factors within (native/src/folded.h). */
export interface RabitqForm extends RabitqParameters {
  readonly folded: boolean;
}

export class RabitqSpace extends Sq8Space {
  override readonly packsResiduals = true;
  override readonly recordBytes: number;
  readonly #form: RabitqForm;
  readonly #scale: Sq8Scale;
  /** Largest |record's value - stored value| of what was packed. */
  #packError = 0;

  constructor(scale: Sq8Scale, form: RabitqForm) {
    super(scale);
    this.recordBytes = 2 * this.dims;
    this.#scale = scale;
    this.#form = form;
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
      { suffix: 'codes', bytes: this.#codesBytes(items) },
      { suffix: 'codes-refine', bytes: this.#form.folded ? 0 : native.rabitqRefineBytes(items, this.#form) },
    ];
  }

  #codesBytes(items: number): number {
    return this.#form.folded ? native.foldedCodesBytes(items, this.dims) : native.rabitqCodesBytes(items, this.#form);
  }

  override pack(records: Uint8Array, part: PackedPart, threads: number): PackedSections {
    const { offset, step } = this.#scale;
    const count = records.length / this.recordBytes;
    const vectors = { codes: records, offset, step };
    const { firstSlot, starts } = part;
    const means = valuesOf(part.representatives);
    const blocks = new Uint8Array(this.#codesBytes(count));
    if (this.#form.folded) {
      const largest = this.#largestFactor();
      const error = native.packFoldedRecords(vectors, firstSlot, starts, means, this.dims, largest, threads, blocks);
      this.#packError = Math.max(this.#packError, error);
      return [
        { suffix: 'codes', bytes: blocks },
        { suffix: 'codes-refine', bytes: new Uint8Array(0) },
      ];
    }
    const refine = new Uint8Array(native.rabitqRefineBytes(count, this.#form));
    const error = native.packRabitqRecords(vectors, firstSlot, starts, means, this.#form, threads, blocks, refine);
    this.#packError = Math.max(this.#packError, error);
    return [
      { suffix: 'codes', bytes: blocks },
      { suffix: 'codes-refine', bytes: refine },
    ];
  }

  /**
   * Twice the root mean square of a residual as long as the diagonal of the box that holds all values: more than any
   * factor, which is near the root mean square of its own residual.
   */
  #largestFactor(): number {
    const square = this.#scale.step.reduce((sum, step) => sum + (255 * step) ** 2, 0);
    return Math.fround(2 * Math.sqrt(square / this.dims));
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
    const { bits, scanBits, fullDims, folded } = this.#form;
    const { sections } = super.packClusters(representatives, spread, groups);
    const stored = { bits, scan_bits: scanBits as 1 | 2 | 4, full_dims: fullDims };
    const rabitq = folded ? { ...stored, largest_factor: this.#largestFactor() } : stored;
    return { sections, manifest: { rabitq } };
  }
}

function valuesOf(representatives: Representatives | null): Float32Array {
  if (representatives === null) throw new TypeError('rabitq codes are packed when the representatives are known');
  return (representatives as DenseRepresentatives).values;
}
