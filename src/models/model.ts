// The interface of a trainer: from labelled rows of one modality to a model.

/** Labelled vectors of one modality: dense rows, or sparse rows whose zeros pad. */
export interface TrainingRows {
  readonly dims: number;
  /** Values per row: dims, or the entries of a sparse row. */
  readonly perRow: number;
  /** Feature ids of sparse rows, null for dense ones. */
  readonly ids: Uint32Array | null;
  readonly values: Float32Array;
  /** 1 or -1 per row. */
  readonly labels: Int8Array;
}

/** What scores items. */
export type Model = LinearModel | MlpModel;

/** score(x) = weights . x + bias; higher is more relevant. */
export interface LinearModel {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Hidden layers h = max(0, W h' + b), one after another from h' = x on, then score = w . h + b. */
export interface MlpModel {
  /** Units per hidden layer, one or two of them. */
  readonly hidden: Uint32Array;
  /** Per layer the weights, unit by unit, then the biases. */
  readonly parameters: Float32Array;
}

/** Which of the two it is. */
export function isMlp(model: Model): model is MlpModel {
  return 'hidden' in model;
}
