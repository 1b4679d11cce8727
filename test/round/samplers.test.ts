// The samplers of IRIS against brute force in plain float arithmetic, and their mix: shares, hand-on, diversity, replay.

import t from 'tap';
import type { Collection } from '../../src/index/open.ts';
import { round } from '../../src/round.ts';
import { ROCCHIO_DEFAULTS, type RoundRequest, type RoundResult, STANDARD_DIVERSITY } from '../../src/round-request.ts';
import { SAMPLERS, type SamplerName } from '../../src/samplers/sampler.ts';
import { sweep } from '../../src/sweep.ts';
import { decode, everyItem, modalityOf, modelOf, requestOf, twoModalities } from '../data.ts';

const ITEMS = 1000;
const collection = await twoModalities(t, ITEMS);
const labels = { positive: Uint32Array.of(900, 5, 77), negative: Uint32Array.of(3, 420, 40, 41) };
const labelled = new Set([...labels.positive, ...labels.negative]);
const weights = { visual: 3, text: 1 };
const modalities = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
const vectors = { visual: rowsOf(collection, 'visual'), text: rowsOf(collection, 'text') };

/** Decoded values and double sums differ from the native forms by far less than this, and gaps in the data by more. */
const TOLERANCE = 1e-6;

type Only = Partial<Record<SamplerName, number>>;

function ask(mix: Only | null, change: Partial<RoundRequest> = {}): RoundResult {
  const all = mix === null ? null : { farthest: 0, spread: 0, random: 0, grid: 0, ...mix };
  const k = Object.values(mix ?? { farthest: 25 }).reduce((sum, share) => sum + share, 0);
  return round(collection, requestOf(collection, { ...labels, modalities, k, mix: all, ...change }));
}

/** Unlabelled items that are nearly the same as one. */
function itemsLike(item: number): number[] {
  return [...everyItem(collection)].filter((other) => !labelled.has(other) && cosine(other, item) > 0.9);
}

/** The first item that has several of them. */
function crowdedItem(): number {
  return [...everyItem(collection)].find((item) => itemsLike(item).length > 3) as number;
}

function sourcesOf({ sources }: RoundResult): SamplerName[] {
  return Array.from(sources, (place) => SAMPLERS[place] as SamplerName);
}

t.test('spread suggests the items with the least distance to the query set, over all modalities', async (t) => {
  const queries = { positives: [900, 5, 77], seeds: [900, 5], latest: [5, 77] };
  for (const [from, set] of Object.entries(queries) as [keyof typeof queries, number[]][]) {
    const answer = ask({ spread: 30 }, { spread: { from, count: 2 } });
    const distances = minDistances(set);
    const best = [...everyItem(collection)]
      .filter((item) => !labelled.has(item))
      .sort((a, b) => (distances[a] as number) - (distances[b] as number) || a - b);
    const limit = distances[best[29] as number] as number;
    t.equal(answer.items.length, 30);
    t.ok(
      [...answer.items].every((item) => (distances[item] as number) <= limit + TOLERANCE),
      from,
    );
    t.ok(sourcesOf(answer).every((source) => source === 'spread'));
  }
});

t.test('random suggests only what scores above mean + alpha deviations, and in the end all of it', async (t) => {
  const scores = fusedScores();
  for (const alpha of [-1, 0.5, 1]) {
    const threshold = mean(scores) + alpha * deviation(scores);
    const above = [...everyItem(collection)].filter(
      (item) => (scores[item] as number) > threshold && !labelled.has(item),
    );
    t.ok(
      scores.every((score) => Math.abs(score - threshold) > TOLERANCE),
      'no score that rounding decides',
    );
    const all = ask({ random: above.length }, { random: { alpha } });
    t.strictSame(ascending(all.items), above);
    const more = ask({ random: above.length + 10 }, { random: { alpha } });
    t.strictSame(more.mix.random, { share: above.length + 10, suggested: above.length });
    t.strictSame(more.mix.farthest, { share: 0, suggested: 10 }, 'what it cannot fill is handed on');
    t.ok(more.coverage.complete);
  }
});

t.test('random draws every item above the threshold equally often', async (t) => {
  // Rocchio's head does not depend on the seed, so all draws are from one set.
  const options = { model: ROCCHIO_DEFAULTS, random: { alpha: 1.5 } };
  const all = ask({ random: ITEMS }, options);
  const above = all.items.filter((_, i) => sourcesOf(all)[i] === 'random');
  t.ok(above.length > 20);
  const counts = new Map<number, number>([...above].map((item) => [item, 0]));
  for (let seed = 0; seed < 10 * above.length; seed++) {
    for (const item of ask({ random: 1 }, { ...options, seed }).items) counts.set(item, (counts.get(item) ?? NaN) + 1);
  }
  // Chi-square with above - 1 degrees of freedom: within 5 of its deviations, sqrt(2 (above - 1)), of its mean.
  const square = [...counts.values()].reduce((sum, count) => sum + (count - 10) ** 2 / 10, 0);
  const freedom = above.length - 1;
  t.ok(Math.abs(square - freedom) < 5 * Math.sqrt(2 * freedom), `${square} with ${freedom} degrees of freedom`);
});

t.test('grid suggests the best item of each cell, best cells first', async (t) => {
  const scores = standardised(fusedScores());
  const distances = standardised(minDistances([...labels.positive]).map(Math.sqrt));
  for (const [zeta, segments] of [
    [1, 4],
    [0.6, 4],
    [0, 3],
  ] as const) {
    const values = scores.map((score, item) => zeta * score + (1 - zeta) * (distances[item] as number));
    const cells = segments ** 2;
    const answer = ask({ grid: ITEMS - 7 }, { grid: { components: 2, segments, zeta } });
    const chosen = [...answer.items].filter((_, i) => sourcesOf(answer)[i] === 'grid');
    t.ok(chosen.length <= cells && chosen.length > cells / 2, `${chosen.length} of ${cells} cells have an item`);
    t.equal(answer.mix.farthest.suggested, ITEMS - 7 - chosen.length);
    // Best cells first: with a share of n, the n best of them.
    const few = ask({ grid: 3 }, { grid: { components: 2, segments, zeta } });
    const best = chosen.sort((a, b) => (values[b] as number) - (values[a] as number)).slice(0, 3);
    t.strictSame(
      ascending(few.items),
      best.sort((a, b) => a - b),
    );
    t.equal(Math.max(...best.map((item) => values[item] as number)), maximum(values), 'the best of all is among them');
  }
});

t.test('a mix gives each sampler its share, no item twice, scores descending', async (t) => {
  const mix = { farthest: 10, spread: 6, random: 5, grid: 4 };
  for (const search of [{}, { exhaustive: true }, { modalities: [{ name: 'visual', weight: 1 }] }]) {
    const answer = ask(mix, { ...search, random: { alpha: 0 } });
    t.equal(new Set(answer.items).size, 25);
    t.notOk([...answer.items].some((item) => labelled.has(item)));
    const sources = sourcesOf(answer);
    for (const [sampler, share] of Object.entries(mix) as [SamplerName, number][]) {
      t.equal(sources.filter((source) => source === sampler).length, share, sampler);
      t.strictSame(answer.mix[sampler], { share, suggested: share });
    }
    t.ok(answer.scores.every((score, i) => i === 0 || score <= (answer.scores[i - 1] as number)));
    t.ok(answer.coverage.complete);
    const farthest = ask({ farthest: 10 }, search).items;
    t.ok(
      farthest.every((item) => sources[answer.items.indexOf(item)] === 'farthest'),
      'the farthest are those of a round of farthest alone',
    );
  }
});

t.test('a mix of farthest alone is a round without a mix', async (t) => {
  t.strictSame(ask({ farthest: 25 }), ask(null));
});

t.test('scores of items that only another sampler found are the heads own', async (t) => {
  const one = [{ name: 'visual', weight: 1 }];
  const answer = ask({ random: 20 }, { modalities: one, random: { alpha: -10 } });
  const scores = headScores('visual', one);
  t.ok(
    [...answer.items].every((item, i) => Math.abs((answer.scores[i] as number) - (scores[item] as number)) < TOLERANCE),
  );
  t.equal(answer.coverage.clustersRead, 0, 'nothing was asked of the farthest');
});

t.test('no two suggestions are more similar than the diversity, whoever suggests them', async (t) => {
  const mix = { farthest: 10, spread: 10, random: 5, grid: 5 };
  for (const [diversity, change] of [
    [0.9, {}],
    [0.85, {}],
    [0.7, { positive: new Uint32Array(0) }],
    [0.9, { exhaustive: true, candidates: 1 }],
  ] as const) {
    const answer = ask(mix, { diversity, ...change, random: { alpha: 0 } });
    t.equal(answer.items.length, 30);
    t.ok(greatestCosine(answer.items) <= diversity + TOLERANCE, `${greatestCosine(answer.items)} at ${diversity}`);
    t.ok(greatestCosine(ask(mix, { ...change, random: { alpha: 0 } }).items) > diversity, 'without it they are');
    t.ok(answer.coverage.similarOmitted > 0);
  }
});

t.test('with a diversity the farthest are what a greedy pass over the ranking keeps', async (t) => {
  const ranking = ask(null, { k: ITEMS - 7, exhaustive: true }).items;
  const kept: number[] = [];
  for (const item of ranking) {
    if (kept.length < 25 && kept.every((other) => cosine(item, other) <= 0.9)) kept.push(item);
  }
  // 1 candidate per modality: the search is widened until 25 unlike items are found.
  for (const candidates of [ITEMS, 1]) {
    const answer = ask(null, { diversity: 0.9, exhaustive: true, candidates });
    if (candidates === ITEMS)
      t.strictSame(
        ascending(answer.items),
        kept.sort((a, b) => a - b),
      );
    t.equal(answer.items.length, 25);
  }
});

t.test('a diversity that nothing passes leaves the round short, and it says so', async (t) => {
  const answer = ask(null, { diversity: -1 });
  t.equal(answer.items.length, 1);
  t.equal(answer.coverage.complete, false);
  t.equal(answer.coverage.similarOmitted, ITEMS - 8, 'every other item was looked at');
});

t.test(
  'rounds that name no diversity keep out what is like a better item, but not what is like a positive',
  async (t) => {
    const { limit, wantedLimit, mostWanted } = STANDARD_DIVERSITY;
    const crowded = Uint32Array.of(crowdedItem());
    const others = everyItem(collection).filter((item) => item > 500 && !labelled.has(item) && !crowded.includes(item));
    const many = Uint32Array.of(...crowded, ...others.subarray(0, mostWanted)); // the first is too long ago
    for (const positive of [labels.positive, crowded, many]) {
      const options = { positive, exhaustive: true, candidates: ITEMS } as const;
      const ranking = ask(null, { ...options, k: ITEMS - 200, diversity: 1 }).items;
      const last = positive.slice(-mostWanted);
      const kept: number[] = [];
      let spared = 0;
      for (const item of ranking) {
        if (kept.length === 25) break;
        const isLike = kept.some((other) => cosine(item, other) > limit);
        const isWanted = last.some((other) => cosine(item, other) > wantedLimit);
        if (!isLike || isWanted) kept.push(item);
        if (isLike && isWanted) spared++;
      }
      const answer = ask(null, { ...options, diversity: null });
      t.strictSame(ascending(answer.items), ascending(Uint32Array.from(kept)));
      t.ok(answer.coverage.similarOmitted > 0);
      t.ok(spared > 0 || positive !== crowded, `${spared} that are like a positive`);
    }
    const mixed = { farthest: 21, spread: 10, random: 10, grid: 10 };
    t.strictSame(ask(mixed, { diversity: null }), ask(mixed, { diversity: 1 }), 'past 50, as they come');
  },
);

t.test('where no diversity is named, similar items come before none, the best of them first', async (t) => {
  const left = new Set(itemsLike(crowdedItem()));
  const isWanted = (item: number) =>
    labels.positive.some((other) => cosine(item, other) > STANDARD_DIVERSITY.wantedLimit);
  t.notOk([...left].some(isWanted), 'none of them is spared');
  const exclude = everyItem(collection).filter((item) => !left.has(item) && !labelled.has(item));
  const among = { exclude, exhaustive: true } as const;
  const ranking = ask(null, { ...among, k: left.size }).items;
  const k = left.size - 1;
  const strict = ask(null, { ...among, k, diversity: STANDARD_DIVERSITY.limit });
  t.notOk(strict.coverage.complete);
  t.ok(strict.items.length < k);
  const filled = ask(null, { ...among, k, diversity: null });
  t.ok(filled.coverage.complete);
  const passed = ranking.filter((item) => !strict.items.includes(item));
  const best = passed.slice(0, k - strict.items.length);
  t.strictSame(ascending(filled.items), ascending(Uint32Array.of(...strict.items, ...best)));
  t.equal(filled.coverage.similarOmitted, 1);
  t.ok(
    filled.scores.every((score, i) => i === 0 || score <= (filled.scores[i - 1] as number)),
    'scores descend',
  );
});

t.test('the diversity of a round looks at what earlier pages showed', async (t) => {
  const shown = ask(null, { diversity: 0.9, k: 10 }).items;
  const page = ask(null, { diversity: 0.9, k: 15, exclude: shown, shown }).items;
  t.ok(greatestCosine(Uint32Array.of(...shown, ...page)) <= 0.9 + TOLERANCE);
  t.ok(greatestCosine(Uint32Array.of(...shown, ...ask(null, { diversity: 0.9, k: 15, exclude: shown }).items)) > 0.9);
  const many = everyItem(collection).subarray(500, 540);
  const past = { k: 11, exclude: many, shown: many };
  t.strictSame(ask(null, { ...past, diversity: null }), ask(null, { ...past, diversity: 1 }), 'past 50, the ranking');
});

t.test('without positives every sampler explores', async (t) => {
  const answer = ask({ farthest: 5, spread: 5, grid: 5 }, { positive: new Uint32Array(0) });
  t.ok(sourcesOf(answer).every((source) => source === 'random'));
  t.strictSame(answer.mix.random, { share: 0, suggested: 15 });
  t.strictSame(answer.mix.spread, { share: 5, suggested: 0 });
});

t.test(
  'past the deadline the samplers that look at everything hand on, and the round says that it is not all',
  async (t) => {
    const answer = ask({ spread: 10, random: 10, grid: 5 }, { deadlineMs: 1 });
    t.strictSame(new Set(sourcesOf(answer)), new Set(['farthest']));
    t.ok(answer.items.length > 0);
    t.equal(answer.coverage.complete, false);
  },
);

t.test('the same seed gives the same bytes at any number of threads, another one another draw', async (t) => {
  const mix = { farthest: 5, spread: 5, random: 10, grid: 5 };
  const first = ask(mix, {
    seed: 4,
    random: { alpha: 0 },
    diversity: 0.95,
    grid: { components: 3, segments: 5, zeta: 0.5 },
  });
  for (const workers of [1, 2, 3, 16]) {
    const again = ask(mix, {
      seed: 4,
      workers,
      random: { alpha: 0 },
      diversity: 0.95,
      grid: { components: 3, segments: 5, zeta: 0.5 },
    });
    t.strictSame(again, first, `w = ${workers}`);
  }
  t.notSame(ask({ random: 10 }, { seed: 5 }).items, ask({ random: 10 }, { seed: 4 }).items);
});

t.test('a sweep finds what scores above the threshold', async (t) => {
  const request = requestOf(collection, { ...labels, modalities });
  const swept = sweep(collection, { ...request, alpha: 1 });
  const scores = fusedScores();
  const threshold = mean(scores) + deviation(scores);
  t.strictSame(
    [...(swept?.items ?? [])],
    [...everyItem(collection)].filter((item) => (scores[item] as number) > threshold),
  );
  t.ok(Math.abs((swept?.threshold ?? 0) - threshold) < TOLERANCE);
  t.equal(sweep(collection, { ...request, alpha: 1, deadlineMs: 1 }), null, 'past the deadline there is none');
});

/** Decoded vectors of every item, dense. */
function rowsOf(collection: Collection, name: string): Float64Array[] {
  const modality = modalityOf(collection, name);
  const { perRow, ids, values } = decode(modality, everyItem(collection));
  return Array.from({ length: ITEMS }, (_, item) => {
    const row = new Float64Array(modality.manifest.dims);
    for (let j = item * perRow; j < (item + 1) * perRow; j++) {
      const d = ids === null ? j - item * perRow : (ids[j] as number);
      (row[d] as number) += values[j] as number;
    }
    return row;
  });
}

function headScores(name: 'visual' | 'text', of = modalities): number[] {
  const { weights, bias } = modelOf(modalityOf(collection, name), requestOf(collection, { ...labels, modalities: of }));
  return vectors[name].map((row) => row.reduce((sum, value, d) => sum + value * (weights[d] as number), bias));
}

/** The weighted mean of standardised scores. */
function fusedScores(): number[] {
  const visual = standardised(headScores('visual'));
  const text = standardised(headScores('text'));
  return visual.map((score, item) => (3 * score + (text[item] as number)) / 4);
}

/** Weighted mean of squared distances, the least over the queries. */
function minDistances(queries: readonly number[]): number[] {
  const between = (name: 'visual' | 'text', a: number, b: number): number => {
    const other = vectors[name][b] as Float64Array;
    return (vectors[name][a] as Float64Array).reduce((sum, value, d) => sum + (value - (other[d] as number)) ** 2, 0);
  };
  return Array.from({ length: ITEMS }, (_, item) =>
    Math.min(...queries.map((query) => (3 * between('visual', item, query) + between('text', item, query)) / 4)),
  );
}

/** Of the unit vectors of both modalities, weighted; no vector here is zero. */
function cosine(a: number, b: number): number {
  const of = (name: 'visual' | 'text'): number => {
    const [x, y] = [vectors[name][a] as Float64Array, vectors[name][b] as Float64Array];
    const dot = (u: Float64Array, v: Float64Array): number =>
      u.reduce((sum, value, d) => sum + value * (v[d] as number), 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  };
  return (3 * of('visual') + of('text')) / 4;
}

function greatestCosine(items: Uint32Array): number {
  return Math.max(...[...items].flatMap((a, i) => [...items.subarray(0, i)].map((b) => cosine(a, b))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

function standardised(values: readonly number[]): number[] {
  const middle = mean(values);
  const width = deviation(values);
  return values.map((value) => (value - middle) / width);
}

function maximum(values: readonly number[]): number {
  return Math.max(...values.filter((_, item) => !labelled.has(item)));
}

function ascending(items: Uint32Array): number[] {
  return [...items].sort((a, b) => a - b);
}
