// What the stages of a modality share: the options, where the work is done, and how progress is told.

import type { Workspace } from './workspace.ts';

export type Assign = 'exact' | 'tree' | 'hnsw';

/** One step of a build, for a progress line. */
export interface Progress {
  readonly modality: string;
  readonly stage: keyof typeof UNITS;
  readonly done: number;
  readonly total: number;
  readonly unit: (typeof UNITS)[keyof typeof UNITS];
}

/** What each stage counts. */
export const UNITS = {
  encode: 'vectors',
  cluster: 'vectors',
  assign: 'vectors',
  groups: 'passes',
  write: 'vectors',
  levels: 'clusters',
  hash: 'bytes',
  grid: 'components',
  quality: 'hyperplanes',
} as const;

export interface StageOptions {
  readonly modality: string;
  readonly workspace: Workspace;
  readonly seed: number;
  readonly clusterSize: number;
  readonly assign: Assign;
  /** Lloyd passes; 0 is the papers' form. */
  readonly refine: number;
  /** Groups of clusters to begin with, 0 for none; left out: see defaultGroups in ecp.ts. */
  readonly groups?: number;
  readonly sizeLimit: number;
  readonly threads: number;
  /** Rows between two points from which a killed build goes on; a whole number of parts. */
  readonly checkpointRows: number;
  readonly onProgress: (stage: Progress['stage'], done: number, total: number) => void;
}

/** Rows read, encoded or assigned together, of so many bytes each: a few megabytes, and whole blocks. */
export function partRows(rowBytes: number, checkpointRows: number): number {
  const rows = Math.min(MOST_PART_ROWS, Math.floor(PART_BYTES / rowBytes), checkpointRows);
  return Math.max(64, rows - (rows % 64));
}

const PART_BYTES = 1 << 24;
const MOST_PART_ROWS = 1 << 17;
