// The interface of a codec: how vectors become codes, and how codes are opened for search.

import type { ModalityManifest } from '../index/format.ts';
import type { CodesHandle, SectionHandle, Tree } from '../native.ts';

export type CodecName = 'ratio' | 'sq8';

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
  chunks(rowsPerChunk: number): Iterable<VectorChunk>;
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
export type CodecManifest = Pick<ModalityManifest, 'ratio'>;

/** Cluster representatives in the codec's own geometry. */
export interface Representatives {
  readonly count: number;
}

/** The variance of each cluster's rows, per dimension. */
export interface Spread {
  readonly count: number;
}

/** Packed codes of items and representatives by section suffix, in slot and cluster order. */
export type PackedSections = readonly { readonly suffix: string; readonly bytes: Uint8Array }[];

/** All vectors of a modality, encoded, in input order, in memory. */
export interface EncodedRows {
  readonly rows: number;
  readonly dims: number;
  readonly normalize: boolean;
  /** Largest |input value - stored value|, after normalisation. */
  readonly maxValueError: number;
  /** The representatives that are exactly these rows. */
  take(rows: Uint32Array): Representatives;
  /** `first` followed by `second`. */
  join(first: Representatives, second: Representatives): Representatives;
  /** The given representatives, in the given order. */
  pick(representatives: Representatives, numbers: Uint32Array): Representatives;
  /** Nearest representative of every row and its squared distance; without a tree, exactly. */
  nearest(
    representatives: Representatives,
    tree: Tree | null,
    threads: number,
    nearest: Uint32Array,
    distances: Float32Array,
  ): void;
  /** The same for given rows. */
  nearestOf(rows: Uint32Array, representatives: Representatives, threads: number): Uint32Array;
  /** Nearest of `among` for each of `representatives`: how eCP links its levels. */
  parents(representatives: Representatives, among: Representatives, threads: number): Uint32Array;
  /** The mean of each cluster, compressed; an empty cluster keeps its `previous` representative. */
  means(order: Uint32Array, starts: Uint32Array, previous: Representatives, threads: number): Representatives;
  /** How far the rows of each cluster spread around its mean. */
  spread(order: Uint32Array, starts: Uint32Array, threads: number): Spread;
  /** Dense vector of a representative or a row, for libraries that want plain numbers. */
  denseRepresentative(representatives: Representatives, number: number): number[];
  denseRow(row: number): number[];
  /** A hash of each row's code: equal codes have equal hashes. */
  hashes(): Uint32Array;
  sameCode(row: number, other: number): boolean;
  isZero(row: number): boolean;
  pack(
    order: Uint32Array,
    representatives: Representatives,
    spread: Spread | null,
  ): { sections: PackedSections; manifest: CodecManifest };
}

export interface Codec {
  readonly name: CodecName;
  /** Keys of --modality this codec reads besides `codec`. */
  readonly optionKeys: readonly string[];
  /** Reads every vector. Throws CodecError for an option or a value it refuses. */
  encode(source: VectorSource, options: ReadonlyMap<string, string>, onRows: (rows: number) => void): EncodedRows;
  /** Opens packed sections of an index. */
  open(
    manifest: ModalityManifest,
    items: number,
    section: (suffix: string) => SectionHandle,
  ): {
    readonly codes: CodesHandle;
    readonly representatives: CodesHandle;
    readonly spread: CodesHandle | null;
  };
}
