// The frame that baselines share, so that only the search for candidates differs: per modality a model is trained as in
// a round and the baseline finds r candidates, which are scored exactly in every modality and fused by rank
// (Exquisitor §3.3). Without positives a round explores; without negatives random items stand in, as in round.ts.

import { fuse } from '../../src/fusion.ts';
import type { Collection, Modality } from '../../src/index/open.ts';
import { trainLinearSvm } from '../../src/models/linear-svm.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { trainRocchio } from '../../src/models/rocchio.ts';
import { native } from '../../src/native.ts';
import { ROCCHIO_DEFAULTS, ROUND_DEFAULTS } from '../../src/round-request.ts';
import type { Baseline } from './baseline.ts';
import { choiceParameter, wholeParameter } from './parameters.ts';
import type { System, SystemRequest } from './system.ts';
import { concatenated, drawUnseen, takenItems } from './unseen.ts';

/** Parameters of every baseline in this frame: r, and the one modality to take part instead of all. */
export const FRAME_KEYS = ['candidates', 'modality'] as const;

export type Trainer = 'linear_svm' | 'rocchio';

export interface MultimodalOptions {
  readonly name: string;
  readonly collection: Collection;
  readonly parameters: ReadonlyMap<string, string>;
  readonly trainer: Trainer;
  /** Makes the search of one modality. */
  readonly baseline: (modality: Modality) => Baseline;
  /** Candidates that the search finds at most, where that may be fewer than r. */
  readonly mostCandidates?: number;
  /** Parameters of the search with their values, to be reported. */
  readonly reported: Readonly<Record<string, number | string | boolean>>;
}

/** No modality's name: those are lower-case words. */
const ALL_MODALITIES = '*';
/** r at most: every item of the largest collection. */
const MOST_CANDIDATES = 2 ** 32 - 1;
/** Random negatives where only positives are given, as in round.ts. */
const PSEUDO_NEGATIVES = 100;

export function multimodalSystem(options: MultimodalOptions): System {
  const { name, collection, parameters, trainer } = options;
  const wanted = wholeParameter(parameters, 'candidates', ROUND_DEFAULTS.candidates, 1, MOST_CANDIDATES);
  const candidates = Math.min(wanted, options.mostCandidates ?? MOST_CANDIDATES);
  const modalities = chosenModalities(collection, parameters);
  const baselines = modalities.map(options.baseline);
  return {
    name,
    parameters: {
      modality: modalities.map((modality) => modality.name).join('+'),
      model: trainer,
      candidates,
      ...options.reported,
    },
    suggest(request) {
      const taken = takenItems(request);
      const { k, seed } = request;
      if (request.positive.length === 0) return drawUnseen(collection.items, k, taken, seed, 'random items');
      const negative =
        request.negative.length > 0
          ? request.negative
          : drawUnseen(collection.items, PSEUDO_NEGATIVES, taken, seed, 'random items');
      const models = modalities.map((modality) => trained(modality, { ...request, negative }, trainer));
      const found: Uint32Array[] = [];
      let skip = taken;
      models.forEach((model, m) => {
        const own = (baselines[m] as Baseline).search(model, { most: Math.max(candidates, k), least: k, skip });
        found.push(own);
        skip = concatenated([skip, own]).sort();
      });
      const items = concatenated(found);
      const ranked = modalities.map(({ cells }, m) => {
        const { weights, bias } = models[m] as LinearModel;
        const scores = new Float64Array(items.length);
        native.scoreItems(native.linearHead(cells, weights, bias), items, scores);
        return { weight: 1, scores };
      });
      return fuse(items, ranked)
        .order.subarray(0, k)
        .map((candidate) => items[candidate] as number);
    },
  };
}

/** The modalities that take part: all, or the one that `modality=NAME` names. */
export function chosenModalities(collection: Collection, parameters: ReadonlyMap<string, string>): readonly Modality[] {
  const names = [...collection.modalities.keys()];
  const name = choiceParameter(parameters, 'modality', ALL_MODALITIES, [ALL_MODALITIES, ...names]);
  return [...collection.modalities.values()].filter((one) => name === ALL_MODALITIES || one.name === name);
}

/** The model that a round with its defaults trains for one modality. */
export function trained(
  modality: Modality,
  { positive, negative, seed }: Pick<SystemRequest, 'positive' | 'negative' | 'seed'>,
  trainer: Trainer = 'linear_svm',
): LinearModel {
  const { dims, ratio } = modality.manifest;
  const perRow = ratio?.items.features ?? dims;
  const items = concatenated([positive, negative]);
  const values = new Float32Array(items.length * perRow);
  const ids = new Uint32Array(ratio === undefined ? 0 : values.length);
  native.decodeItems(modality.cells, items, ids, values);
  const labels = Int8Array.from(items, (_, i) => (i < positive.length ? 1 : -1));
  const rows = { dims, perRow, ids: ratio === undefined ? null : ids, values, labels };
  if (trainer === 'rocchio') return trainRocchio(rows, ROCCHIO_DEFAULTS);
  return trainLinearSvm(rows, { ...ROUND_DEFAULTS.model, seed });
}
