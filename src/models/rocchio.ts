// Rocchio's relevance-weighted query (Rocchio 1965): the k-NN baseline of the papers.

import { native } from '../native.ts';
import type { LinearModel, TrainingRows } from './model.ts';

export interface RocchioOptions {
  readonly positiveWeight: number;
  readonly negativeWeight: number;
}

/** Mean of the positives minus mean of the negatives, weighted; a class without rows counts as zero. */
export function trainRocchio(rows: TrainingRows, options: RocchioOptions): LinearModel {
  const weights = new Float32Array(rows.dims);
  const { ids, values, perRow, labels } = rows;
  const { positiveWeight, negativeWeight } = options;
  if (ids === null) native.rocchioDense(values, rows.dims, labels, positiveWeight, negativeWeight, weights);
  else native.rocchioSparse(ids, values, perRow, labels, positiveWeight, negativeWeight, weights);
  return { weights, bias: 0 };
}
