// How a round learns of its collection: looking at every item or at parts of it, and what a thread keeps of that from one
// round to the next, so that surveys do not start over. Answers do not depend on what is kept.

import { CollectionSamples, isSampled } from './collection-sample.ts';
import { GridCells } from './grid-cells.ts';
import type { Head } from './head.ts';
import type { Collection } from './index/open.ts';
import { QueryDistances } from './query-distances.ts';
import type { RoundRequest } from './round-request.ts';
import { SampledGrids } from './sampled-cells.ts';
import { SampledSurvey } from './sampled-survey.ts';
import type { Spaces } from './spaces.ts';
import { ExactSurvey } from './survey.ts';

export type RoundSurvey = ExactSurvey | SampledSurvey;

export class SurveyMemory {
  readonly #grids = new GridCells();
  readonly #distances = new QueryDistances();
  readonly #samples = new CollectionSamples();
  readonly #sampledGrids = new SampledGrids();

  /** Makes the sample of a collection that rounds look at by sample, so that none of them has to. */
  prepare(collection: Collection): void {
    if (!isSampled(collection.items)) return;
    const sample = this.#samples.of(collection);
    for (const modality of collection.modalities.values()) sample.cellsOf(modality);
  }

  /** Exact, unless the collection is too large and nobody asked that every item be scored. */
  survey(
    collection: Collection,
    heads: readonly Head[],
    spaces: Spaces,
    request: Pick<RoundRequest, 'survey' | 'exhaustive' | 'workers' | 'deadlineMs'>,
    skip: Uint32Array,
    admitted: Uint32Array | null,
  ): RoundSurvey {
    const { generation, items, manifest } = collection;
    const bySize = request.exhaustive || !isSampled(items) ? 'exact' : 'sampled';
    if ((request.survey === 'by size' ? bySize : request.survey) === 'exact') {
      return new ExactSurvey(heads, spaces, request, generation, this.#grids, this.#distances);
    }
    const of = { heads, spaces, generation, sizeLimit: manifest.build.size_limit, skip, admitted };
    return new SampledSurvey(of, request, () => this.#samples.of(collection), this.#sampledGrids);
  }
}
