// The searches that a dense codec is measured by, one query a call on one thread: every item, or the b best clusters.

import type { Modality } from '../../src/index/open.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { TOP } from './queries.ts';

const NOTHING = new Uint32Array(0);

export function exhaustive({ cells }: Modality, { weights, bias }: LinearModel): Uint32Array {
  const items = new Uint32Array(TOP);
  const head = native.linearHead(cells, weights, bias);
  const { found } = native.scanAll(head, NOTHING, 1, Number.POSITIVE_INFINITY, items, new Float64Array(TOP));
  return items.subarray(0, found);
}

/** The best of the `b` best clusters, in one segment. */
export function ofClusters({ cells }: Modality, { weights, bias }: LinearModel, b: number): Uint32Array {
  const head = native.linearHead(cells, weights, bias);
  const clusters = new Uint32Array(b);
  const { written } = native.selectClusters(head, Number.MAX_SAFE_INTEGER, clusters);
  const items = new Uint32Array(TOP);
  const counts = new Uint32Array(1);
  const chosen = clusters.subarray(0, written);
  const never = Number.POSITIVE_INFINITY;
  native.scanClusters(head, chosen, TOP, NOTHING, 1, never, items, new Float64Array(TOP), counts);
  return items.subarray(0, counts[0]);
}
