// Running a round and writing its answer, for the routes that do.

import type { Static } from 'typebox';
import { clockMs } from '../engine.ts';
import { Problem } from '../errors.ts';
import type { Collection } from '../index/open.ts';
import { portableModel } from '../portable-model.ts';
import { roundAccount, sourceOf, suggestedItems } from '../round-answer.ts';
import type { RoundResult } from '../round-request.ts';
import type { PlannedRound } from './round-body.ts';
import type { SuggestAnswer } from './round-schemas.ts';
import type { RouteOptions } from './route.ts';

/** An answer as the schema says it. */
export type Answer = Static<typeof SuggestAnswer>;

/** Who asks for a round, and how it is to be answered. */
export interface Asking {
  readonly name: string;
  readonly collection: Collection;
  readonly arrivedMs: number;
  readonly abandoned: () => boolean;
  readonly format: 'items' | 'columns';
  /** Typed arrays for columns, which msgpack can say. */
  readonly typed: boolean;
}

/** Runs a round and counts it. Throws what the engine throws. */
export async function runRound(
  { engine, metrics }: Pick<RouteOptions, 'engine' | 'metrics'>,
  round: PlannedRound,
  { name, collection, arrivedMs, abandoned, format, typed }: Asking,
): Promise<{ readonly answer: Answer; readonly items: Uint32Array; readonly timing: string }> {
  const { seed } = round;
  const queuedMs = clockMs();
  const { result, startMs, stagesMs } = await engine.suggest(name, round, abandoned).catch((error: unknown) => {
    metrics.round(name, outcomeOf(error));
    throw error;
  });
  const queueMs = Math.max(0, startMs - queuedMs);
  const elapsedMs = clockMs() - arrivedMs;
  metrics.round(name, result.coverage.complete ? 'complete' : 'partial');
  metrics.stage('queue', queueMs);
  for (const stage of ['fit', 'select', 'score', 'fuse'] as const) metrics.stage(stage, stagesMs[stage]);
  metrics.stage('total', elapsedMs);
  const answer = {
    ...suggestions(result, collection, format, typed),
    ...roundAccount(result),
    ...(result.trained.length === 0 ? {} : { portable_model: portableModel(collection, result) }),
    index: { generation: collection.generation, items: collection.items },
    seed,
    elapsed_ms: Math.round(elapsedMs * 1000) / 1000,
  };
  return { answer, items: result.items, timing: serverTiming({ queue: queueMs, ...stagesMs }) };
}

/** The same answer with typed arrays for columns. */
export function withTypedColumns<Columns extends Pick<Answer, 'columns'>>(answer: Columns): Columns {
  const { columns } = answer;
  if (columns === undefined) return answer;
  const floats = (values: readonly number[]) => Float32Array.from(values) as unknown as number[];
  const modalities = Object.entries(columns.modalities).map(([name, { scores, ranks }]) => {
    return [name, { scores: floats(scores), ranks: floats(ranks) }] as const;
  });
  return {
    ...answer,
    columns: {
      ...columns,
      ids: Uint32Array.from(columns.ids) as unknown as number[],
      scores: floats(columns.scores),
      modalities: Object.fromEntries(modalities),
    },
  };
}

/** The suggestions in the shape asked for. */
function suggestions(
  result: RoundResult,
  { keys }: Collection,
  format: 'items' | 'columns',
  typed: boolean,
): Pick<Answer, 'items' | 'columns'> {
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
