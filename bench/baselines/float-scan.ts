// Exhaustive search in plain JavaScript: a float32 loop over every vector and a bounded heap of the best.

import type { Modality } from '../../src/index/open.ts';
import type { LinearModel } from '../../src/models/model.ts';
import type { Baseline } from './baseline.ts';
import { bestOf } from './best-items.ts';
import { checkMemory, type PlainVectors, plainBlocks } from './plain-vectors.ts';

/** Bytes of a float32 value, and of a sparse entry with its id. */
const VALUE_BYTES = 4;
const ENTRY_BYTES = 8;

/** Holds every vector of the modality in memory; throws RangeError where that does not fit. */
export function floatScan(modality: Modality, items: number): Baseline {
  const { dims, ratio } = modality.manifest;
  const rowBytes = ratio === undefined ? dims * VALUE_BYTES : ratio.items.features * ENTRY_BYTES;
  checkMemory(`modality ${modality.name} as float32 (${items} items, ${rowBytes} bytes each)`, items * rowBytes);
  const blocks = [...plainBlocks(modality, items)];
  const scores = new Float32Array(items);
  return {
    name: 'float32 scan in JavaScript',
    search(model, { most, skip }) {
      for (const [first, block] of blocks) scoreRows(block, model, scores.subarray(first, first + block.rows));
      for (const item of skip) scores[item] = Number.NEGATIVE_INFINITY;
      return bestOf(scores, Math.min(most, items - skip.length));
    },
  };
}

/** scores[i] = weights . row i + bias, for as many rows as scores holds. */
export function scoreRows({ perRow, ids, values }: PlainVectors, model: LinearModel, scores: Float32Array): void {
  const { weights, bias } = model;
  for (let row = 0, at = 0; row < scores.length; row++) {
    let sum = bias;
    if (ids === null) {
      for (let d = 0; d < perRow; d++, at++) sum += (weights[d] as number) * (values[at] as number);
    } else {
      for (let j = 0; j < perRow; j++, at++) sum += (weights[ids[at] as number] as number) * (values[at] as number);
    }
    scores[row] = sum;
  }
}
