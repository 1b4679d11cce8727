// The one door to C++: the typed declaration of the addon. Typed arrays in, caller-allocated typed arrays out.
// A wrong type throws TypeError, a wrong length or number RangeError, an unreadable file Error.

import { createRequire } from 'node:module';
import type { NativeBuilding } from './native-building.ts';
import type { NativeSampling } from './native-sampling.ts';
import type { NativeSweep } from './native-sweep.ts';
import type {
  CellsHandle,
  CodesHandle,
  FilterCondition,
  HeadHandle,
  LevelsHandle,
  MlpOptions,
  MlpResult,
  OpenGroups,
  RabitqParameters,
  RatioParameters,
  RowCacheHandle,
  ScanResult,
  SectionHandle,
  SvmOptions,
  SvmResult,
} from './native-types.ts';

/**
 * What rounds need; what only builds, samplers or sweeps need is in native-building.ts, native-sampling.ts and
 * native-sweep.ts.
 */
export interface Native extends NativeBuilding, NativeSampling, NativeSweep {
  /** The instruction set in use. */
  isa(): string;
  crc32c(crc: number, bytes: Uint8Array): number;

  mapSection(paths: readonly string[], payloadBytes: readonly number[]): SectionHandle;
  memorySection(bytes: Uint8Array): SectionHandle;
  sectionBytes(section: SectionHandle): number;
  readSection(section: SectionHandle, offset: number, out: Uint8Array): void;
  /** Reads a range into memory, onto huge pages where asked for and possible; see native/src/mapping.h. */
  warmSection(section: SectionHandle, offset: number, bytes: number, huge: boolean): void;

  /** Gives freed memory that the allocator holds back to the system. */
  releaseFreed(): void;
  /** Asks that memory not used yet be of huge pages; a hint. */
  preferHugePages(memory: Uint8Array): void;

  /** Atomically exchanges two paths; false where the system cannot. */
  exchangePaths(a: string, b: string): boolean;

  ratioCodesBytes(count: number, parameters: RatioParameters): number;
  ratioRefineBytes(count: number, parameters: RatioParameters): number;
  sq8CodesBytes(count: number, dims: number): number;
  rabitqCodesBytes(count: number, parameters: RabitqParameters): number;
  rabitqRefineBytes(count: number, parameters: RabitqParameters): number;
  foldedCodesBytes(count: number, dims: number): number;
  packRatio(
    ids: Uint16Array,
    codes: Uint32Array,
    order: Uint32Array,
    parameters: RatioParameters,
    blocks: Uint8Array,
    refine: Uint8Array,
  ): void;
  packSq8(rows: Uint8Array, order: Uint32Array, dims: number, blocks: Uint8Array): void;
  openRatio(count: number, parameters: RatioParameters, blocks: SectionHandle, refine: SectionHandle): CodesHandle;
  openSq8(count: number, offset: Float32Array, step: Float32Array, blocks: SectionHandle): CodesHandle;
  /** Codes of what the representatives leave, which they refer to. */
  openRabitq(
    count: number,
    parameters: RabitqParameters,
    blocks: SectionHandle,
    refine: SectionHandle,
    representatives: CodesHandle,
  ): CodesHandle;
  /** See native/src/folded.h. `starts` are those of the clusters. */
  openFolded(
    count: number,
    dims: number,
    largestFactor: number,
    blocks: SectionHandle,
    starts: SectionHandle,
    representatives: CodesHandle,
  ): CodesHandle;
  openCells(
    codes: CodesHandle,
    representatives: CodesHandle,
    spread: CodesHandle | null,
    items: SectionHandle,
    slots: SectionHandle,
    starts: SectionHandle,
    groups?: OpenGroups | null,
  ): CellsHandle;

  /** sizes: nodes per level, bottom up; read when they are first walked. */
  openLevels(sizes: Uint32Array, nodes: SectionHandle, parents: SectionHandle): LevelsHandle;

  /** Bytes of `count` packed numbers below `limit`; see native/src/packed.h. */
  packedBytes(count: number, limit: number): number;
  packNumbers(numbers: Uint32Array, limit: number, out: Uint8Array): void;
  unpackNumbers(bytes: Uint8Array, limit: number, numbers: Uint32Array): void;

  /** Approximate scores of blocks [first, first + out.length / block items). */
  scoreBlocks(codes: CodesHandle, weights: Float32Array, bias: number, first: number, out: Float32Array): void;
  /** Bound of |approximate - exact| for this model. */
  scoreError(codes: CodesHandle, weights: Float32Array, bias: number): number;
  /** Approximate squared distances to a dense vector of blocks [first, first + out.length / block items). */
  distanceBlocks(codes: CodesHandle, query: Float32Array, first: number, out: Float32Array): void;
  /** Bound of |approximate - exact| for this vector; infinite where floats could overflow. */
  distanceError(codes: CodesHandle, query: Float32Array): number;
  /** Decoded vectors of given slots: row values each, and for sparse codes as many ids (ids is empty for dense). */
  decodeSlots(codes: CodesHandle, slots: Uint32Array, ids: Uint32Array, values: Float32Array): void;
  /** The same for items of a modality. */
  decodeItems(cells: CellsHandle, items: Uint32Array, ids: Uint32Array, values: Float32Array): void;

  /** Rows that are kept, of at most so many bytes; see native/src/row-cache.h. */
  rowCache(limitBytes: number): RowCacheHandle;
  /** decodeItems() by way of kept rows. space: the caller's number for these cells and no others. */
  decodeKeptItems(
    cache: RowCacheHandle,
    space: number,
    cells: CellsHandle,
    items: Uint32Array,
    ids: Uint32Array,
    values: Float32Array,
  ): void;

  /** A model prepared for a modality, once a round: weights . x + bias. */
  linearHead(cells: CellsHandle, weights: Float32Array, bias: number): HeadHandle;
  /** hidden: units per layer. parameters: per layer the weights, unit by unit, then the biases. */
  mlpHead(cells: CellsHandle, hidden: Uint32Array, parameters: Float32Array): HeadHandle;
  /** Gives up the memory of a head, instead of waiting for the garbage collector; it cannot be used any more. */
  releaseHead(head: HeadHandle): void;
  selectClusters(
    head: HeadHandle,
    sizeLimit: number,
    clusters: Uint32Array,
  ): { readonly written: number; readonly ordinary: number };
  scanClusters(
    head: HeadHandle,
    clusters: Uint32Array,
    perSegment: number,
    skip: Uint32Array,
    workers: number,
    deadlineMs: number,
    items: Uint32Array,
    scores: Float64Array,
    counts: Uint32Array,
    admitted?: Uint32Array,
  ): ScanResult;
  scanAll(
    head: HeadHandle,
    skip: Uint32Array,
    workers: number,
    deadlineMs: number,
    items: Uint32Array,
    scores: Float64Array,
    admitted?: Uint32Array,
  ): ScanResult & { readonly found: number };
  /** Sets the bits of the records [first, last) that meet all conditions; returns how many do. See filter.h. */
  filterRecords(
    offsets: SectionHandle,
    bytes: SectionHandle,
    conditions: readonly FilterCondition[],
    first: number,
    last: number,
    admitted: Uint32Array,
  ): number;
  scoreItems(head: HeadHandle, items: Uint32Array, scores: Float64Array): void;
  itemDistances(cells: CellsHandle, query: Float32Array, items: Uint32Array, distances: Float64Array): void;
  /** order: 0 … n-1 by score descending, then item ascending. */
  orderByScore(items: Uint32Array, scores: Float64Array, order: Uint32Array): void;

  trainSvmDense(
    values: Float32Array,
    dims: number,
    labels: Int8Array,
    costs: Float64Array,
    options: SvmOptions,
    alpha: Float64Array,
    weights: Float32Array,
  ): SvmResult;
  trainSvmSparse(
    ids: Uint32Array,
    values: Float32Array,
    perRow: number,
    labels: Int8Array,
    costs: Float64Array,
    options: SvmOptions,
    alpha: Float64Array,
    weights: Float32Array,
  ): SvmResult;
  /** parameters: out, as mlpHead takes them. */
  trainMlpDense(
    values: Float32Array,
    dims: number,
    labels: Int8Array,
    options: MlpOptions,
    parameters: Float32Array,
  ): MlpResult;
  trainMlpSparse(
    ids: Uint32Array,
    values: Float32Array,
    perRow: number,
    dims: number,
    labels: Int8Array,
    options: MlpOptions,
    parameters: Float32Array,
  ): MlpResult;
  rocchioDense(
    values: Float32Array,
    dims: number,
    labels: Int8Array,
    positiveWeight: number,
    negativeWeight: number,
    weights: Float32Array,
  ): void;
  rocchioSparse(
    ids: Uint32Array,
    values: Float32Array,
    perRow: number,
    labels: Int8Array,
    positiveWeight: number,
    negativeWeight: number,
    weights: Float32Array,
  ): void;
}

export const native: Native = createRequire(import.meta.url)('#addon');
