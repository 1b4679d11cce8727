// The fast forms of the samplers beside the exact ones over the same heads: thresholds, draws, near items, cells.

import { CollectionSamples } from '../../src/collection-sample.ts';
import { GridCells, gridKey } from '../../src/grid-cells.ts';
import { trainHeads } from '../../src/heads.ts';
import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { SampledGrids } from '../../src/sampled-cells.ts';
import { SampledSurvey } from '../../src/sampled-survey.ts';
import { grid } from '../../src/samplers/grid.ts';
import { thresholdOf } from '../../src/samplers/random.ts';
import type { GridOptions, Survey } from '../../src/samplers/sampler.ts';
import { type Spaces, spacesOf } from '../../src/spaces.ts';
import { ExactSurvey } from '../../src/survey.ts';
import { mean, short } from '../measure.ts';
import { requestOf } from './mixes.ts';

export interface Agreement {
  readonly sets: number;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

const ALPHAS = [1, 2, 3] as const;
const NEAR = 50;
const CELLS = 25;
/** Draws from one head, in classes of equally many items, for the chi-square. */
const DRAWS = 20_000;
const CLASSES = 50;
const GRIDS: readonly GridOptions[] = [
  { components: 3, segments: 10, zeta: 1 },
  { components: 3, segments: 10, zeta: 0.7 },
  { components: 2, segments: 6, zeta: 1 },
];

interface Surveys {
  readonly exact: ExactSurvey;
  readonly fast: () => SampledSurvey;
  readonly spaces: Spaces;
  readonly positive: Uint32Array;
  readonly skip: Uint32Array;
}

export function agreementOf(collection: Collection, sets: readonly LabelSet[]): Agreement {
  const grids = new GridCells();
  const samples = new CollectionSamples();
  const sampledGrids = new SampledGrids();
  const cases = sets.map((labels): Surveys => {
    const request = requestOf(collection, labels);
    const skip = Uint32Array.of(...labels.positive, ...labels.negative).sort();
    const { heads } = trainHeads(collection, request, skip);
    const spaces = spacesOf(collection, request.modalities);
    const { generation, manifest } = collection;
    const of = { heads, spaces, generation, sizeLimit: manifest.build.size_limit, skip, admitted: null };
    return {
      exact: new ExactSurvey(heads, spaces, request, generation, grids),
      fast: () => new SampledSurvey(of, request, () => samples.of(collection), sampledGrids),
      spaces,
      positive: labels.positive,
      skip,
    };
  });
  const rows = [
    ...ALPHAS.map((alpha) =>
      spreadOf(
        `threshold alpha=${alpha}: |error| / deviation`,
        cases.map((of) => thresholdError(of, alpha)),
      ),
    ),
    ...ALPHAS.slice(1).map((alpha) => uniformity(cases[0] as Surveys, alpha)),
    spreadOf(`spread: recall@${NEAR}`, cases.map(nearRecall)),
    ...GRIDS.flatMap((options) => {
      const { components, segments, zeta } = options;
      const compared = cases.map((of) => cellsCompared(of, collection.generation, grids, options));
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

function spreadOf(what: string, values: readonly number[]): Readonly<Record<string, string>> {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return { what, mean: short(mean(values)), least: short(least), most: short(most) };
}

/** Thresholds of standardised scores: those of several modalities are sums of such in both forms. */
function thresholdError({ exact, fast }: Surveys, alpha: number): number {
  const truth = exact.moments();
  const estimate = fast().moments();
  if (truth === null || estimate === null) throw new Error('a survey without a deadline passed it');
  return Math.abs(thresholdOf(estimate, alpha) - thresholdOf(truth, alpha)) / truth.deviation;
}

/** Chi-square of draws over classes of the items that are truly above the fast form's own threshold. */
function uniformity({ exact, fast }: Surveys, alpha: number): Readonly<Record<string, string>> {
  const threshold = thresholdOf(exact.moments() ?? { mean: Number.NaN, deviation: 0 }, alpha);
  const scores = exact.scores() ?? new Float64Array(0);
  const above = [...scores.keys()].filter((item) => (scores[item] as number) > threshold);
  const place = new Map(above.map((item, i) => [item, i]));
  const counts = new Float64Array(CLASSES);
  const survey = fast();
  let drawn = 0;
  let outside = 0;
  for (let seed = 0; drawn < DRAWS; seed++) {
    let left = 25;
    for (const item of survey.above(threshold, seededRandom(seed, 'chi-square'))) {
      const at = place.get(item);
      if (at === undefined) outside++;
      else
        counts[Math.floor((at * CLASSES) / above.length)] =
          1 + (counts[Math.floor((at * CLASSES) / above.length)] as number);
      drawn++;
      if (--left === 0) break;
    }
    if (left === 25) break;
  }
  const expected = (drawn - outside) / CLASSES;
  const square = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // Of k - 1 degrees of freedom the statistic has that mean and variance 2 (k - 1).
  const deviations = (square - (CLASSES - 1)) / Math.sqrt(2 * (CLASSES - 1));
  return {
    what: `random alpha=${alpha}: ${above.length} above, ${drawn} draws, ${outside} outside; chi-square of ${CLASSES} classes, in deviations`,
    mean: short(deviations),
  };
}

/** Share of the fast form's first items that are no farther than the last of as many of the exact form. */
function nearRecall({ exact, fast, spaces, positive, skip }: Surveys): number {
  const labelled = new Set(skip);
  const truth = first(exact.nearest(positive), NEAR, (item) => !labelled.has(item));
  const found = first(fast().nearest(positive), NEAR, (item) => !labelled.has(item));
  const cells = spaces.modalities.map((modality) => modality.cells);
  const distances = (items: readonly number[]): Float64Array => {
    const out = new Float64Array(items.length);
    native.nearestOfItems(cells, spaces.weights, positive, Uint32Array.from(items), out);
    return out;
  };
  const limit = Math.max(...distances(truth));
  return distances(found).filter((distance) => distance <= limit).length / NEAR;
}

function cellsCompared(
  { exact, fast, spaces, positive, skip }: Surveys,
  generation: string,
  grids: GridCells,
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

function first(items: Iterable<number>, count: number, wanted: (item: number) => boolean): readonly number[] {
  const out: number[] = [];
  for (const item of items) {
    if (!wanted(item)) continue;
    out.push(item);
    if (out.length === count) break;
  }
  return out;
}
