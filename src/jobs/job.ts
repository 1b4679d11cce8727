// What a job is: a sweep that was ordered, how far it is, and what came of it. All of it is JSON, as it is stored.

import type { Stratum } from '../audit-frame.ts';
import type { Filter, ModelOptions } from '../round-request.ts';
import type { Selection } from '../scan-sweep.ts';

export type ResultFormat = 'ndjson' | 'parquet';

/** Everything the result of a sweep depends on besides the index. */
export interface SweepOrder {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly seed: number;
  readonly model: ModelOptions;
  readonly modalities: readonly { readonly name: string; readonly weight: number }[];
  readonly selection: Selection;
  /** Absent: any item may be selected. */
  readonly filter?: Filter;
  readonly order: 'score' | 'item';
  readonly format: ResultFormat;
  /** Null: no audit. */
  readonly audit: { readonly strata: number; readonly perStratum: number } | null;
  readonly maxResultBytes: number;
  readonly maxSweepBytes: number;
  /** Rows of the result that are made durable together. */
  readonly partRows: number;
}

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** Whether a job neither runs nor waits. */
export function hasEnded({ status }: Pick<JobRecord, 'status'>): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}

export interface JobProgress {
  readonly stage: 'train' | 'filter' | 'score' | 'decide' | 'audit' | 'write';
  readonly done: number;
  readonly total: number;
}

/** What a finished sweep says of itself. */
export interface SweepSummary {
  readonly items: number;
  readonly bytes: number;
  /** Rows that an earlier attempt had made durable. */
  readonly resumedRows: number;
  readonly threshold: number;
  readonly mean: number;
  readonly deviation: number;
  /** With a filter: the items that pass it. */
  readonly itemsPassing?: number;
  /** How far scores of the scan may be from exact ones; those that are told are exact. */
  readonly scanError: number;
  readonly positives: number;
  readonly negatives: number;
  readonly pseudoNegatives: number;
  /** Milliseconds per stage, of the attempt that finished it. */
  readonly stagesMs: Readonly<Record<string, number>>;
  readonly audit: AuditSample | null;
}

/** The sample to label, and what was known when it was drawn. */
export interface AuditSample {
  readonly strata: readonly Stratum[];
  /** Labelled items, which belong to no stratum. */
  readonly known: {
    readonly selected: { readonly positives: number; readonly negatives: number };
    readonly rest: { readonly positives: number; readonly negatives: number };
  };
}

/** A job as it is stored. */
export interface JobRecord {
  readonly id: string;
  readonly session: string;
  readonly revision: number;
  readonly collection: string;
  readonly generation: string;
  readonly order: SweepOrder;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly status: JobStatus;
  /** Times it was begun and neither ended nor was interrupted by a server that closed. */
  readonly attempts: number;
  /** Why it failed. */
  readonly error: string | null;
  readonly summary: SweepSummary | null;
}
