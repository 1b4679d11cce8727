// Distances that are kept for later rounds beside those that are measured afresh.

import t from 'tap';
import { native } from '../../src/native.ts';
import { KEPT_SETS, QueryDistances } from '../../src/query-distances.ts';
import { round } from '../../src/round.ts';
import { type Scan, type Spaces, spacesOf } from '../../src/spaces.ts';
import { SurveyMemory } from '../../src/survey-memory.ts';
import { requestOf, twoModalities } from '../data.ts';

const ITEMS = 1000;
const collection = await twoModalities(t, ITEMS);
const scan: Scan = { workers: 1, deadlineMs: Number.POSITIVE_INFINITY };
const even = spacesOf(collection, weighted(1, 1));

t.test('distances to any set of queries have the same bits, whatever was asked before', async (t) => {
  const kept = new QueryDistances();
  const uneven = spacesOf(collection, weighted(3, 1));
  const asked = [[7], [7, 900], [900], [7, 900, 41, 3], [41], [3, 41, 900, 7], [900, 7, 500, 501, 502], [999, 998]];
  for (const queries of [...asked, ...asked.toReversed()]) {
    for (const spaces of [even, uneven]) {
      const list = Uint32Array.from(queries);
      t.strictSame(kept.of('a', spaces, list, scan), measured(spaces, list), queries.join());
    }
  }
  const three = Uint32Array.of(1, 2, 3);
  const other = await twoModalities(t, ITEMS, { seed: 5, clusterSize: 20 });
  const otherSpaces = spacesOf(other, weighted(1, 1));
  kept.of('a', even, three, scan);
  t.strictSame(kept.of('b', otherSpaces, three, scan), measured(otherSpaces, three), 'another generation');
});

t.test('a set that was asked for is not measured again, until others have taken its place', async (t) => {
  const kept = new QueryDistances();
  const first = kept.of('a', even, Uint32Array.of(1, 2), scan);
  const late = { ...scan, deadlineMs: 0 };
  t.equal(kept.of('a', even, Uint32Array.of(2, 1, 2), late), first);
  t.equal(kept.of('a', even, Uint32Array.of(2, 1, 3), late), null, 'new queries have no time');
  t.equal(kept.of('a', even, Uint32Array.of(1, 2), late), first);
  for (let query = 10; query < 10 + KEPT_SETS; query++) kept.of('a', even, Uint32Array.of(query), scan);
  t.equal(kept.of('a', even, Uint32Array.of(1, 2), late), null);
});

t.test('a round says the same with and without what earlier ones have left', async (t) => {
  const memory = new SurveyMemory();
  const positive = [900, 5, 77, 31];
  for (const mix of ['spread', 'grid', 'spread'] as const) {
    for (let count = 1; count <= positive.length; count++) {
      const request = requestOf(collection, {
        positive: Uint32Array.from(positive.slice(0, count)),
        negative: Uint32Array.of(3, 420),
        mix: { farthest: 0, spread: 0, random: 0, grid: 0, [mix]: 20 },
        grid: { components: 2, segments: 4, zeta: 0.5 },
        k: 20,
      });
      t.strictSame(round(collection, request, undefined, memory), round(collection, request), `${mix} of ${count}`);
    }
  }
});

function weighted(visual: number, text: number) {
  return [
    { name: 'visual', weight: visual },
    { name: 'text', weight: text },
  ];
}

function measured({ modalities, weights }: Spaces, queries: Uint32Array): Float64Array {
  const distances = new Float64Array(ITEMS);
  const cells = modalities.map((modality) => modality.cells);
  native.nearestDistances(cells, weights, queries, 1, Number.POSITIVE_INFINITY, distances);
  return distances;
}
