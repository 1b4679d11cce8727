// The options of a round as fields of the body of POST /v1/collections/{collection}/suggest.

import type { RoundOptions } from './round-system.ts';

export function suggestFields(options: RoundOptions): Readonly<Record<string, unknown>> {
  const { model, clusters, segments, candidates, exhaustive, workers } = options;
  const { mix, diversity, spread, random, grid } = options;
  return {
    model: modelFields(model),
    search: { clusters, segments, candidates, exhaustive, workers },
    ...(diversity === null ? {} : { diversity }),
    ...(mix === null ? {} : { mix, spread, random, grid }),
  };
}

function modelFields(model: RoundOptions['model']): unknown {
  if (model.kind === 'mlp') return model;
  return model.kind === 'rocchio'
    ? { kind: 'rocchio', positive_weight: model.positiveWeight, negative_weight: model.negativeWeight }
    : { kind: 'linear_svm', c: model.c, loss: model.loss, positive_weight: model.positiveWeight };
}
