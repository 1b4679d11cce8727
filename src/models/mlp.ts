// Multilayer perceptron (the head of IRIS), trained in native/src/mlp.h; without hidden layers, logistic regression.

import { native } from '../native.ts';
import type { Model, TrainingRows } from './model.ts';

export interface MlpOptions {
  /** Units per hidden layer; none for logistic regression. */
  readonly hidden: readonly number[];
  /** Mean cost of an error in the linear part; the classes weigh the same. */
  readonly c: number;
  readonly seed: number;
  /** When to stop with the best weights so far, on the clock of RoundRequest.deadlineMs. */
  readonly deadlineMs?: number;
}

/** Trains on rows of at least one label. */
export function trainMlp(rows: TrainingRows, options: MlpOptions): Model {
  const { dims, ids, values, perRow, labels } = rows;
  const hidden = Uint32Array.from(options.hidden);
  const parameters = new Float32Array(parameterCount(dims, options.hidden));
  const { c: cost, seed, deadlineMs = Number.POSITIVE_INFINITY } = options;
  const settings = { hidden, cost, seed, deadlineMs };
  if (ids === null) native.trainMlpDense(values, dims, labels, settings, parameters);
  else native.trainMlpSparse(ids, values, perRow, dims, labels, settings, parameters);
  if (hidden.length > 0) return { hidden, parameters };
  return { weights: parameters.subarray(0, dims), bias: parameters[dims] as number };
}

/** Weights and biases of all layers. */
export function parameterCount(dims: number, hidden: readonly number[]): number {
  let count = 0;
  let inputs = dims;
  for (const units of [...hidden, 1]) {
    count += units * (inputs + 1);
    inputs = units;
  }
  return count;
}
