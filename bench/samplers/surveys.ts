// The exact and the fast form of a survey over the same heads.

import { CollectionSamples } from '../../src/collection-sample.ts';
import { GridCells } from '../../src/grid-cells.ts';
import { trainHeads } from '../../src/heads.ts';
import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { SampledGrids } from '../../src/sampled-cells.ts';
import { SampledSurvey } from '../../src/sampled-survey.ts';
import { type Spaces, spacesOf } from '../../src/spaces.ts';
import { ExactSurvey } from '../../src/survey.ts';
import { mean, short } from '../measure.ts';
import { requestOf } from './mixes.ts';

export interface Surveys {
  readonly exact: ExactSurvey;
  readonly fast: () => SampledSurvey;
  readonly grids: GridCells;
  readonly spaces: Spaces;
  readonly positive: Uint32Array;
  /** Labelled items, ascending. */
  readonly skip: Uint32Array;
}

export type Row = Readonly<Record<string, string>>;

/** Those of every label set; what one keeps of the collection serves all. */
export function surveysOf(collection: Collection, sets: readonly LabelSet[]): readonly Surveys[] {
  const grids = new GridCells();
  const samples = new CollectionSamples();
  const sampledGrids = new SampledGrids();
  return sets.map((labels) => {
    const request = requestOf(collection, labels);
    const skip = Uint32Array.of(...labels.positive, ...labels.negative).sort();
    const { heads } = trainHeads(collection, request, skip);
    const spaces = spacesOf(collection, request.modalities);
    const { generation, manifest } = collection;
    const of = { heads, spaces, generation, sizeLimit: manifest.build.size_limit, skip, admitted: null };
    return {
      exact: new ExactSurvey(heads, spaces, request, generation, grids),
      fast: () => new SampledSurvey(of, request, () => samples.of(collection), sampledGrids),
      grids,
      spaces,
      positive: labels.positive,
      skip,
    };
  });
}

/** One number of every label set, summed up. */
export function spreadOf(what: string, values: readonly number[]): Row {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return { what, mean: short(mean(values)), least: short(least), most: short(most) };
}

/** The first `count` of `items` that are wanted. */
export function first(items: Iterable<number>, count: number, wanted: (item: number) => boolean): readonly number[] {
  const out: number[] = [];
  for (const item of items) {
    if (!wanted(item)) continue;
    out.push(item);
    if (out.length === count) break;
  }
  return out;
}
