// One round of interactive learning (Exquisitor §3.3): fit, select clusters, score candidates, fuse, suggest.
// Synchronous and pure: the same request over the same index gives the same result at any number of threads.

import { type CandidateSearch, candidatesOfAll, candidatesOfBestClusters, type Head } from './candidates.ts';
import { fuse } from './fusion.ts';
import type { Collection, Modality } from './index/open.ts';
import { trainLinearSvm } from './models/linear-svm.ts';
import type { LinearModel, TrainingRows } from './models/model.ts';
import { trainRocchio } from './models/rocchio.ts';
import { native } from './native.ts';
import { seededRandom } from './random.ts';
import type { RoundRequest, RoundResult, Stage } from './round-request.ts';

/** Random negatives drawn when only positives are given: the papers' actors start with a hundred. */
const PSEUDO_NEGATIVES = 100;

/**
 * Runs one round. With no positives there is nothing to learn from, and the round explores: random unlabelled items.
 * Throws RangeError for a modality the collection lacks or an item past its end.
 */
export function round(
  collection: Collection,
  request: RoundRequest,
  onStage: (stage: Stage) => void = () => {},
): RoundResult {
  const modalities = request.modalities.map(({ name }) => modalityOf(collection, name));
  const skip = ascendingUnion(request.positive, request.negative, request.exclude);
  if (request.positive.length === 0) return explore(collection, request, skip);

  const pseudoNegatives =
    request.negative.length > 0 ? new Uint32Array(0) : randomItems(collection, request.seed, PSEUDO_NEGATIVES, skip);
  const negatives = pseudoNegatives.length > 0 ? pseudoNegatives : request.negative;
  // Half of the time goes to training, in equal shares.
  const share = (request.deadlineMs - request.startMs) / (2 * modalities.length);
  const heads: Head[] = modalities.map((modality, m) => ({
    modality,
    model: fit(modality, negatives, request, request.startMs + (m + 1) * share),
  }));
  onStage('fit');

  const { build } = collection.manifest;
  const search: CandidateSearch = { ...request, sizeLimit: build.size_limit, items: collection.items };
  const selected = (): void => onStage('select');
  const found = request.exhaustive
    ? candidatesOfAll(heads, search, skip)
    : candidatesOfBestClusters(heads, search, skip, selected);
  onStage('score');

  const ranked = request.modalities.map(({ weight }, m) => ({ weight, scores: found.scores[m] as Float64Array }));
  const fused = fuse(found.items, ranked);
  const best = fused.order.subarray(0, request.k);
  const { clustersRead, itemsScored, clustersOmitted, itemsOmitted } = found;
  const result: RoundResult = {
    items: best.map((candidate) => found.items[candidate] as number),
    scores: pick(fused.scores, best),
    source: 'farthest',
    modalities: request.modalities.map(({ name }, m) => ({
      name,
      scores: pick(found.scores[m] as Float64Array, best),
      ranks: pick(fused.ranks[m] as Float64Array, best),
    })),
    model: {
      kind: request.model.kind,
      positives: request.positive.length,
      negatives: request.negative.length,
      pseudoNegatives: pseudoNegatives.length,
    },
    coverage: {
      clustersRead,
      itemsScored,
      clustersOmitted,
      itemsOmitted,
      complete: found.complete && best.length === request.k,
    },
  };
  onStage('fuse');
  return result;
}

function modalityOf(collection: Collection, name: string): Modality {
  const modality = collection.modalities.get(name);
  if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
  return modality;
}

/** Trains the request's model on the labelled items of one modality. */
function fit(modality: Modality, negatives: Uint32Array, request: RoundRequest, deadlineMs: number): LinearModel {
  const items = new Uint32Array(request.positive.length + negatives.length);
  items.set(request.positive);
  items.set(negatives, request.positive.length);
  const labels = new Int8Array(items.length).fill(-1);
  labels.fill(1, 0, request.positive.length);
  const rows = trainingRows(modality, items, labels);
  const { model, seed } = request;
  if (model.kind === 'rocchio') return trainRocchio(rows, model);
  return trainLinearSvm(rows, { ...model, seed, deadlineMs });
}

/** The decoded vectors of labelled items. */
function trainingRows(modality: Modality, items: Uint32Array, labels: Int8Array): TrainingRows {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const values = new Float32Array(items.length * perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : values.length);
  native.decodeItems(modality.cells, items, ids, values);
  return { dims, perRow, ids: ratio === undefined ? null : ids, values, labels };
}

/** A round without a model: random items, each as good as another. */
function explore(collection: Collection, request: RoundRequest, skip: Uint32Array): RoundResult {
  const items = randomItems(collection, request.seed, request.k, skip);
  return {
    items,
    scores: new Float64Array(items.length),
    source: 'random',
    modalities: [],
    model: { kind: 'none', positives: 0, negatives: request.negative.length, pseudoNegatives: 0 },
    coverage: {
      clustersRead: 0,
      itemsScored: 0,
      clustersOmitted: 0,
      itemsOmitted: 0,
      complete: items.length === request.k,
    },
  };
}

/** `count` distinct random items outside `skip` (distinct), or all there are, in drawn order. */
function randomItems({ items }: Collection, seed: number, count: number, skip: Uint32Array): Uint32Array {
  const random = seededRandom(seed, 'random items');
  const taken = new Set(skip);
  const available = items - taken.size;
  const drawn = new Uint32Array(Math.min(count, available));
  if (2 * (taken.size + drawn.length) <= items) {
    // At least every other number is free to the end, so a draw takes two tries on average at most.
    for (let i = 0; i < drawn.length; ) {
      const item = random.below(items);
      if (taken.has(item)) continue;
      taken.add(item);
      drawn[i++] = item;
    }
    return drawn;
  }
  // A shuffle of what is left, as far as it is needed.
  const rest = new Uint32Array(available);
  for (let item = 0, i = 0; i < available; item++) if (!taken.has(item)) rest[i++] = item;
  for (let i = 0; i < drawn.length; i++) {
    const j = i + random.below(available - i);
    drawn[i] = rest[j] as number;
    rest[j] = rest[i] as number;
  }
  return drawn;
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
  return all.filter((item, i) => i === 0 || item !== all[i - 1]);
}

function pick(values: Float64Array, numbers: Uint32Array): Float64Array {
  return Float64Array.from(numbers, (number) => values[number] as number);
}
