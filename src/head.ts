// A model at work in its modality.

import type { Modality } from './index/open.ts';
import { isMlp, type Model } from './models/model.ts';
import { native } from './native.ts';
import type { CellsHandle, HeadHandle } from './native-types.ts';

/** A modality with the model trained for this round. */
export interface Head {
  readonly modality: Modality;
  readonly model: Model;
  /** The model, ready to score the modality's codes. */
  readonly prepared: HeadHandle;
}

/** Prepares a model for its modality. */
export function headOf(modality: Modality, model: Model): Head {
  return { modality, model, prepared: preparedFor(modality.cells, model) };
}

/** The model, ready to score any cells of its dims. */
export function preparedFor(cells: CellsHandle, model: Model): HeadHandle {
  return isMlp(model)
    ? native.mlpHead(cells, model.hidden, model.parameters)
    : native.linearHead(cells, model.weights, model.bias);
}
