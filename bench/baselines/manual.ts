// Manual labelling: items in random order, nothing learned from the labels. What any system has to beat.

import { refuseUnknownKeys } from './parameters.ts';
import type { SystemFactory } from './system.ts';
import { drawUnseen, takenItems } from './unseen.ts';

export const manual: SystemFactory = {
  name: 'manual',
  summary: 'uniform random items that were not seen yet',
  keys: [],
  open({ items }, parameters) {
    refuseUnknownKeys('manual', parameters, []);
    return {
      name: 'manual',
      parameters: {},
      suggest: (request) => drawUnseen(items, request.k, takenItems(request), request.seed, 'manual'),
    };
  },
};
