// What every route is given, and what routes have in common.

import type { ServeConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import { Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** What the routes work with. */
export interface RouteOptions {
  readonly collections: Collections;
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  readonly metrics: Metrics;
  readonly config: ServeConfig;
  readonly isClosing: () => boolean;
  /** How far the indexes are in memory. */
  readonly warmth: Warmth;
}

/** How much of what rounds read is in memory; what is not costs the first rounds a disk's time. */
export interface Warmth {
  readonly readBytes: number;
  readonly totalBytes: number;
  readonly complete: boolean;
  /** A file could not be read, and the rest will not be. */
  readonly failed: boolean;
}

/** The open indexes by name. */
export type Collections = ReadonlyMap<string, Collection>;

/** How a request for a round ended. */
export type Outcome = 'complete' | 'partial' | 'refused' | 'abandoned' | 'failed';

/** What a round's time went to; `total` is from arrival to the answer. */
export type TimedStage = 'queue' | 'fit' | 'select' | 'score' | 'fuse' | 'total';

/** The server's counters. */
export interface Metrics {
  round(collection: string, outcome: Outcome): void;
  stage(stage: TimedStage, milliseconds: number): void;
  request(method: string, route: string, status: number): void;
  /** All of them in Prometheus' text format. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The collection of a name. Throws Problem 'unknown-collection'. */
export function findCollection(collections: Collections, name: string): Collection {
  const collection = collections.get(name);
  if (collection === undefined) throw new Problem('unknown-collection', `there is no collection '${name}'`);
  return collection;
}

/** The item number of a path parameter. Throws Problem 'unknown-item'. */
export function findItem(collection: Collection, id: string, by: 'number' | 'key' | undefined): number {
  const item = (by ?? (/^\d+$/.test(id) ? 'number' : 'key')) === 'number' ? numberOf(id) : collection.keys?.itemOf(id);
  if (item === undefined || item >= collection.items) {
    const known = collection.keys === null ? '' : ' or a key';
    throw new Problem('unknown-item', `'${id}' is not an item number from 0 to ${collection.items - 1}${known}`);
  }
  return item;
}

function numberOf(id: string): number | undefined {
  return /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}
