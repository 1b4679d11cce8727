// Linear SVM, the papers' classifier, trained in native/src/svm.h.

import { native } from '../native.ts';
import type { LinearModel, TrainingRows } from './model.ts';

export interface LinearSvmOptions {
  readonly c: number;
  readonly loss: 'hinge' | 'squared_hinge';
  /** Factor on the cost of positives. */
  readonly positiveWeight: number;
  readonly seed: number;
  /** When to stop with the best weights so far, on the clock of RoundRequest.deadlineMs. */
  readonly deadlineMs?: number;
}

/** Relative duality gap at which training stops, so the objective is this close to its optimum. */
const EPSILON = 1e-3;
const MAX_ITERATIONS = 1000;

/** Trains on rows of both labels. */
export function trainLinearSvm(rows: TrainingRows, options: LinearSvmOptions): LinearModel {
  const costs = new Float64Array(rows.labels.length).fill(options.c);
  for (let row = 0; row < costs.length; row++) {
    if ((rows.labels[row] as number) > 0) costs[row] = options.c * options.positiveWeight;
  }
  const alpha = new Float64Array(rows.labels.length);
  const weights = new Float32Array(rows.dims);
  const settings = {
    squaredHinge: options.loss === 'squared_hinge',
    epsilon: EPSILON,
    maxIterations: MAX_ITERATIONS,
    seed: options.seed,
    deadlineMs: options.deadlineMs ?? Number.POSITIVE_INFINITY,
  };
  const { ids, values, perRow, labels } = rows;
  const { bias } =
    ids === null
      ? native.trainSvmDense(values, rows.dims, labels, costs, settings, alpha, weights)
      : native.trainSvmSparse(ids, values, perRow, labels, costs, settings, alpha, weights);
  return { weights, bias };
}
