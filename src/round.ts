// One round of interactive learning (Exquisitor §3.3, IRIS): fit, select clusters, score candidates, fuse, mix samplers.
// Synchronous and pure: the same request over the same index gives the same result at any number of threads.

import { DecodedRows } from './decoded-rows.ts';
import { FarthestSearch } from './farthest-search.ts';
import { type Admission, admits, admittedItems } from './filter.ts';
import { randomItems, trainHeads } from './heads.ts';
import type { Collection } from './index/open.ts';
import { type Diversity, Mix, type Mixed, type Stream } from './mix.ts';
import { native } from './native.ts';
import { sampleOutside, seededRandom } from './random.ts';
import {
  mixAccount,
  type RoundRequest,
  type RoundResult,
  STANDARD_DIVERSITY,
  type Stage,
  sharesOf,
} from './round-request.ts';
import { farthest } from './samplers/farthest.ts';
import { grid } from './samplers/grid.ts';
import { random } from './samplers/random.ts';
import { SAMPLERS, type SampleContext, type SamplerName } from './samplers/sampler.ts';
import { spread } from './samplers/spread.ts';
import { type Spaces, spacesOf } from './spaces.ts';
import { type RoundSurvey, SurveyMemory } from './survey-memory.ts';

type Trained = RoundResult['trained'][number];

const FARTHEST = SAMPLERS.indexOf('farthest');

/**
 * Runs one round. With no positives there is nothing to learn from, and the round explores: random unlabelled items,
 * whatever the mix. `memory` and `decoded` are what a thread keeps from one round to the next; `admission` is what the
 * request's filter lets through, null without one. Throws RangeError for a modality the collection lacks or an item past its
 * end.
 */
export function round(
  collection: Collection,
  request: RoundRequest,
  onStage: (stage: Stage) => void = () => {},
  memory: SurveyMemory = new SurveyMemory(),
  decoded: DecodedRows = new DecodedRows(0),
  admission: Admission | null = null,
): RoundResult {
  const skip = ascendingUnion(request.positive, request.negative, request.exclude);
  const spaces = spacesOf(collection, request.modalities);
  const mix = new Mix(diversityOf(spaces, request), { fillUp: request.diversity === null });
  if (request.positive.length === 0) return explore(collection, request, skip, mix, admission);

  const trained = trainHeads(collection, request, skip, decoded);
  onStage('fit');
  try {
    const search = new FarthestSearch(collection, trained.heads, request, skip, onStage, admission);
    const survey = memory.survey(collection, trained.heads, spaces, request, skip, admission?.bits ?? null);
    const result = suggested(request, trained, search, survey, mix, skip, admission);
    onStage('fuse');
    return result;
  } finally {
    for (const { prepared } of trained.heads) native.releaseHead(prepared);
  }
}

/** What the samplers suggest, by the search and the survey of a round. */
function suggested(
  request: RoundRequest,
  { heads, pseudoNegatives }: ReturnType<typeof trainHeads>,
  search: FarthestSearch,
  survey: RoundSurvey,
  mix: Mix,
  skip: Uint32Array,
  admission: Admission | null,
): RoundResult {
  const isFree = (item: number): boolean =>
    !mix.hasLooked(item) && !includesSorted(skip, item) && (admission === null || admits(admission, item));
  const mixed = mix.fill(streams(request, search, survey, isFree), 'farthest', request.k);
  const { candidates, fused } = search.fusedWith(mixed.items.filter((_, i) => mixed.sources[i] !== FARTHEST));
  const { best, sources } = inOrder(mixed, candidates.items, fused.order);
  const items = best.map((candidate) => candidates.items[candidate] as number);
  return {
    items,
    scores: pick(fused.scores, best),
    sources,
    modalities: request.modalities.map(({ name }, m) => ({
      name,
      scores: pick(candidates.scores[m] as Float64Array, best),
      ranks: pick(fused.ranks[m] as Float64Array, best),
    })),
    model: {
      kind: request.model.kind,
      positives: request.positive.length,
      negatives: request.negative.length,
      pseudoNegatives,
    },
    trained: request.returnModel ? heads.map(({ modality, model }) => trainedOf(request, modality.name, model)) : [],
    mix: mixAccount(request, mixed.sources),
    coverage: {
      clustersRead: search.clustersRead + survey.clustersRead,
      itemsScored: search.itemsScored + survey.itemsScored,
      clustersOmitted: search.clustersOmitted,
      itemsOmitted: search.itemsOmitted,
      similarOmitted: mixed.similarOmitted,
      ...passing(admission),
      ...(surveys(request) ? { survey: survey.form } : {}),
      complete:
        search.complete &&
        survey.complete &&
        mixed.complete &&
        (admission?.complete ?? true) &&
        items.length === request.k,
    },
  };
}

/** What each sampler offers, and its share. */
function streams(
  request: RoundRequest,
  search: FarthestSearch,
  survey: RoundSurvey,
  isFree: (item: number) => boolean,
): readonly Stream[] {
  const { positive, seed, k } = request;
  const context: SampleContext = { survey, positive, isFree, seed };
  const free = function* (items: Iterable<number>): Iterable<number> {
    for (const item of items) if (isFree(item)) yield item;
  };
  const items: Record<SamplerName, Iterable<number>> = {
    farthest: farthest(context, { k, best: (count) => search.best(count) }),
    spread: free(spread(context, request.spread)),
    random: free(random(context, request.random)),
    grid: free(grid(context, request.grid)),
  };
  const shares = sharesOf(request);
  return SAMPLERS.map((sampler) => ({ sampler, share: shares[sampler], items: items[sampler] }));
}

function trainedOf({ modalities }: RoundRequest, name: string, model: Trained['model']): Trained {
  return { name, weight: modalities.find((modality) => modality.name === name)?.weight ?? 0, model };
}

/** A round without a model: random items, each as good as another. */
function explore(
  collection: Collection,
  request: RoundRequest,
  skip: Uint32Array,
  mix: Mix,
  admission: Admission | null,
): RoundResult {
  const draw = admission === null ? drawnOf(collection, request, skip) : drawnOfAdmitted(admission, request, skip);
  const items = function* (): Iterable<number> {
    const offered = new Set<number>();
    for (let count = request.k; ; count *= 2) {
      const { drawn, isAll } = draw(count);
      for (const item of drawn) {
        if (!offered.has(item)) yield item;
        offered.add(item);
      }
      if (isAll) return;
    }
  };
  const mixed = mix.fill([{ sampler: 'random', share: request.k, items: items() }], 'random', request.k);
  return {
    items: mixed.items,
    scores: new Float64Array(mixed.items.length),
    sources: mixed.sources,
    modalities: [],
    model: { kind: 'none', positives: 0, negatives: request.negative.length, pseudoNegatives: 0 },
    trained: [],
    mix: mixAccount(request, mixed.sources),
    coverage: {
      clustersRead: 0,
      itemsScored: 0,
      clustersOmitted: 0,
      itemsOmitted: 0,
      similarOmitted: mixed.similarOmitted,
      ...passing(admission),
      complete: mixed.complete && (admission?.complete ?? true) && mixed.items.length === request.k,
    },
  };
}

/** Draws so many random items, or all there are; a larger draw begins with a smaller one's items. */
type Draw = (count: number) => { readonly drawn: Iterable<number>; readonly isAll: boolean };

function drawnOf(collection: Collection, { seed }: RoundRequest, skip: Uint32Array): Draw {
  return (count) => {
    const drawn = randomItems(collection, seed, count, skip);
    return { drawn, isAll: drawn.length < count };
  };
}

/** Of the items that pass, by their rank; those to skip are drawn too, and left out. */
function drawnOfAdmitted(admission: Admission, { seed }: RoundRequest, skip: Uint32Array): Draw {
  const itemAt = admittedItems(admission);
  return (count) => {
    const ranks = sampleOutside(seededRandom(seed, 'random items'), count, admission.passed, new Uint32Array(0));
    const drawn = Array.from(ranks, itemAt).filter((item) => !includesSorted(skip, item));
    return { drawn, isAll: ranks.length < count };
  };
}

/** Whether a sampler that learns of the whole collection has a share. */
function surveys(request: RoundRequest): boolean {
  const { spread, random, grid } = sharesOf(request);
  return spread + random + grid > 0;
}

function passing(admission: Admission | null): { readonly itemsPassing?: number } {
  return admission === null ? {} : { itemsPassing: admission.passed };
}

/** The chosen candidates, best first, and the sampler of each. */
function inOrder(
  { items, sources }: Mixed,
  candidates: Uint32Array,
  order: Uint32Array,
): { readonly best: Uint32Array; readonly sources: Uint8Array } {
  const source = new Map<number, number>();
  items.forEach((item, i) => void source.set(item, sources[i] as number));
  const best = new Uint32Array(items.length);
  let found = 0;
  for (let i = 0; found < best.length; i++) {
    const candidate = order[i] as number;
    if (source.has(candidates[candidate] as number)) best[found++] = candidate;
  }
  return { best, sources: Uint8Array.from(best, (candidate) => source.get(candidates[candidate] as number) as number) };
}

/** A diversity that is named is a condition; the standard one lets pass what is like a positive. */
function diversityOf(
  { modalities, weights }: Spaces,
  { diversity, k, shown, positive, deadlineMs }: RoundRequest,
): Diversity | null {
  const { limit: standard, wantedLimit, mostWanted, mostK } = STANDARD_DIVERSITY;
  const limit = diversity ?? (shown.length + k > mostK ? 1 : standard);
  if (limit >= 1) return null;
  const cells = modalities.map((modality) => modality.cells);
  const wanted = diversity === null ? positive.slice(-mostWanted) : new Uint32Array(0);
  const choice = native.diverseChoice(cells, weights, shown, limit, wanted, wantedLimit);
  return (items, out) => native.diverseItems(choice, items, deadlineMs, out);
}

/** The distinct numbers of all lists, ascending. */
function ascendingUnion(...lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((length, list) => length + list.length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  all.sort();
  let distinct = 0;
  for (const item of all) if (distinct === 0 || item !== all[distinct - 1]) all[distinct++] = item;
  return all.subarray(0, distinct);
}

function includesSorted(ascending: Uint32Array, number: number): boolean {
  let from = 0;
  for (let to = ascending.length; from < to; ) {
    const middle = (from + to) >>> 1;
    if ((ascending[middle] as number) < number) from = middle + 1;
    else to = middle;
  }
  return ascending[from] === number;
}

function pick(values: Float64Array, numbers: Uint32Array): Float64Array {
  return Float64Array.from(numbers, (number) => values[number] as number);
}
