// A round as it is written for clients: snake_case objects, the same over HTTP and on the command line.

import type { Keys } from './index/open.ts';
import type { RoundResult } from './round-request.ts';
import { SAMPLERS, type SamplerName } from './samplers/sampler.ts';

export interface SuggestedItem {
  id: number;
  key?: string;
  score: number;
  source: SamplerName;
  modalities: Record<string, { score: number; rank: number }>;
}

/** One object per suggestion, best first. */
export function suggestedItems(
  { items, scores, sources, modalities }: RoundResult,
  keys: Keys | null,
): SuggestedItem[] {
  const rows: SuggestedItem[] = new Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const id = items[i] as number;
    const byModality: SuggestedItem['modalities'] = {};
    for (const { name, scores, ranks } of modalities) {
      byModality[name] = { score: scores[i] as number, rank: ranks[i] as number };
    }
    const score = scores[i] as number;
    const source = sourceOf(sources[i] as number);
    rows[i] = { id, ...(keys === null ? {} : { key: keys.keyOf(id) }), score, source, modalities: byModality };
  }
  return rows;
}

/** The sampler of a place in RoundResult.sources. */
export function sourceOf(place: number): SamplerName {
  return SAMPLERS[place] as SamplerName;
}

/** What was learnt from, who suggested, and how much was looked at. */
export function roundAccount({ model, mix, coverage }: RoundResult) {
  const takesPart = ([, { share, suggested }]: [string, RoundResult['mix'][SamplerName]]) => share + suggested > 0;
  return {
    mix: Object.fromEntries(Object.entries(mix).filter(takesPart)) as Partial<RoundResult['mix']>,
    model: {
      kind: model.kind,
      positives: model.positives,
      negatives: model.negatives,
      pseudo_negatives: model.pseudoNegatives,
    },
    coverage: {
      clusters_read: coverage.clustersRead,
      items_scored: coverage.itemsScored,
      clusters_omitted: coverage.clustersOmitted,
      items_omitted: coverage.itemsOmitted,
      similar_omitted: coverage.similarOmitted,
      ...(coverage.itemsPassing === undefined ? {} : { items_passing: coverage.itemsPassing }),
      ...(coverage.survey === undefined ? {} : { survey: coverage.survey }),
      complete: coverage.complete,
    },
  };
}
