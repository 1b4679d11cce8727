// Times of whole rounds over the b best clusters and over every item, and what the former find of the latter.

import { DecodedRows } from '../../src/decoded-rows.ts';
import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest, type RoundResult } from '../../src/round-request.ts';
import { SurveyMemory } from '../../src/survey-memory.ts';
import { compare, type Measurement, mean } from '../measure.ts';

export interface RoundTimes extends Measurement {
  readonly labels: number;
  readonly clusters: number;
  /** Whether the rows of all labels were kept from earlier rounds, as those of a session are but for its new labels. */
  readonly kept: boolean;
  /** Whether near-duplicates wait, as in rounds that name no diversity. */
  readonly diverse: boolean;
  readonly itemsScored: number;
  /** Mean share of the exhaustive round's suggestions, over the first RECALL_SETS. */
  readonly recall: number;
}

const FORMS = [
  ...[1, 16, 64, 256, 512].map((clusters) => ({ clusters, kept: false, diverse: false })),
  { clusters: 256, kept: true, diverse: false },
  { clusters: 256, kept: true, diverse: true },
] as const;
const KEPT_BYTES = 1 << 28;
const SEGMENTS = 16;
/** With 50 sets 500 rounds of each form, so that the worst of a hundred is met a few times. */
const REPETITIONS = 10;
const RECALL_SETS = 10;
/** Exhaustive rounds read everything: fewer of them say as much. */
const EXHAUSTIVE_SETS = 5;
const EXHAUSTIVE_REPETITIONS = 2;

export function measureRounds(collection: Collection, sets: readonly LabelSet[]): readonly RoundTimes[] {
  const memory = new SurveyMemory();
  const rows = { kept: new DecodedRows(KEPT_BYTES), none: new DecodedRows(0) };
  const run = (set: number, form: Partial<RoundRequest>, decoded = rows.none): RoundResult =>
    round(collection, requestOf(collection, sets[set] as LabelSet, form), () => {}, memory, decoded);
  const searchOf = ({ clusters, diverse }: (typeof FORMS)[number]): Partial<RoundRequest> => ({
    clusters,
    diversity: diverse ? null : 1,
    segments: Math.min(SEGMENTS, clusters),
  });
  for (let set = 0; set < sets.length; set++) run(set, {}, rows.kept);
  const contestants = FORMS.map((form) => ({
    name: `b=${form.clusters}${form.kept ? ', rows kept' : ''}${form.diverse ? ', diverse' : ''}`,
    run: (set: number) => run(set, searchOf(form), form.kept ? rows.kept : rows.none),
  }));
  const measured = compare(contestants, { inputs: sets.length, repetitions: REPETITIONS });
  const few = sets.slice(0, RECALL_SETS);
  const exact = few.map((_, set) => new Set(run(set, { exhaustive: true }).items));
  const [{ positive, negative }] = sets as [LabelSet];
  return measured.map((measurement, f) => {
    const form = FORMS[f] as (typeof FORMS)[number];
    const found = few.map((_, set) => run(set, searchOf(form)));
    return {
      ...measurement,
      labels: positive.length + negative.length,
      ...form,
      itemsScored: mean(found.map(({ coverage }) => coverage.itemsScored)),
      recall: mean(
        found.map(
          ({ items }, set) => items.filter((item) => (exact[set] as Set<number>).has(item)).length / items.length,
        ),
      ),
    };
  });
}

export function measureExhaustive(collection: Collection, sets: readonly LabelSet[]): readonly Measurement[] {
  const few = sets.slice(0, EXHAUSTIVE_SETS);
  const contestants = [1, 2].map((workers) => ({
    name: `exhaustive w=${workers}`,
    run: (set: number) => round(collection, requestOf(collection, few[set] as LabelSet, { exhaustive: true, workers })),
  }));
  return compare(contestants, { inputs: few.length, repetitions: EXHAUSTIVE_REPETITIONS });
}

function requestOf(collection: Collection, labels: LabelSet, form: Partial<RoundRequest>): RoundRequest {
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
  return { ...ROUND_DEFAULTS, ...labels, exclude: new Uint32Array(0), modalities, diversity: 1, ...form };
}
