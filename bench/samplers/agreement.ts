// The fast forms of the samplers beside the exact ones over the same heads: thresholds, draws, near items, cells.

import { LEAST_ITEMS, sampleOf } from '../../src/collection-sample.ts';
import { gridKey } from '../../src/grid-cells.ts';
import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { moments } from '../../src/moments.ts';
import { grid } from '../../src/samplers/grid.ts';
import { thresholdOf } from '../../src/samplers/random.ts';
import type { GridOptions, Survey } from '../../src/samplers/sampler.ts';
import { uniformity } from './draws.ts';
import { nearRecalls } from './near.ts';
import { first, type Row, type Surveys, spreadOf, surveysOf } from './surveys.ts';

export interface Agreement {
  readonly sets: number;
  readonly rows: readonly Row[];
}

const ALPHAS = [1, 2, 3] as const;
/** Items of a sample: the fewest of long vectors, and fewer. */
const SIZES = [LEAST_ITEMS, 40_960] as const;
const CELLS = 25;
const GRIDS: readonly GridOptions[] = [
  { components: 3, segments: 10, zeta: 1 },
  { components: 3, segments: 10, zeta: 0.7 },
  { components: 2, segments: 6, zeta: 1 },
];

export function agreementOf(collection: Collection, sets: readonly LabelSet[]): Agreement {
  const cases = surveysOf(collection, sets);
  const rows = [
    ...ALPHAS.map((alpha) =>
      spreadOf(
        `threshold alpha=${alpha}: |error| / deviation`,
        cases.map((of) => thresholdError(of, alpha)),
      ),
    ),
    ...SIZES.flatMap((size) =>
      ALPHAS.map((alpha) =>
        spreadOf(
          `threshold alpha=${alpha} of a sample of ${size}: |error| / deviation`,
          cases.map((of) => samplingError(of, alpha, size)),
        ),
      ),
    ),
    ...ALPHAS.slice(1).map((alpha) => uniformity(cases, alpha)),
    ...nearRecalls(cases),
    ...GRIDS.flatMap((options) => {
      const { components, segments, zeta } = options;
      const compared = cases.map((of) => cellsCompared(of, collection.generation, options));
      const name = `grid ${components} x ${segments}, zeta=${zeta}`;
      return [
        spreadOf(
          `${name}: same of the ${CELLS} best cells`,
          compared.map(({ cells }) => cells),
        ),
        spreadOf(
          `${name}: same item in them`,
          compared.map(({ items }) => items),
        ),
      ];
    }),
  ];
  return { sets: sets.length, rows };
}

/** Thresholds of standardised scores: those of several modalities are sums of such in both forms. */
function thresholdError({ exact, fast }: Surveys, alpha: number): number {
  const truth = exact.moments();
  const estimate = fast().moments();
  if (truth === null || estimate === null) throw new Error('a survey without a deadline passed it');
  return Math.abs(thresholdOf(estimate, alpha) - thresholdOf(truth, alpha)) / truth.deviation;
}

/** What the size of a sample alone does, its scores being exact. */
function samplingError({ exact }: Surveys, alpha: number, size: number): number {
  const scores = exact.scores();
  if (scores === null) throw new Error('a survey without a deadline passed it');
  const truth = moments(scores);
  const sample = Float64Array.from(sampleOf(scores.length, size), (item) => scores[item] as number);
  return Math.abs(thresholdOf(moments(sample), alpha) - thresholdOf(truth, alpha)) / truth.deviation;
}

function cellsCompared(
  { exact, fast, grids, spaces, positive, skip }: Surveys,
  generation: string,
  options: GridOptions,
) {
  const labelled = new Set(skip);
  const chosen = (survey: Survey): readonly number[] =>
    first(grid({ survey, positive, isFree: (item) => !labelled.has(item), seed: 0 }, options), CELLS, () => true);
  const truth = chosen(exact);
  const found = chosen(fast());
  const { components, segments } = options;
  const scan = { workers: 1, deadlineMs: Number.POSITIVE_INFINITY };
  const cells = grids.of(gridKey(generation, spaces, components, segments), spaces, components, segments, scan);
  const cellsOf = (items: readonly number[]): Set<number> => new Set(items.map((item) => cells?.[item] as number));
  const wanted = cellsOf(truth);
  return {
    cells: [...cellsOf(found)].filter((cell) => wanted.has(cell)).length / wanted.size,
    items: found.filter((item) => truth.includes(item)).length / truth.length,
  };
}
