// A model at work in its modality.

import type { Modality } from './index/open.ts';
import type { LinearModel } from './models/model.ts';
import { type HeadHandle, native } from './native.ts';

/** A modality with the model trained for this round. */
export interface Head {
  readonly modality: Modality;
  readonly model: LinearModel;
  /** The model, ready to score the modality's codes. */
  readonly prepared: HeadHandle;
}

/** Prepares a model for its modality. */
export function headOf(modality: Modality, model: LinearModel): Head {
  return { modality, model, prepared: native.linearHead(modality.cells, model.weights, model.bias) };
}
