// Exhaustive search in plain JavaScript: a float32 loop over every vector and a bounded heap of the best.

import type { LinearModel } from '../../src/models/model.ts';
import type { Baseline, PlainVectors } from './baseline.ts';

export function floatScan(vectors: PlainVectors): Baseline {
  const scores = new Float32Array(vectors.rows);
  return {
    name: 'float32 scan in JavaScript',
    search(model, k) {
      scoreRows(vectors, model, scores);
      return bestOf(scores, k);
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

/** The k best rows, best first, equal scores in row order. */
function bestOf(scores: Float32Array, k: number): Uint32Array {
  const worse = (a: number, b: number): boolean => {
    const difference = (scores[a] as number) - (scores[b] as number);
    return difference < 0 || (difference === 0 && a > b);
  };
  // A heap with the worst of the best on top.
  const heap = new Uint32Array(Math.min(k, scores.length));
  let size = 0;
  for (let row = 0; row < scores.length; row++) {
    if (size < heap.length) {
      let at = size++;
      for (let up = (at - 1) >> 1; at > 0 && worse(row, heap[up] as number); at = up, up = (at - 1) >> 1) {
        heap[at] = heap[up] as number;
      }
      heap[at] = row;
    } else if (worse(heap[0] as number, row)) {
      let at = 0;
      for (;;) {
        let down = 2 * at + 1;
        if (down >= size) break;
        if (down + 1 < size && worse(heap[down + 1] as number, heap[down] as number)) down++;
        if (worse(row, heap[down] as number)) break;
        heap[at] = heap[down] as number;
        at = down;
      }
      heap[at] = row;
    }
  }
  return heap.sort((a, b) => (worse(a, b) ? 1 : -1));
}
