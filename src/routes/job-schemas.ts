// What requests for sweeps say and answers about jobs hold.

import { type Static, Type } from 'typebox';
import type { ServeConfig } from '../config.ts';
import { SAMPLER_RANGES } from '../round-request.ts';
import { FilterSchema } from './filter-schema.ts';
import { closed } from './schemas.ts';
import { sessionBody } from './session-schemas.ts';

const [minAlpha, maxAlpha] = SAMPLER_RANGES.alpha;
const maxStrata = 20;

export const JobParams = Type.Object(
  { job: Type.String({ minLength: 1, maxLength: 64, description: 'id of a job' }) },
  closed,
);

/** The body of a sweep. That one of alpha, score and count is given at most is for the route to check. */
export const sweepBody = (config: ServeConfig) => {
  const { model, modalities, filter } = sessionBody(config).properties;
  const text = 'select items that score above';
  return Type.Object(
    {
      alpha: Type.Optional(
        Type.Number({
          description: `${text} mean + alpha deviations (default 2)`,
          minimum: minAlpha,
          maximum: maxAlpha,
        }),
      ),
      score: Type.Optional(Type.Number({ description: `${text} this` })),
      count: Type.Optional(Type.Integer({ description: 'select this many of the best', minimum: 1 })),
      order: Type.Optional(Type.Enum(['score', 'item'], { description: 'best first (default), or by item number' })),
      format: Type.Optional(Type.Enum(['ndjson', 'parquet'], { description: 'of the result (default ndjson)' })),
      model,
      modalities,
      filter,
      audit: Type.Optional(
        Type.Object(
          {
            strata: Type.Optional(
              Type.Integer({
                description: 'strata of like scores of the selected items, and of the rest (default 4)',
                minimum: 1,
                maximum: maxStrata,
              }),
            ),
            per_stratum: Type.Optional(
              Type.Integer({
                description: 'items drawn from each (default 25)',
                minimum: 1,
                maximum: config.maxAuditLabels,
              }),
            ),
          },
          { ...closed, description: 'draw a sample to label, for GET /v1/jobs/{job}/audit' },
        ),
      ),
    },
    closed,
  );
};

export const JobSchema = Type.Object(
  {
    id: Type.String(),
    url: Type.String(),
    session: Type.String(),
    revision: Type.Integer({ description: 'of the session when the sweep was ordered' }),
    collection: Type.String(),
    generation: Type.String(),
    status: Type.String({ description: 'queued, running, done, failed or cancelled' }),
    created: Type.String({ description: 'time, ISO 8601' }),
    filter: Type.Optional({ ...FilterSchema, description: 'what an item passes to be selected' }),
    progress: Type.Optional(
      Type.Object(
        {
          stage: Type.String({ description: 'train, filter, score, decide, audit or write' }),
          done: Type.Integer(),
          total: Type.Integer(),
          eta_ms: Type.Optional(Type.Integer({ description: 'of the stage' })),
        },
        closed,
      ),
    ),
    error: Type.Optional(Type.String()),
    result: Type.Optional(
      Type.Object(
        {
          url: Type.String(),
          format: Type.String(),
          items: Type.Integer({ description: 'rows' }),
          bytes: Type.Integer(),
          resumed_rows: Type.Integer({ description: 'rows that an interrupted attempt had written' }),
          threshold: Type.Number({ description: 'everything selected scores above it; by count at least it' }),
          mean: Type.Number({ description: 'of the scores of all items, as scanned' }),
          deviation: Type.Number(),
          items_passing: Type.Optional(
            Type.Integer({ description: 'with a filter, the items that pass it: those of the audit' }),
          ),
          scan_error: Type.Number({ description: 'bound of |scanned - exact|; scores of the result are exact' }),
          positives: Type.Integer(),
          negatives: Type.Integer(),
          pseudo_negatives: Type.Integer(),
          stages_ms: Type.Record(Type.String(), Type.Number()),
          audit: Type.Optional(Type.String({ description: 'address of the audit' })),
        },
        closed,
      ),
    ),
  },
  closed,
);

const EstimateSchema = Type.Object({ estimate: Type.Number(), low: Type.Number(), high: Type.Number() }, closed);

export const AuditSchema = Type.Object(
  {
    job: Type.String(),
    interval: Type.Number({ description: 'chance, at least, with which each interval covers the truth' }),
    selected: Type.Object(
      {
        items: Type.Integer(),
        labelled_before: Type.Integer(),
        relevant: EstimateSchema,
        precision: Type.Optional(EstimateSchema),
      },
      {
        ...closed,
        description: 'what the sweep selected; items labelled before the sweep count as they were labelled',
      },
    ),
    rest: Type.Object(
      { items: Type.Integer(), labelled_before: Type.Integer(), relevant: EstimateSchema },
      { ...closed, description: 'relevant items that the sweep did not select' },
    ),
    strata: Type.Array(
      Type.Object(
        {
          selected: Type.Boolean(),
          items: Type.Integer({ description: 'without a label when the sweep was ordered' }),
          sampled: Type.Integer(),
          labelled: Type.Integer({ description: 'counted: labels from the start of the sample to the first gap' }),
          relevant: Type.Integer(),
        },
        closed,
      ),
    ),
    complete: Type.Boolean({ description: 'whether the whole sample is labelled' }),
    to_label: Type.Array(Type.Object({ id: Type.Integer(), key: Type.Optional(Type.String()) }, closed), {
      description: 'items of the sample without a label, in the order to label them',
    }),
  },
  closed,
);

export type SweepBody = Static<ReturnType<typeof sweepBody>>;
