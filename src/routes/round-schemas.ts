// The schemas of a round: what it is asked and what it answers.

import { type Static, Type } from 'typebox';
import type { ServeConfig } from '../config.ts';
import { DEFAULT_WEIGHT, ROUND_DEFAULTS, STANDARD_DIVERSITY } from '../round-request.ts';
import { SAMPLERS } from '../samplers/sampler.ts';
import { FilterSchema } from './filter-schema.ts';
import { Model, PortableModelSchema } from './model-schemas.ts';
import { Grid, Mix, Random, Spread } from './sampler-schemas.ts';
import { closed, itemId, maxSeed, maxWeight, whole } from './schemas.ts';

const maxClusters = 2 ** 31;

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
