// The interface of a codec: how vectors become records, records clusters and sections, and how sections are opened for
// search.

import type { ModalityManifest } from '../index/format.ts';
import type { AssignTree, CodesHandle, OnPass, SectionHandle } from '../native-types.ts';

export type CodecName = 'ratio' | 'sq8' | 'rabitq';

/** Rows of input vectors. Dense: values are rows x dims. Sparse: ids and values are rows x perRow, 0 pads. */
export type VectorChunk =
  | { readonly kind: 'dense'; readonly firstRow: number; readonly rows: number; readonly values: Float32Array }
  | {
      readonly kind: 'sparse';
      readonly firstRow: number;
      readonly rows: number;
      readonly ids: Uint32Array;
      readonly values: Float64Array;
    };

/** Where vectors come from; can be read several times. Chunks may reuse their buffers. */
export interface VectorSource {
  readonly kind: 'dense' | 'sparse';
  readonly rows: number;
  readonly dims: number;
  /** Entries of a sparse row. */
  readonly perRow: number;
  /** The values already carry the papers' ratio quantisation. */
  readonly chained: boolean;
  /** From `firstRow` on, 0 when left out. */
  chunks(rowsPerChunk: number, firstRow?: number): AsyncIterable<VectorChunk>;
  /** Names a row for an error message. */
  locate(row: number): string;
}

/** Vectors or sections that a codec cannot hold: names which, and what was expected. */
export class CodecError extends Error {
  override name = 'CodecError';
}

/** A build option that makes no sense: names the option and what was expected. */
export class OptionError extends CodecError {
  override name = 'OptionError';
}

/** A codec's part of a modality's manifest. */
export type CodecManifest = Pick<ModalityManifest, 'ratio' | 'rabitq'>;

/** Cluster representatives in the codec's own geometry. */
export interface Representatives {
  readonly count: number;
}

/** The variance of each cluster's rows, per dimension. */
export interface Spread {
  readonly count: number;
}

/** Bytes of sections by suffix. */
export type PackedSections = readonly { readonly suffix: string; readonly bytes: Uint8Array }[];

/** Bytes of what a build holds, for its plan. */
export interface RecordSizes {
  /** Of a record. */
  readonly record: number;
  /** Of a row in memory beside its record. */
  readonly row: number;
  /** Of a representative in memory, and of a spread. */
  readonly representative: number;
  /** Of an item's codes and of a representative's in the index; may be a fraction. */
  readonly packed: number;
  readonly packedRepresentative: number;
}

/**
 * Turns vectors into records, fixed-size bytes a row, in two passes over the source: measure every chunk in order, then
 * encode every chunk in order. What it returns does not depend on the chunks or the number of threads. Both throw
 * CodecError for a value the codec cannot hold.
 */
export interface Encoder {
  readonly sizes: RecordSizes;
  measure(chunk: VectorChunk, threads: number): void;
  encode(chunk: VectorChunk, threads: number, records: Uint8Array): void;
  /** All that was learned so far, finite once a chunk was measured: what a killed build writes down and resumes from. */
  state(): number[];
  resume(state: readonly number[]): void;
  /** The space of the records, when every chunk was encoded. */
  space(): Space;
}

/** Rows that are in memory. */
export interface Rows {
  readonly count: number;
  /** The rows from `first` up to `end`, without a copy. */
  range(first: number, end: number): Rows;
  /** Representatives at these rows, to the precision that representatives have. */
  take(numbers: Uint32Array): Representatives;
  /** The mean of each cluster, compressed; an empty cluster keeps its `previous` representative. */
  means(order: Uint32Array, starts: Uint32Array, previous: Representatives, threads: number): Representatives;
  same(row: number, other: number): boolean;
  /** Equal for rows that are the same. */
  hash(row: number): number;
  /** Dense vector of a row, for libraries that want plain numbers. */
  dense(row: number): number[];
}

/** Representatives prepared to be searched. */
export interface Assigner {
  /** The nearest representative of every row, and its squared distance. */
  assign(rows: Rows, nearest: Uint32Array, distances: Float32Array): void;
  /** Gives its memory back at once: Node would free it when the event loop turns, which no stage waits for. */
  release(): void;
}

/** What all members of the clusters amount to. */
export interface Moments {
  /** The mean of each cluster. */
  readonly representatives: Representatives;
  readonly spread: Spread | null;
  /** Records that repeat an earlier one of their cluster. */
  readonly duplicates: number;
  readonly zeros: number;
}

/** Takes the members of clusters, none of which is empty, in slot order. */
export interface Members {
  add(records: Uint8Array, threads: number): void;
  finish(): Moments;
}

/** Where records that are packed lie. */
export interface PackedPart {
  readonly firstSlot: number;
  readonly last: boolean;
  /** Cluster c, never empty, holds slots starts[c] to starts[c + 1]. */
  readonly starts: Uint32Array;
  /** The final ones, where the space packs residuals. */
  readonly representatives: Representatives | null;
}

/** The space that the records of a modality lie in. */
export interface Space {
  readonly kind: 'dense' | 'sparse';
  readonly dims: number;
  readonly normalize: boolean;
  /** Largest |input value - stored value|, after normalisation; of what was packed so far where packing adds to it. */
  readonly maxValueError: number;
  readonly recordBytes: number;
  /** Where Lloyd passes begin: rows far from one another, or random ones, as sparse features seldom have any near. */
  readonly seeds: 'apart' | 'random';
  rows(records: Uint8Array, threads: number): Rows;
  /** `first` followed by `second`. */
  join(first: Representatives, second: Representatives): Representatives;
  /** The given representatives, in the given order. */
  pick(representatives: Representatives, numbers: Uint32Array): Representatives;
  /** Without a tree: exact. */
  assigner(representatives: Representatives, tree: AssignTree | null, threads: number): Assigner;
  /** Representatives to be assigned to others: how eCP links its levels. */
  asRows(representatives: Representatives): Rows;
  /** The group of each in groups of near ones, as many as the tree has at last, none of them empty. */
  groups(
    representatives: Representatives,
    tree: AssignTree,
    threads: number,
    onPass: OnPass,
  ): { of: Uint32Array; count: number };
  /** The mean of each group: group g holds representatives starts[g] to starts[g + 1]. */
  groupMeans(representatives: Representatives, starts: Uint32Array, threads: number): Representatives;
  dense(representatives: Representatives, number: number): number[];
  /** Representatives as bytes, and back. */
  save(representatives: Representatives): Uint8Array;
  load(bytes: Uint8Array): Representatives;
  /** With the spread or without. */
  members(starts: Uint32Array, spread: boolean): Members;
  /** Bytes of the sections that `pack` fills for so many items. */
  packedSizes(items: number): readonly { readonly suffix: string; readonly bytes: number }[];
  /** Whether codes are of what the final representatives leave, so that these come first. */
  readonly packsResiduals: boolean;
  /**
   * Packs records that are in slot order: whole blocks of 64, but for the `last` part. The bytes follow on those of the
   * part before.
   */
  pack(records: Uint8Array, part: PackedPart, threads: number): PackedSections;
  packClusters(
    representatives: Representatives,
    spread: Spread | null,
    groups: Representatives | null,
  ): { readonly sections: PackedSections; readonly manifest: CodecManifest };
}

/** Decoded rows, a copy's input: values, and for sparse codes as many ids. */
export interface DecodedRows {
  readonly ids: Uint32Array;
  readonly values: Float32Array;
}

export interface Codec {
  readonly name: CodecName;
  /** Keys of --modality this codec reads besides `codec`. */
  readonly optionKeys: readonly string[];
  /** Throws CodecError for an option or a source it refuses. */
  encoder(source: VectorSource, options: ReadonlyMap<string, string>): Encoder;
  /** Opens packed sections of an index. */
  open(
    manifest: ModalityManifest,
    items: number,
    section: (suffix: string) => SectionHandle,
  ): {
    readonly codes: CodesHandle;
    readonly representatives: CodesHandle;
    readonly spread: CodesHandle | null;
    /** The means of groups of clusters. */
    readonly groups: CodesHandle | null;
  };
  /**
   * Codes in memory of `count` rows of the modality, which `rows` decodes and may be asked for more than once. Sparse rows
   * stay what they are, dense ones are rounded to 255 steps between their least and greatest value of a dimension.
   */
  copy(manifest: ModalityManifest, count: number, rows: (first: number, count: number) => DecodedRows): CodesHandle;
}
