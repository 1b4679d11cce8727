// The part of the addon that builds indexes: its typed declaration.

import type {
  AssignerHandle,
  AssignTree,
  BadValue,
  MemberCounts,
  MembersHandle,
  OnPass,
  R64Layout,
  RabitqParameters,
  RatioParameters,
  RatioQuantiser,
  SectionHandle,
  SparseVectors,
  Sq8Vectors,
  TopicInference,
} from './native-types.ts';

export interface NativeBuilding {
  /**
   * Into records (native/src/records.h) with codes of 2 bytes where maxCode is below 65,536, else of 4. extremes: largest
   * value, largest sum, largest error, raised in place. records null: measure only.
   */
  encodeRatio(
    ids: Uint32Array,
    values: Float64Array,
    perRow: number,
    quantiser: RatioQuantiser,
    threads: number,
    records: Uint8Array | null,
    extremes: Float64Array,
  ): BadValue | null;
  encodeRatioDense(
    values: Float32Array,
    quantiser: RatioQuantiser,
    threads: number,
    records: Uint8Array | null,
    extremes: Float64Array,
  ): BadValue | null;
  measureSq8(
    rows: Float32Array,
    dims: number,
    normalize: boolean,
    threads: number,
    lowest: Float32Array,
    highest: Float32Array,
  ): BadValue | null;
  /** Returns the largest |value - stored|. */
  encodeSq8(rows: Float32Array, offset: Float32Array, step: Float32Array, threads: number, codes: Uint8Array): number;
  halfToFloat(halves: Uint16Array, out: Float32Array): void;
  /** The place of the first id of a value other than 0 that is not below dims, or -1. */
  decodeR64(
    init: BigUint64Array,
    ids: BigUint64Array,
    ratios: BigUint64Array,
    layout: R64Layout,
    dims: number,
    outIds: Uint32Array,
    outValues: Float64Array,
  ): number;

  /** Ratio records as vectors. */
  ratioVectors(
    records: Uint8Array,
    features: number,
    codeBytes: number,
    scale: number,
    threads: number,
    ids: Uint16Array,
    values: Float32Array,
  ): void;
  /** Copies record i to place slots[i] - firstSlot of `out`, where it has one there. */
  placeRecords(
    records: Uint8Array,
    recordBytes: number,
    slots: Uint32Array,
    firstSlot: number,
    threads: number,
    out: Uint8Array,
  ): void;
  /** Records in slot order. */
  packRatioRecords(
    records: Uint8Array,
    codeBytes: number,
    parameters: RatioParameters,
    threads: number,
    blocks: Uint8Array,
    refine: Uint8Array,
  ): void;
  packSq8Records(records: Uint8Array, dims: number, threads: number, blocks: Uint8Array): void;
  /**
   * Records of twice the dims (native/src/rabitq-pack.h) of the slots from `first` on, the beginning of a block; cluster c, never empty, holds slots starts[c] to
   * starts[c + 1]. Returns the largest |record's value - stored value|.
   */
  packRabitqRecords(
    records: Sq8Vectors,
    first: number,
    starts: Uint32Array,
    representatives: Float32Array,
    parameters: RabitqParameters,
    threads: number,
    blocks: Uint8Array,
    refine: Uint8Array,
  ): number;

  /** The same as codes of 4 bits with the factors within (native/src/folded.h). */
  packFoldedRecords(
    records: Sq8Vectors,
    first: number,
    starts: Uint32Array,
    representatives: Float32Array,
    dims: number,
    largestFactor: number,
    threads: number,
    blocks: Uint8Array,
  ): number;

  openRatioMembers(parameters: RatioParameters, codeBytes: number): MembersHandle;
  openSq8Members(offset: Float32Array, step: Float32Array): MembersHandle;
  /** Takes the records of the next slots; cluster c, never empty, holds slots starts[c] to starts[c + 1]. */
  addRatioMembers(
    members: MembersHandle,
    records: Uint8Array,
    starts: Uint32Array,
    threads: number,
    means: SparseVectors,
    variances: SparseVectors | null,
  ): MemberCounts;
  addSq8Members(
    members: MembersHandle,
    records: Uint8Array,
    starts: Uint32Array,
    threads: number,
    means: Float32Array,
    variances: Float32Array | null,
  ): MemberCounts;

  /** Representatives prepared for assignment, copied. Without a tree: exact. */
  sparseAssigner(
    representatives: SparseVectors,
    dims: number,
    tree: AssignTree | null,
    threads: number,
  ): AssignerHandle;
  denseAssigner(representatives: Float32Array, dims: number, tree: AssignTree | null, threads: number): AssignerHandle;
  /** Gives an assigner's memory back; it may not be used afterwards. */
  releaseSparseAssigner(assigner: AssignerHandle): void;
  releaseDenseAssigner(assigner: AssignerHandle): void;
  /**
   * groups[i]: the group of representative i, of groups of near ones as assignment by a tree has them. Returns how many
   * there are, none of them empty; the tree's beam does not matter. What `onPass` throws is thrown again.
   */
  groupSparse(
    representatives: SparseVectors,
    dims: number,
    tree: AssignTree,
    threads: number,
    groups: Uint32Array,
    onPass: OnPass,
  ): number;
  groupDense(
    representatives: Float32Array,
    dims: number,
    tree: AssignTree,
    threads: number,
    groups: Uint32Array,
    onPass: OnPass,
  ): number;
  /** Nearest representative and squared distance of every row of a chunk; independent of chunking and threads. */
  assignSparse(
    assigner: AssignerHandle,
    rows: SparseVectors,
    threads: number,
    nearest: Uint32Array,
    distances: Float32Array,
  ): void;
  assignDense(
    assigner: AssignerHandle,
    rows: Sq8Vectors,
    threads: number,
    nearest: Uint32Array,
    distances: Float32Array,
  ): void;
  /** The mean of each cluster; an empty one is left as it is in `means`. */
  meansSparse(
    rows: SparseVectors,
    dims: number,
    order: Uint32Array,
    starts: Uint32Array,
    threads: number,
    means: SparseVectors,
  ): void;
  meansDense(rows: Sq8Vectors, order: Uint32Array, starts: Uint32Array, threads: number, means: Float32Array): void;

  /** exp(E[log beta]) of words (counts: words x topics), given the sums over all words; see native/src/topics.h. */
  topicWeights(counts: Float64Array, totals: Float64Array, threads: number, weights: Float32Array): void;
  /** The topics of a batch of texts; returns the iterations. Independent of the number of threads. */
  inferTopics(
    starts: Uint32Array,
    words: Uint32Array,
    counts: Float32Array,
    weights: Float32Array,
    topics: number,
    options: TopicInference,
    gamma: Float32Array,
    exponentials: Float32Array,
    ratios: Float32Array,
  ): number;
  /** What the batch adds to the counts of its words (words x topics). */
  topicCounts(
    starts: Uint32Array,
    words: Uint32Array,
    counts: Float32Array,
    weights: Float32Array,
    topics: number,
    exponentials: Float32Array,
    ratios: Float32Array,
    threads: number,
    out: Float64Array,
  ): void;

  keyTableSize(count: number): number;
  /** The two items of a duplicate key, or null. */
  buildKeyTable(offsets: BigUint64Array, bytes: Uint8Array, table: Uint32Array): readonly [number, number] | null;
  /** The item with a key, or -1. */
  findKey(offsets: SectionHandle, bytes: SectionHandle, table: SectionHandle, key: Uint8Array): number;
}
