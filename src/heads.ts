// The heads of a round: one model per modality, trained on the labelled items.

import { DecodedRows } from './decoded-rows.ts';
import { type Head, headOf } from './head.ts';
import type { Collection } from './index/open.ts';
import { trainLinearSvm } from './models/linear-svm.ts';
import { trainMlp } from './models/mlp.ts';
import type { Model, TrainingRows } from './models/model.ts';
import { trainRocchio } from './models/rocchio.ts';
import { sampleOutside, seededRandom } from './random.ts';
import type { RoundRequest } from './round-request.ts';
import { modalityOf } from './spaces.ts';

/** Random negatives drawn when only positives are given: the papers' actors start with a hundred. */
const PSEUDO_NEGATIVES = 100;

/** What training needs of a round. */
export type Training = Pick<
  RoundRequest,
  'positive' | 'negative' | 'model' | 'modalities' | 'seed' | 'startMs' | 'deadlineMs'
>;

/**
 * Trains on at least one positive. Without negatives, random items outside `skip` (ascending) stand in for them. Half of
 * the time to the deadline goes to training, in equal shares. `decoded` keeps rows from one round to the next. Throws
 * RangeError for a modality the collection lacks.
 */
export function trainHeads(
  collection: Collection,
  training: Training,
  skip: Uint32Array,
  decoded: DecodedRows = new DecodedRows(0),
): { readonly heads: readonly Head[]; readonly pseudoNegatives: number } {
  const { positive, negative, model, seed, startMs, deadlineMs } = training;
  const modalities = training.modalities.map(({ name }) => modalityOf(collection, name));
  const pseudo = negative.length > 0 ? new Uint32Array(0) : randomItems(collection, seed, PSEUDO_NEGATIVES, skip);
  const negatives = pseudo.length > 0 ? pseudo : negative;
  const items = new Uint32Array(positive.length + negatives.length);
  items.set(positive);
  items.set(negatives, positive.length);
  const labels = new Int8Array(items.length).fill(-1);
  labels.fill(1, 0, positive.length);
  const share = (deadlineMs - startMs) / (2 * modalities.length);
  const heads = modalities.map((modality, m) => {
    const rows = { dims: modality.manifest.dims, labels, ...decoded.of(modality, items) };
    return headOf(modality, fit(rows, model, seed, startMs + (m + 1) * share));
  });
  return { heads, pseudoNegatives: pseudo.length };
}

/** `count` distinct random items outside `skip` (distinct), or all there are, in drawn order. */
export function randomItems({ items }: Collection, seed: number, count: number, skip: Uint32Array): Uint32Array {
  return sampleOutside(seededRandom(seed, 'random items'), count, items, skip);
}

function fit(rows: TrainingRows, model: RoundRequest['model'], seed: number, deadlineMs: number): Model {
  if (model.kind === 'rocchio') return trainRocchio(rows, model);
  if (model.kind === 'mlp') return trainMlp(rows, { ...model, seed, deadlineMs });
  return trainLinearSvm(rows, { ...model, seed, deadlineMs });
}
