// The systems that the papers compare: what a simulated user asks of one, and how one is made.

import type { Collection } from '../../src/index/open.ts';

/** What a simulated user asks of a system in one round. Item numbers; labels accumulate. */
export interface SystemRequest {
  readonly positive: Uint32Array;
  readonly negative: Uint32Array;
  /** Seen items, never to suggest again. */
  readonly exclude: Uint32Array;
  readonly k: number;
  readonly seed: number;
}

/** One named system of the papers, ready to answer rounds. */
export interface System {
  readonly name: string;
  /** What it runs with, defaults included. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
  /** The best unlabelled and unseen items, best first. */
  suggest(request: SystemRequest): Uint32Array | Promise<Uint32Array>;
  /** Resident memory of the process that searches, where that is not this one; null for what is not known. */
  memory?(): Promise<{ readonly rssBytes: number | null; readonly rssMaxBytes: number | null }>;
  close?(): void | Promise<void>;
}

/** How a system is made: over an open index, with `key=value` parameters of its own (unknown keys are refused by name). */
export interface SystemFactory {
  readonly name: string;
  readonly summary: string;
  readonly keys: readonly string[];
  /** What takes long to open, as graphs that are built, stops at `signal` and throws its reason. */
  open(collection: Collection, parameters: ReadonlyMap<string, string>, signal?: AbortSignal): System | Promise<System>;
}
