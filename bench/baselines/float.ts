// Exhaustive search over float32 vectors in memory: what needs no index and no library.

import { floatScan } from './float-scan.ts';
import { FRAME_KEYS, multimodalSystem } from './multimodal.ts';
import { refuseUnknownKeys } from './parameters.ts';
import type { SystemFactory } from './system.ts';

export const float: SystemFactory = {
  name: 'float',
  summary: 'linear SVM, every float32 vector scored in plain JavaScript',
  keys: FRAME_KEYS,
  open(collection, parameters) {
    refuseUnknownKeys('float', parameters, FRAME_KEYS);
    return multimodalSystem({
      name: 'float',
      collection,
      parameters,
      trainer: 'linear_svm',
      baseline: (modality) => floatScan(modality, collection.items),
      reported: {},
    });
  },
};
