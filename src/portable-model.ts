// The trained model of a round in a form that scores vectors anywhere, as plain JSON; docs/http.md says how.

import { createHash } from 'node:crypto';
import type { Collection } from './index/open.ts';
import { isMlp, type Model } from './models/model.ts';
import type { RoundResult } from './round-request.ts';

/** Significant digits that tell any two floats apart. */
const DIGITS = 9;

interface PortableLayer {
  /** A row per unit. */
  weights: number[][];
  bias: number[];
}

export interface PortableModel {
  format: 'farsight-model';
  version: 1;
  kind: string;
  feature_space: string;
  index: { generation: string; items: number };
  fusion: 'score' | 'weighted_mean_rank';
  modalities: Record<
    string,
    {
      weight: number;
      codec: string;
      dims: number;
      normalize: boolean;
      features: number | null;
      max_value_error: number;
      activation: 'relu';
      layers: PortableLayer[];
    }
  >;
}

/** The models of a round over the collection it was trained on. */
export function portableModel(collection: Collection, round: Pick<RoundResult, 'model' | 'trained'>): PortableModel {
  const modalities: PortableModel['modalities'] = {};
  for (const { name, weight, model } of round.trained) {
    const modality = collection.modalities.get(name);
    if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
    const { codec, dims, normalize, ratio, statistics } = modality.manifest;
    modalities[name] = {
      weight,
      codec,
      dims,
      normalize,
      features: ratio?.items.features ?? null,
      max_value_error: statistics.max_value_error,
      activation: 'relu',
      layers: layersOf(model, dims),
    };
  }
  return {
    format: 'farsight-model',
    version: 1,
    kind: round.model.kind,
    feature_space: featureSpaceOf(collection),
    index: { generation: collection.generation, items: collection.items },
    fusion: round.trained.length === 1 ? 'score' : 'weighted_mean_rank',
    modalities,
  };
}

/**
 * Equal for collections whose vectors mean the same to a model as far as the index can tell: names, dimensions,
 * normalisation, and the files the vectors came from.
 */
export function featureSpaceOf({ manifest }: Collection): string {
  const spaces = manifest.modalities.map(({ name, dims, normalize, codec, ratio, source }) => [
    name,
    dims,
    normalize,
    codec,
    ratio?.items.features ?? null,
    source.files.map(({ sha256 }) => sha256),
  ]);
  return createHash('sha256').update(JSON.stringify(spaces)).digest('hex').slice(0, 32);
}

function layersOf(model: Model, dims: number): PortableLayer[] {
  if (!isMlp(model)) return [{ weights: [numbers(model.weights)], bias: [model.bias] }];
  let at = 0;
  const take = (count: number): number[] => {
    at += count;
    return numbers(model.parameters.subarray(at - count, at));
  };
  return [...model.hidden, 1].map((units, layer) => {
    const inputs = layer === 0 ? dims : (model.hidden[layer - 1] as number);
    return { weights: Array.from({ length: units }, () => take(inputs)), bias: take(units) };
  });
}

function numbers(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(DIGITS)));
}
