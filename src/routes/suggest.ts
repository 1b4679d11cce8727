// The stateless round: labels in, suggestions out. The body is checked twice: by its schema (400), then against the
// collection (422). What goes to the thread is flat arrays.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { ServeConfig } from '../config.ts';
import { clockMs } from '../engine.ts';
import { type Fault, maxFaults, Problem } from '../errors.ts';
import type { Collection, Modality } from '../index/open.ts';
import { wantsMsgpack } from '../msgpack.ts';
import { roundAccount, sourceOf, suggestedItems } from '../round-answer.ts';
import {
  DEFAULT_WEIGHT,
  type ModelOptions,
  ROCCHIO_DEFAULTS,
  ROUND_DEFAULTS,
  type RoundRequest,
  type RoundResult,
} from '../round-request.ts';
import { findCollection, type RouteOptions } from './route.ts';
import {
  CollectionParams,
  mediaTypes,
  problemAnswers,
  SuggestAnswer,
  type SuggestBody,
  suggestBody,
} from './schemas.ts';

/** POST /collections/{collection}/suggest. */
export const suggestRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (
  app,
  { collections, engine, metrics, config },
) => {
  app.post(
    '/collections/:collection/suggest',
    {
      schema: {
        tags: ['rounds'],
        summary: 'One round: learn from the labels, suggest the k best of the other items',
        consumes: [...mediaTypes],
        produces: [...mediaTypes],
        params: CollectionParams,
        body: suggestBody(config),
        response: {
          200: SuggestAnswer,
          ...problemAnswers(400, 404, 406, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply): Promise<Static<typeof SuggestAnswer>> => {
      const { body } = request;
      const name = request.params.collection;
      const arrivedMs = clockMs() - reply.elapsedTime;
      const collection = findCollection(collections, name);
      const round = toRound(body, collection, config, arrivedMs);
      const queuedMs = clockMs();
      const { result, startMs, stagesMs } = await engine
        .suggest(name, round, () => reply.raw.destroyed)
        .catch((error: unknown) => {
          metrics.round(name, outcomeOf(error));
          throw error;
        });
      const queueMs = Math.max(0, startMs - queuedMs);
      const elapsedMs = clockMs() - arrivedMs;
      metrics.round(name, result.coverage.complete ? 'complete' : 'partial');
      metrics.stage('queue', queueMs);
      for (const stage of ['fit', 'select', 'score', 'fuse'] as const) metrics.stage(stage, stagesMs[stage]);
      metrics.stage('total', elapsedMs);
      reply.header('server-timing', serverTiming({ queue: queueMs, ...stagesMs }));
      return {
        ...suggestions(result, collection, body.format ?? 'items', wantsMsgpack(request)),
        ...roundAccount(result),
        index: { generation: collection.generation, items: collection.items },
        seed: round.seed,
        elapsed_ms: Math.round(elapsedMs * 1000) / 1000,
      };
    },
  );
};

/** The round a body asks for. Throws Problem 'invalid-request', 'too-many-labels' or 'unprocessable-request'. */
function toRound(
  body: SuggestBody,
  collection: Collection,
  config: ServeConfig,
  arrivedMs: number,
): Omit<RoundRequest, 'startMs'> {
  const { labels = {}, exclude = [], search = {}, k = ROUND_DEFAULTS.k } = body;
  const mix = toMix(body.mix, k);
  const { positive = [], negative = [] } = labels;
  const count = positive.length + negative.length + exclude.length;
  if (count > config.maxLabels) {
    const detail = `${count} labelled and excluded items; at most ${config.maxLabels} are accepted in one request`;
    throw new Problem('too-many-labels', detail);
  }
  const faults: Fault[] = [];
  const positives = resolveItems(positive, '/labels/positive', collection, faults);
  const negatives = resolveItems(negative, '/labels/negative', collection, faults, positives);
  const excluded = resolveItems(exclude, '/exclude', collection, faults);
  const modalities = resolveModalities(body.modalities, collection, faults);
  const [first] = faults;
  if (first !== undefined) throw new Problem('unprocessable-request', first.detail, { faults });
  if (positives.size > 0) limitTraining(positives.size + negatives.size, modalities, collection, config);

  return {
    positive: Uint32Array.from(positives),
    negative: Uint32Array.from(negatives),
    exclude: Uint32Array.from(excluded),
    k,
    seed: body.seed ?? ROUND_DEFAULTS.seed,
    model: toModel(body.model ?? { kind: 'linear_svm' }),
    mix,
    diversity: body.diversity ?? ROUND_DEFAULTS.diversity,
    spread: { ...ROUND_DEFAULTS.spread, ...body.spread },
    random: { ...ROUND_DEFAULTS.random, ...body.random },
    grid: { ...ROUND_DEFAULTS.grid, ...body.grid },
    // No collection has more clusters than items.
    clusters: Math.min(search.clusters ?? ROUND_DEFAULTS.clusters, collection.items),
    segments: search.segments ?? ROUND_DEFAULTS.segments,
    candidates: Math.max(k, search.candidates ?? ROUND_DEFAULTS.candidates),
    exhaustive: search.exhaustive ?? false,
    workers: search.workers ?? ROUND_DEFAULTS.workers,
    modalities,
    deadlineMs: arrivedMs + (body.budget_ms ?? config.defaultBudgetMs),
  };
}

/** The shares of the samplers. Throws Problem 'invalid-request' when they are not k in all. */
function toMix(mix: SuggestBody['mix'], k: number): RoundRequest['mix'] {
  if (mix === undefined) return null;
  const { farthest = 0, spread = 0, random = 0, grid = 0 } = mix;
  const sum = farthest + spread + random + grid;
  if (sum === k) return { farthest, spread, random, grid };
  const detail = `the shares of the samplers add up to ${sum}; they must be k, which is ${k}`;
  throw new Problem('invalid-request', detail, { faults: [{ pointer: '/mix', detail }] });
}

/** Training decodes every label in every modality. Throws Problem 'too-many-labels' where that takes too much memory. */
function limitTraining(
  labels: number,
  modalities: RoundRequest['modalities'],
  collection: Collection,
  { maxTrainingValues }: ServeConfig,
): void {
  for (const { name } of modalities) {
    const { ratio, dims } = (collection.modalities.get(name) as Modality).manifest;
    const perLabel = ratio?.items.features ?? dims;
    if (labels * perLabel <= maxTrainingValues) continue;
    const most = Math.floor(maxTrainingValues / perLabel);
    const detail = `${labels} labels of ${perLabel} values each in '${name}'; training takes at most ${most} there`;
    throw new Problem('too-many-labels', detail);
  }
}

/** The items of a list of numbers and keys, each once, in order; faults are added for those that are not to be had. */
function resolveItems(
  ids: readonly (number | string)[],
  pointer: string,
  { items, keys }: Collection,
  faults: Fault[],
  opposite?: ReadonlySet<number>,
): Set<number> {
  const resolved = new Set<number>();
  for (const [i, id] of ids.entries()) {
    const item = typeof id === 'number' ? id : keys?.itemOf(id);
    let detail: string | null = null;
    if (item === undefined) {
      detail = keys === null ? `the collection has no keys, so '${id}' names no item` : `no item has the key '${id}'`;
    } else if (item < 0 || item >= items) {
      detail = `${item} is not an item: the collection has items 0 to ${items - 1}`;
    } else if (opposite?.has(item)) {
      detail = `item ${item} is labelled both positive and negative`;
    } else {
      resolved.add(item);
    }
    if (detail !== null && faults.length < maxFaults) faults.push({ pointer: `${pointer}/${i}`, detail });
  }
  return resolved;
}

/** The modalities that take part, in the manifest's order. */
function resolveModalities(
  given: SuggestBody['modalities'],
  collection: Collection,
  faults: Fault[],
): RoundRequest['modalities'] {
  const names = collection.manifest.modalities.map(({ name }) => name);
  if (given === undefined) return names.map((name) => ({ name, weight: DEFAULT_WEIGHT }));
  const unknown = Object.keys(given).filter((name) => !collection.modalities.has(name));
  for (const name of unknown.slice(0, maxFaults)) {
    const pointer = `/modalities/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    faults.push({ pointer, detail: `the collection has no modality '${name}', only ${names.join(', ')}` });
  }
  const chosen = names
    .filter((name) => Object.hasOwn(given, name))
    .map((name) => ({ name, weight: given[name]?.weight ?? DEFAULT_WEIGHT }))
    .filter(({ weight }) => weight > 0);
  if (chosen.length === 0 && unknown.length === 0) {
    faults.push({ pointer: '/modalities', detail: 'no modality has a weight above 0' });
  }
  return chosen;
}

function toModel(model: NonNullable<SuggestBody['model']>): ModelOptions {
  if (model.kind === 'rocchio') {
    return {
      kind: 'rocchio',
      positiveWeight: model.positive_weight ?? ROCCHIO_DEFAULTS.positiveWeight,
      negativeWeight: model.negative_weight ?? ROCCHIO_DEFAULTS.negativeWeight,
    };
  }
  return {
    kind: 'linear_svm',
    c: model.c ?? ROUND_DEFAULTS.model.c,
    loss: model.loss ?? ROUND_DEFAULTS.model.loss,
    positiveWeight: model.positive_weight ?? ROUND_DEFAULTS.model.positiveWeight,
  };
}

/** The suggestions in the shape asked for. */
function suggestions(
  result: RoundResult,
  { keys }: Collection,
  format: 'items' | 'columns',
  typed: boolean,
): Pick<Static<typeof SuggestAnswer>, 'items' | 'columns'> {
  if (format === 'items') return { items: suggestedItems(result, keys) };
  const { items, scores, sources, modalities } = result;
  // The schema's arrays of numbers; the msgpack writer takes typed arrays for them as they are.
  const floats = (values: Float64Array) => (typed ? Float32Array.from(values) : [...values]) as number[];
  return {
    columns: {
      ids: (typed ? items : [...items]) as number[],
      ...(keys === null ? {} : { keys: Array.from(items, (item) => keys.keyOf(item)) }),
      scores: floats(scores),
      sources: Array.from(sources, sourceOf),
      modalities: Object.fromEntries(
        modalities.map(({ name, scores, ranks }) => [name, { scores: floats(scores), ranks: floats(ranks) }]),
      ),
    },
  };
}

function outcomeOf(error: unknown): 'refused' | 'abandoned' | 'failed' {
  if (!(error instanceof Problem)) return 'failed';
  return error.code === 'overloaded' ? 'refused' : 'abandoned';
}

/** The value of a Server-Timing header, in milliseconds. */
function serverTiming(stages: Readonly<Record<string, number>>): string {
  return Object.entries(stages)
    .map(([stage, milliseconds]) => `${stage};dur=${milliseconds.toFixed(3)}`)
    .join(', ');
}
