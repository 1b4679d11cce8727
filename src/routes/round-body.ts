// From the body of a round to the round itself: checked against the collection (422) after the schema (400). What goes
// to the thread is flat arrays.

import type { ServeConfig } from '../config.ts';
import { type Fault, maxFaults, Problem } from '../errors.ts';
import type { Collection, Modality } from '../index/open.ts';
import {
  DEFAULT_WEIGHT,
  type Filter,
  MLP_DEFAULTS,
  type ModelOptions,
  ROCCHIO_DEFAULTS,
  ROUND_DEFAULTS,
  type RoundRequest,
} from '../round-request.ts';
import type { SuggestBody } from './round-schemas.ts';

/** What a body says besides items. */
export type RoundSettings = Omit<SuggestBody, 'labels' | 'exclude'>;

/** A round on its way to a thread. */
export type PlannedRound = Omit<RoundRequest, 'startMs'>;

/** The items of a round, distinct in each list. */
export type RoundItems = Pick<RoundRequest, 'positive' | 'negative' | 'exclude'> & Partial<Pick<RoundRequest, 'shown'>>;

/** What the server allows and when the request came. */
export interface RoundLimits {
  readonly config: ServeConfig;
  /** On the clock of RoundRequest.deadlineMs. */
  readonly arrivedMs: number;
}

/** The round a body asks for. Throws Problem 'invalid-request', 'too-many-labels' or 'unprocessable-request'. */
export function toRound(body: SuggestBody, collection: Collection, limits: RoundLimits): PlannedRound {
  const { labels = {}, exclude = [] } = body;
  const { positive = [], negative = [] } = labels;
  const count = positive.length + negative.length + exclude.length;
  const { maxLabels } = limits.config;
  if (count > maxLabels) {
    const detail = `${count} labelled and excluded items; at most ${maxLabels} are accepted in one request`;
    throw new Problem('too-many-labels', detail);
  }
  const faults: Fault[] = [];
  const positives = resolveItems(positive, '/labels/positive', collection, faults);
  const negatives = resolveItems(negative, '/labels/negative', collection, faults, labelledTwice(positives));
  const excluded = resolveItems(exclude, '/exclude', collection, faults);
  const items = {
    positive: Uint32Array.from(positives),
    negative: Uint32Array.from(negatives),
    exclude: Uint32Array.from(excluded),
  };
  return roundOf(body, items, collection, limits, faults);
}

/** The round of items that are known to be in the collection; `faults` are those found on the way to them. */
export function roundOf(
  settings: RoundSettings,
  items: RoundItems,
  collection: Collection,
  { config, arrivedMs }: RoundLimits,
  faults: Fault[] = [],
): PlannedRound {
  const { search = {}, k = ROUND_DEFAULTS.k } = settings;
  const mix = toMix(settings.mix, k);
  const modalities = resolveModalities(settings.modalities, collection, faults);
  checkFilter(settings.filter, collection, faults);
  refuse(faults);
  if (items.positive.length > 0) {
    limitTraining(items.positive.length + items.negative.length, modalities, collection, config);
  }
  return {
    shown: ROUND_DEFAULTS.shown,
    ...items,
    ...(settings.filter === undefined ? {} : { filter: settings.filter as Filter }),
    k,
    seed: settings.seed ?? ROUND_DEFAULTS.seed,
    returnModel: settings.return_model ?? ROUND_DEFAULTS.returnModel,
    model: toModel(settings.model ?? { kind: 'linear_svm' }),
    mix,
    diversity: settings.diversity ?? ROUND_DEFAULTS.diversity,
    spread: { ...ROUND_DEFAULTS.spread, ...settings.spread },
    random: { ...ROUND_DEFAULTS.random, ...settings.random },
    grid: { ...ROUND_DEFAULTS.grid, ...settings.grid },
    // No collection has more clusters than items.
    clusters: Math.min(search.clusters ?? ROUND_DEFAULTS.clusters, collection.items),
    segments: search.segments ?? ROUND_DEFAULTS.segments,
    candidates: Math.max(k, search.candidates ?? ROUND_DEFAULTS.candidates),
    exhaustive: search.exhaustive ?? false,
    survey: ROUND_DEFAULTS.survey,
    workers: search.workers ?? ROUND_DEFAULTS.workers,
    modalities,
    deadlineMs: arrivedMs + (settings.budget_ms ?? config.defaultBudgetMs),
  };
}

/** Throws Problem 'unprocessable-request' when something was found wrong. */
export function refuse(faults: readonly Fault[]): void {
  const [first] = faults;
  if (first !== undefined) throw new Problem('unprocessable-request', first.detail, { faults });
}

/** Items that must not come again, and what is said of one that does. */
export interface Taken {
  readonly items: ReadonlySet<number>;
  readonly detail: (item: number) => string;
}

/** No item has both labels. */
export function labelledTwice(items: ReadonlySet<number>): Taken {
  return { items, detail: (item) => `item ${item} is labelled both positive and negative` };
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

/** Each rule says one thing. Throws Problem 'invalid-request'; a fault is a collection that has nothing to filter by. */
function checkFilter(filter: SuggestBody['filter'], { metadata }: Collection, faults: Fault[]): void {
  if (filter === undefined) return;
  const place = filter.must.findIndex(({ range, in: values }) => (range === undefined) === (values === undefined));
  if (place >= 0) {
    const detail = 'a rule has either range or in';
    throw new Problem('invalid-request', detail, { faults: [{ pointer: `/filter/must/${place}`, detail }] });
  }
  if (metadata === null) {
    faults.push({ pointer: '/filter', detail: 'the collection has no metadata, so no filter applies to it' });
  }
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
export function resolveItems(
  ids: readonly (number | string)[],
  pointer: string,
  { items, keys }: Collection,
  faults: Fault[],
  taken?: Taken,
): Set<number> {
  const resolved = new Set<number>();
  for (const [i, id] of ids.entries()) {
    const item = typeof id === 'number' ? id : keys?.itemOf(id);
    let detail: string | null = null;
    if (item === undefined) {
      detail = keys === null ? `the collection has no keys, so '${id}' names no item` : `no item has the key '${id}'`;
    } else if (item < 0 || item >= items) {
      detail = `${item} is not an item: the collection has items 0 to ${items - 1}`;
    } else if (taken?.items.has(item)) {
      detail = taken.detail(item);
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
  if (model.kind === 'mlp') {
    return { kind: 'mlp', hidden: model.hidden ?? MLP_DEFAULTS.hidden, c: model.c ?? MLP_DEFAULTS.c };
  }
  return {
    kind: 'linear_svm',
    c: model.c ?? ROUND_DEFAULTS.model.c,
    loss: model.loss ?? ROUND_DEFAULTS.model.loss,
    positiveWeight: model.positive_weight ?? ROUND_DEFAULTS.model.positiveWeight,
  };
}
