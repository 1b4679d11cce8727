// Plain data that crosses the language boundary.

export interface RatioParameters {
  readonly dims: number;
  readonly features: number;
  /** 8 to 24. */
  readonly valueBits: number;
  /** Value of one code step. */
  readonly scale: number;
  /** Upper bound of the sum of one item's values. */
  readonly maxSum: number;
}

/** Clusters in groups of near ones: group g holds clusters starts[g] (u32) to starts[g + 1]. */
export interface OpenGroups {
  /** Of the members' representatives. */
  readonly means: CodesHandle;
  readonly starts: SectionHandle;
}

export interface RatioQuantiser {
  readonly features: number;
  readonly dims: number;
  /** 0 leaves first values unquantised. */
  readonly valueDivisor: number;
  /** 0 leaves ratios unquantised. */
  readonly ratioDivisor: number;
  readonly floor: boolean;
  readonly normalize: boolean;
  readonly scale: number;
  readonly maxCode: number;
}

/** The first value that an encoder refused. */
export interface BadValue {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

export interface R64Layout {
  readonly features: number;
  readonly idBits: number;
  readonly valueBits: number;
  readonly ratioBits: number;
  readonly idPadBits: number;
  readonly ratioPadBits: number;
  readonly valueDivisor: number;
  readonly ratioDivisor: number;
}

export interface SvmOptions {
  readonly squaredHinge: boolean;
  /** Relative duality gap to stop at. */
  readonly epsilon: number;
  /** Passes over all rows. */
  readonly maxIterations: number;
  readonly seed: number;
  /** When to stop with the best so far, on the clock of process.hrtime; never, when left out. */
  readonly deadlineMs?: number;
}

export interface SvmResult {
  readonly bias: number;
  readonly primal: number;
  readonly dual: number;
  readonly iterations: number;
  readonly converged: boolean;
}

export interface MlpOptions {
  /** Units per hidden layer: at most two layers of at most 256. */
  readonly hidden: Uint32Array;
  /** Mean cost of an error in the linear part. */
  readonly cost: number;
  readonly seed: number;
  /** As of SvmOptions. */
  readonly deadlineMs?: number;
}

/** How a network was trained; see native/src/mlp.h. All 0 without hidden layers. */
export interface MlpResult {
  readonly epochs: number;
  /** Whose parameters these are; 0: those of the start, which score like the linear part. */
  readonly bestEpoch: number;
  /** Rows that decided when to stop; 0 where a class has too few. */
  readonly heldBack: number;
  /** Class-balanced mean loss of those rows (or of all) at the start and at the best epoch. */
  readonly startLoss: number;
  readonly loss: number;
  readonly complete: boolean;
}

/** What a cluster is worth; see native/src/valued-clusters.h. */
export interface ClusterValue {
  readonly scoreFactor: number;
  readonly distanceFactor: number;
  readonly weight: number;
  readonly rest: number;
}

export interface ScanResult {
  readonly itemsScored: number;
  readonly clustersRead: number;
  /** False when the deadline passed first. */
  readonly complete: boolean;
}

/** Sparse vectors, perRow entries each; a value of 0 pads. */
export interface SparseVectors {
  readonly ids: Uint16Array;
  readonly values: Float32Array;
  readonly perRow: number;
}

/** See native/src/rabitq.h. */
export interface RabitqParameters {
  readonly dims: number;
  /** scanBits to 12. */
  readonly bits: number;
  /** 1, 2 or 4. */
  readonly scanBits: number;
  /** Dimensions that have all bits, the others lack the lowest; all where scanBits is bits. */
  readonly fullDims: number;
}

/** sq8 rows, row-major. */
export interface Sq8Vectors {
  readonly codes: Uint8Array;
  readonly offset: Float32Array;
  readonly step: Float32Array;
}

export interface MemberCounts {
  readonly duplicates: number;
  readonly zeros: number;
}

/**
 * Groups of representatives that are searched instead of all: an item is compared with the means of `nodes` groups,
 * then with the members of the `beam` nearest of them.
 */
export interface AssignTree {
  /** 1 to 65,536; over-full groups are divided and empty ones left out, so there may be more or fewer. */
  readonly nodes: number;
  readonly beam: number;
  /** The groups depend on it and on the representatives alone. */
  readonly seed: number;
}

/** Told before the first pass and after every one how many of all are done. */
export type OnPass = (done: number, passes: number) => void;

/** How the topics of a text are inferred. */
export interface TopicInference {
  /** Of the Dirichlet over a text's topics. */
  readonly prior: number;
  readonly maxIterations: number;
  /** Ends when the mean change of a text's pseudo-counts is below. */
  readonly tolerance: number;
  readonly threads: number;
}

/** What the value of a field must be: one of some texts of JSON, or, where these are null, a number within a range. */
export interface FilterCondition {
  /** As JSON writes it. */
  readonly field: string;
  readonly values: readonly string[] | null;
  readonly least: number;
  readonly most: number;
  /** Whether the bound itself is outside. */
  readonly above: boolean;
  readonly below: boolean;
}

declare const brand: unique symbol;
/** What lives in native code; handles of different kinds cannot be mixed up. */
interface Handle<Name extends string> {
  readonly [brand]: Name;
}

/** Read-only bytes of a section: mapped from its shard files, or copied from memory. */
export type SectionHandle = Handle<'section'>;
/** Packed codes in slot order. */
export type CodesHandle = Handle<'codes'>;
/** One modality: codes, representatives, clusters and the maps between items and slots. */
export type CellsHandle = Handle<'cells'>;
/** The levels above the clusters of a modality. */
export type LevelsHandle = Handle<'levels'>;
/** Clusters near some queries; keeps the cells open. */
export type NearSearchHandle = Handle<'near'>;
/** What a round has chosen, and what it wants more of, decoded; keeps the cells open. */
export type DiverseChoiceHandle = Handle<'diverse'>;
/** A model prepared for cells, which it keeps open. */
export type HeadHandle = Handle<'head'>;
/** Rows that are kept. */
export type RowCacheHandle = Handle<'rows'>;
/** Representatives prepared for sparse or for dense rows. */
export type AssignerHandle = Handle<'assigner'>;

/** Members of clusters, taken part by part; see native/src/members.h. */
export type MembersHandle = Handle<'members'>;
