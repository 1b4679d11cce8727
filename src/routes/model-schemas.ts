// The classifier as a request names it, and a trained one as it is handed out.

import { type Static, Type } from 'typebox';
import { MLP_DEFAULTS, MLP_RANGES, ROCCHIO_DEFAULTS, ROUND_DEFAULTS } from '../round-request.ts';
import { closed, maxWeight } from './schemas.ts';

const modelWeight = (description: string, standard: number) =>
  Type.Optional(Type.Number({ description: `${description} (default ${standard})`, minimum: 0, maximum: maxWeight }));

const LinearSvm = Type.Object(
  {
    kind: Type.Literal('linear_svm'),
    c: Type.Optional(
      Type.Number({
        description: `cost of an error (default ${ROUND_DEFAULTS.model.c})`,
        exclusiveMinimum: 0,
        maximum: 1e6,
      }),
    ),
    loss: Type.Optional(
      Type.Enum(['hinge', 'squared_hinge'], { description: `loss of an error (default ${ROUND_DEFAULTS.model.loss})` }),
    ),
    positive_weight: Type.Optional(
      Type.Number({
        description: `factor of c for positives (default ${ROUND_DEFAULTS.model.positiveWeight})`,
        exclusiveMinimum: 0,
        maximum: maxWeight,
      }),
    ),
  },
  closed,
);

const Rocchio = Type.Object(
  {
    kind: Type.Literal('rocchio'),
    positive_weight: modelWeight('weight of the mean of the positives', ROCCHIO_DEFAULTS.positiveWeight),
    negative_weight: modelWeight('weight of the mean of the negatives', ROCCHIO_DEFAULTS.negativeWeight),
  },
  closed,
);

const [minLayers, maxLayers] = MLP_RANGES.layers;
const [minUnits, maxUnits] = MLP_RANGES.units;

const Mlp = Type.Object(
  {
    kind: Type.Literal('mlp'),
    hidden: Type.Optional(
      Type.Array(Type.Integer({ minimum: minUnits, maximum: maxUnits }), {
        description: `units of each hidden layer (default [${MLP_DEFAULTS.hidden}]); [] is logistic regression`,
        minItems: minLayers,
        maxItems: maxLayers,
      }),
    ),
    c: Type.Optional(
      Type.Number({
        description: `mean cost of an error in the linear part; the classes weigh the same (default ${MLP_DEFAULTS.c})`,
        exclusiveMinimum: 0,
        maximum: 1e6,
      }),
    ),
  },
  closed,
);

const models = [LinearSvm, Mlp, Rocchio];

/** A tagged union, so that an error is told of the kind that was meant; an unknown kind is told the known ones. */
export const Model = Type.Unsafe<Static<typeof LinearSvm> | Static<typeof Mlp> | Static<typeof Rocchio>>({
  type: 'object',
  description: 'the classifier (default linear_svm)',
  discriminator: { propertyName: 'kind' },
  required: ['kind'],
  properties: { kind: { type: 'string', enum: models.map(({ properties }) => properties.kind.const) } },
  oneOf: models,
});

const LayerSchema = Type.Object(
  {
    weights: Type.Array(Type.Array(Type.Number()), { description: 'a row per unit, a number per input' }),
    bias: Type.Array(Type.Number(), { description: 'a number per unit' }),
  },
  closed,
);

/** A trained model that scores vectors anywhere; docs/http.md says how. */
export const PortableModelSchema = Type.Object(
  {
    format: Type.String(),
    version: Type.Integer(),
    kind: Type.String(),
    feature_space: Type.String({ description: 'hash of what turns a vector into what the model scores' }),
    index: Type.Object({ generation: Type.String(), items: Type.Integer() }, closed),
    fusion: Type.String({
      description: 'score: that of the one modality; weighted_mean_rank: by ranks among candidates',
    }),
    modalities: Type.Record(
      Type.String(),
      Type.Object(
        {
          weight: Type.Number({ description: 'in the fusion' }),
          codec: Type.String(),
          dims: Type.Integer(),
          normalize: Type.Boolean({ description: 'whether vectors are scaled to unit length first' }),
          features: Type.Union([Type.Integer(), Type.Null()], {
            description: 'largest values kept of a vector, null for all',
          }),
          max_value_error: Type.Number({ description: 'largest difference of a value and its stored form' }),
          activation: Type.String({ description: 'between layers' }),
          layers: Type.Array(LayerSchema),
        },
        closed,
      ),
    ),
  },
  { ...closed, description: 'a trained model that scores vectors anywhere' },
);
