// The fast forms of the samplers beside the exact ones, which samplers.test.ts checks against plain arithmetic.

import t from 'tap';
import { CollectionSamples, isSampled } from '../../src/collection-sample.ts';
import { exactCells, GridCells } from '../../src/grid-cells.ts';
import { trainHeads } from '../../src/heads.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { ROCCHIO_DEFAULTS, type RoundRequest, type RoundResult } from '../../src/round-request.ts';
import { SampledGrids } from '../../src/sampled-cells.ts';
import { SampledSurvey } from '../../src/sampled-survey.ts';
import { thresholdOf } from '../../src/samplers/random.ts';
import { SAMPLERS, type SamplerName } from '../../src/samplers/sampler.ts';
import { type Spaces, spacesOf } from '../../src/spaces.ts';
import { ExactSurvey } from '../../src/survey.ts';
import { randomLabels, requestOf, twoModalities } from '../data.ts';

/** A few more than a sample holds at most. */
const ITEMS = 300_000;
const collection = await twoModalities(t, ITEMS, { clusterSize: 100, threads: 2, grid: true });
const { generation, manifest } = collection;
const samples = new CollectionSamples();
const sampledGrids = new SampledGrids();
const grids = new GridCells();
const LABELS = Array.from({ length: 3 }, (_, seed) => randomLabels(seededRandom(seed, 'labels'), ITEMS, 20, 60));

function surveysOf(labels: Pick<RoundRequest, 'positive' | 'negative'>, change: Partial<RoundRequest> = {}) {
  const request = requestOf(collection, { ...labels, ...change });
  const skip = Uint32Array.of(...labels.positive, ...labels.negative).sort();
  const { heads } = trainHeads(collection, request, skip);
  const spaces = spacesOf(collection, request.modalities);
  const of = { heads, spaces, generation, sizeLimit: manifest.build.size_limit, skip, admitted: null };
  return {
    spaces,
    skip: new Set(skip),
    exact: new ExactSurvey(heads, spaces, request, generation, grids),
    fast: new SampledSurvey(of, request, () => samples.of(collection), sampledGrids),
  };
}

function ask(mix: Partial<Record<SamplerName, number>>, change: Partial<RoundRequest>): RoundResult {
  const k = Object.values(mix).reduce((sum, share) => sum + share, 0);
  const shares = { farthest: 0, spread: 0, random: 0, grid: 0, ...mix };
  const [labels] = LABELS as [(typeof LABELS)[number]];
  return round(collection, requestOf(collection, { ...labels, k, mix: shares, survey: 'sampled', ...change }));
}

t.test('collections that are their own sample are looked at whole', async (t) => {
  t.equal(isSampled(2 ** 18), false);
  t.equal(isSampled(ITEMS), true);
  const mix = { farthest: 0, spread: 5, random: 0, grid: 0 };
  const [labels] = LABELS as [(typeof LABELS)[number]];
  const request = requestOf(collection, { ...labels, k: 5, mix });
  const sampled = round(collection, request).coverage;
  t.ok(sampled.itemsScored < ITEMS, 'this one is not');
  t.equal(sampled.survey, 'sampled');
  const exact = round(collection, { ...request, exhaustive: true }).coverage;
  t.equal(exact.itemsScored, 2 * ITEMS, 'unless asked for');
  t.equal(exact.survey, 'exact');
  t.notOk('survey' in round(collection, { ...request, mix: null }).coverage, 'the farthest needs no survey');
});

t.test('thresholds are within 1 % of a standard deviation of the exact ones', async (t) => {
  for (const labels of LABELS) {
    const { exact, fast } = surveysOf(labels);
    const [truth, estimate] = [exact.moments(), fast.moments()];
    if (truth === null || estimate === null) throw new Error('no deadline was set');
    for (const alpha of [0, 1, 2, 3]) {
      const error = Math.abs(thresholdOf(estimate, alpha) - thresholdOf(truth, alpha)) / truth.deviation;
      t.ok(error < 0.01, `${error} at alpha = ${alpha}`);
    }
  }
});

t.test('draws are uniform over the items above the threshold', async (t) => {
  const { exact, fast } = surveysOf(LABELS[0] as (typeof LABELS)[number], { model: ROCCHIO_DEFAULTS });
  const moments = exact.moments();
  const scores = exact.scores();
  if (moments === null || scores === null) throw new Error('no deadline was set');
  const threshold = thresholdOf(moments, 1.5);
  // The fast form standardises by its sample: near the threshold the two may differ about an item.
  const items = [...scores.keys()].filter((item) => (scores[item] as number) > threshold);
  const place = new Map(items.map((item, i) => [item, i]));
  const classes = 40;
  const counts = new Float64Array(classes);
  let outside = 0;
  for (let seed = 0; seed < 200; seed++) {
    let left = 25;
    for (const item of fast.above(threshold, seededRandom(seed, 'draws'))) {
      const at = place.get(item);
      if (at === undefined) outside++;
      else (counts[Math.floor((at * classes) / items.length)] as number) += 1;
      if (--left === 0) break;
    }
    t.equal(left, 0);
  }
  // Density of scores near 1.5 deviations times an error of 1 %: some 2 % of those above, were they normal.
  t.ok(outside < 0.05 * 5000, `${outside} outside`);
  const expected = (5000 - outside) / classes;
  const square = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = classes - 1;
  t.ok(Math.abs(square - freedom) < 5 * Math.sqrt(2 * freedom), `${square} with ${freedom} degrees of freedom`);
});

t.test(
  'a threshold that hardly any item exceeds is left to the best clusters, which hold nearly all above it',
  async (t) => {
    const { exact, fast } = surveysOf(LABELS[1] as (typeof LABELS)[number]);
    const scores = exact.scores();
    if (scores === null) throw new Error('no deadline was set');
    const threshold = scores.slice().sort().at(-60) as number;
    const found = [...fast.above(threshold, seededRandom(1, 'few'))];
    t.equal(new Set(found).size, found.length);
    const right = found.filter((item) => (scores[item] as number) > threshold - 0.05).length;
    t.equal(right, found.length);
    t.ok(found.length >= 0.9 * 59, `${found.length} of 59`);
  },
);

t.test('spread finds 95 of 100 of the items nearest to any query', async (t) => {
  for (const labels of LABELS) {
    const { exact, fast, spaces, skip } = surveysOf(labels);
    const truth = distancesOf(spaces, labels.positive, first(exact.nearest(labels.positive), 50, skip));
    const found = distancesOf(spaces, labels.positive, first(fast.nearest(labels.positive), 50, skip));
    const limit = Math.max(...truth);
    const recall = found.filter((distance) => distance <= limit).length / 50;
    t.ok(recall >= 0.95, `${recall}`);
    t.strictSame(found, found.slice().sort(), 'nearest first');
  }
});

t.test('grid chooses the best cells and their best items, from the index and from a sample alike', async (t) => {
  for (const { options, change, least } of [
    { options: { components: 3, segments: 10, zeta: 1 }, change: {}, least: 0.95 },
    { options: { components: 3, segments: 10, zeta: 0.7 }, change: {}, least: 0.7 },
    { options: { components: 2, segments: 4, zeta: 1 }, change: {}, least: 0.9 },
    {
      options: { components: 2, segments: 4, zeta: 1 },
      change: { modalities: [{ name: 'text', weight: 1 }] },
      least: 0.9,
    },
  ]) {
    const asked = { mix: { farthest: 0, spread: 0, random: 0, grid: 15 }, k: 15, grid: options, ...change };
    const [labels] = LABELS as [(typeof LABELS)[number]];
    const of = (survey: 'exact' | 'sampled') =>
      round(collection, requestOf(collection, { ...labels, ...asked, survey }));
    const [truth, found] = [of('exact'), of('sampled')];
    t.equal(found.mix.grid.suggested, 15);
    const { modalities } = requestOf(collection, change);
    const scan = { workers: 1, deadlineMs: Number.POSITIVE_INFINITY };
    const cells = exactCells(spacesOf(collection, modalities), options.components, options.segments, scan);
    const wanted = new Set(Array.from(truth.items, (item) => cells?.[item]));
    const same = found.items.filter((item) => wanted.has(cells?.[item])).length / 15;
    t.ok(same >= least, `${same} of the cells with ${JSON.stringify(options)}`);
  }
});

t.test('a mix fills every share, and the same seed gives the same bytes at any number of threads', async (t) => {
  const mix = { farthest: 10, spread: 5, random: 5, grid: 5 };
  const change = { seed: 5, diversity: 0.97, grid: { components: 3, segments: 10, zeta: 0.8 } };
  const answer = ask(mix, change);
  t.equal(new Set(answer.items).size, 25);
  for (const [sampler, share] of Object.entries(mix) as [SamplerName, number][]) {
    t.equal([...answer.sources].filter((place) => SAMPLERS[place] === sampler).length, share, sampler);
  }
  t.ok(answer.coverage.complete);
  for (const workers of [2, 5]) t.strictSame(ask(mix, { ...change, workers }), answer);
});

t.test('what a deadline leaves out is handed on, and said', async (t) => {
  const answer = ask({ spread: 5, random: 10, grid: 5 }, { deadlineMs: 1 });
  t.equal(answer.coverage.complete, false);
  t.ok(answer.items.length > 0);
});

function distancesOf({ modalities, weights }: Spaces, queries: Uint32Array, items: readonly number[]): Float64Array {
  const distances = new Float64Array(items.length);
  const cells = modalities.map((modality) => modality.cells);
  native.nearestOfItems(cells, weights, queries, Uint32Array.from(items), distances);
  return distances;
}

function first(items: Iterable<number>, count: number, without: ReadonlySet<number>): readonly number[] {
  const out: number[] = [];
  for (const item of items) {
    if (without.has(item)) continue;
    out.push(item);
    if (out.length === count) break;
  }
  return out;
}
