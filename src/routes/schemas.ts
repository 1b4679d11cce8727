// What a request says and an answer holds: the schemas that routes share, and those of a round.

import { type Static, Type } from 'typebox';
import type { ServeConfig } from '../config.ts';
import { ProblemSchema, problemType } from '../errors.ts';
import { msgpackType } from '../msgpack.ts';
import {
  DEFAULT_WEIGHT,
  MLP_DEFAULTS,
  MLP_RANGES,
  ROCCHIO_DEFAULTS,
  ROUND_DEFAULTS,
  SAMPLER_RANGES,
  STANDARD_DIVERSITY,
} from '../round-request.ts';
import { SAMPLERS } from '../samplers/sampler.ts';
import { FilterSchema } from './filter-schema.ts';

const closed = { additionalProperties: false };
/** Of a seed. */
export const maxSeed = Number.MAX_SAFE_INTEGER;
const maxClusters = 2 ** 31;
const maxWeight = 1000;

/** Both formats, for the description of a route that speaks them. */
export const mediaTypes: readonly string[] = ['application/json', msgpackType];

/** The answers of a route that fails, by status, for its description; app.ts writes them. */
export function problemAnswers<Status extends number>(...statuses: Status[]): Record<Status, typeof problemAnswer> {
  return Object.fromEntries(statuses.map((status) => [status, problemAnswer])) as Record<Status, typeof problemAnswer>;
}

/** The path parameter of everything below a collection. */
export const CollectionParams = Type.Object(
  { collection: Type.String({ minLength: 1, maxLength: 64, description: 'name of a collection' }) },
  closed,
);

const problemAnswer = {
  description: 'Problem details (RFC 9457)',
  content: { [problemType]: { schema: ProblemSchema } },
};

/** A whole number with its range; the default is documentation, `toRound` applies it. */
const whole = (description: string, standard: number, minimum: number, maximum: number) =>
  Type.Optional(Type.Integer({ description: `${description} (default ${standard})`, minimum, maximum }));

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
const Model = Type.Unsafe<Static<typeof LinearSvm> | Static<typeof Mlp> | Static<typeof Rocchio>>({
  type: 'object',
  description: 'the classifier (default linear_svm)',
  discriminator: { propertyName: 'kind' },
  required: ['kind'],
  properties: { kind: { type: 'string', enum: models.map(({ properties }) => properties.kind.const) } },
  oneOf: models,
});

/** Suggestions by sampler; that they sum to k is for the route to check. */
const Mix = (maxK: number) => {
  const share = (description: string) =>
    Type.Optional(Type.Integer({ description: `${description} (default 0)`, minimum: 0, maximum: maxK }));
  return Type.Object(
    {
      farthest: share('farthest from the plane on its positive side'),
      spread: share('nearest to the query set'),
      random: share('drawn among items above the score threshold'),
      grid: share('the best of each cell of a grid'),
    },
    { ...closed, description: 'suggestions by sampler, k in all (default all k farthest)' },
  );
};

const within = (description: string, [minimum, maximum]: readonly [number, number], standard: number) =>
  Type.Optional(Type.Number({ description: `${description} (default ${standard})`, minimum, maximum }));

const Spread = Type.Object(
  {
    from: Type.Optional(
      Type.Enum(['positives', 'seeds', 'latest'], {
        description: 'the query set: all positives, the first `count` or the last `count` of labels.positive',
      }),
    ),
    count: whole('positives that are seeds, or latest', ROUND_DEFAULTS.spread.count, ...SAMPLER_RANGES.count),
  },
  closed,
);

const Random = Type.Object(
  {
    alpha: within(
      'draw among items that score above mean + alpha deviations of the collection',
      SAMPLER_RANGES.alpha,
      ROUND_DEFAULTS.random.alpha,
    ),
  },
  closed,
);

const { components, segments, zeta } = ROUND_DEFAULTS.grid;

const Grid = Type.Object(
  {
    components: whole('m, principal components', components, ...SAMPLER_RANGES.components),
    segments: whole('N, quantile segments per component', segments, ...SAMPLER_RANGES.segments),
    zeta: within('weight of the score; the rest is of the distance to the positives', SAMPLER_RANGES.zeta, zeta),
  },
  closed,
);

/** An item number or a key. Its range is that of the collection, so it is checked there. */
export const itemId = (maxKeyChars: number) =>
  Type.Unsafe<number | string>({ type: ['integer', 'string'], minLength: 1, maxLength: maxKeyChars });

/** The schema of the body of a round. */
export const suggestBody = (config: ServeConfig) => {
  const ids = (description: string) => Type.Optional(Type.Array(itemId(config.maxKeyChars), { description }));
  return Type.Object(
    {
      labels: Type.Optional(
        Type.Object(
          { positive: ids('relevant items: numbers or keys'), negative: ids('irrelevant items: numbers or keys') },
          closed,
        ),
      ),
      exclude: ids('items not to suggest; labelled items never are'),
      filter: Type.Optional(FilterSchema),
      k: whole('suggestions wanted', ROUND_DEFAULTS.k, 1, config.maxK),
      seed: whole('seed of everything random', ROUND_DEFAULTS.seed, 0, maxSeed),
      budget_ms: Type.Optional(
        Type.Number({
          description: `time from arrival after which the best so far is returned (default ${config.defaultBudgetMs})`,
          minimum: 1,
          maximum: config.maxBudgetMs,
        }),
      ),
      model: Type.Optional(Model),
      mix: Type.Optional(Mix(config.maxK)),
      diversity: Type.Optional(
        Type.Number({
          description: `greatest cosine of two suggestions; 1 is off (default ${STANDARD_DIVERSITY.limit} up to k = ${STANDARD_DIVERSITY.mostK}, not near positives, and similar ones still fill what is missing of k; else 1)`,
          minimum: 0,
          maximum: 1,
        }),
      ),
      spread: Type.Optional(Spread),
      random: Type.Optional(Random),
      grid: Type.Optional(Grid),
      search: Type.Optional(
        Type.Object(
          {
            clusters: whole(
              'b, clusters read per modality; more than there are means all',
              ROUND_DEFAULTS.clusters,
              1,
              maxClusters,
            ),
            segments: whole(
              'S_c, segments the clusters are split into',
              ROUND_DEFAULTS.segments,
              1,
              config.maxSegments,
            ),
            candidates: whole(
              'r, candidates per modality; at least k',
              ROUND_DEFAULTS.candidates,
              1,
              config.maxCandidates,
            ),
            workers: whole('w, threads sharing the scan', ROUND_DEFAULTS.workers, 1, config.maxWorkersPerRound),
            exhaustive: Type.Optional(Type.Boolean({ description: 'score every item (default false)' })),
          },
          closed,
        ),
      ),
      modalities: Type.Optional(
        Type.Record(
          Type.String({ pattern: '^(?!(?:__proto__|constructor|prototype)$).{1,64}$' }),
          Type.Object(
            {
              weight: Type.Optional(
                Type.Number({
                  description: `weight in the fusion (default ${DEFAULT_WEIGHT}); 0 leaves the modality out`,
                  minimum: 0,
                  maximum: maxWeight,
                }),
              ),
            },
            closed,
          ),
          { description: 'modalities that take part (default all)', additionalProperties: false },
        ),
      ),
      return_model: Type.Optional(
        Type.Boolean({ description: 'whether to answer with the trained model as well (default false)' }),
      ),
      format: Type.Optional(
        Type.Enum(['items', 'columns'], { description: 'one object per suggestion, or one array per field' }),
      ),
    },
    closed,
  );
};

/** The body of a round. */
export type SuggestBody = Static<ReturnType<typeof suggestBody>>;

/** One suggestion. */
export const ItemSchema = Type.Object(
  {
    id: Type.Integer(),
    key: Type.Optional(Type.String()),
    score: Type.Number({ description: 'fused score, descending' }),
    source: Type.String({ description: `the sampler that chose it: ${SAMPLERS.join(', ')}` }),
    modalities: Type.Record(Type.String(), Type.Object({ score: Type.Number(), rank: Type.Number() }, closed)),
  },
  closed,
);

const ColumnsSchema = Type.Object(
  {
    ids: Type.Array(Type.Integer()),
    keys: Type.Optional(Type.Array(Type.String())),
    scores: Type.Array(Type.Number()),
    sources: Type.Array(Type.String()),
    modalities: Type.Record(
      Type.String(),
      Type.Object({ scores: Type.Array(Type.Number()), ranks: Type.Array(Type.Number()) }, closed),
    ),
  },
  {
    ...closed,
    description: 'columns of the suggestions; in msgpack typed arrays (extension 0x74, msgpackr): ids u32, others f32',
  },
);

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

/** The answer of a round. */
export const SuggestAnswer = Type.Object(
  {
    items: Type.Optional(Type.Array(ItemSchema)),
    columns: Type.Optional(ColumnsSchema),
    model: Type.Object(
      {
        kind: Type.String(),
        positives: Type.Integer(),
        negatives: Type.Integer(),
        pseudo_negatives: Type.Integer({ description: 'random items that served as negatives' }),
      },
      closed,
    ),
    portable_model: Type.Optional(PortableModelSchema),
    mix: Type.Record(Type.String(), Type.Object({ share: Type.Integer(), suggested: Type.Integer() }, closed), {
      description: 'per sampler that takes part: asked for, suggested. What one cannot fill is handed to farthest',
    }),
    coverage: Type.Object(
      {
        clusters_read: Type.Integer(),
        items_scored: Type.Integer(),
        clusters_omitted: Type.Integer(),
        items_omitted: Type.Integer(),
        similar_omitted: Type.Integer({ description: 'items left out for `diversity`' }),
        items_passing: Type.Optional(
          Type.Integer({ description: 'with a filter, the items that pass it, of those looked at within the budget' }),
        ),
        survey: Type.Optional(
          Type.String({
            description:
              '`exact` or `sampled`: how `spread`, `random` and `grid` learned of the collection, where one has a share',
          }),
        ),
        complete: Type.Boolean({ description: 'false past the budget, or when fewer than k items were left' }),
      },
      closed,
    ),
    index: Type.Object({ generation: Type.String(), items: Type.Integer() }, closed),
    seed: Type.Integer(),
    elapsed_ms: Type.Number(),
  },
  closed,
);
