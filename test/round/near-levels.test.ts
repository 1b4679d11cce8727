// SpreadS with so many queries that their clusters are found by walking down the levels of a built index.

import t from 'tap';
import type { Modality } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { spacesOf } from '../../src/spaces.ts';
import { randomLabels, twoModalities } from '../data.ts';

const ITEMS = 40_000;
const QUERIES = 1100;
/** Of ten items each: as many items a query as three clusters of a large collection have. */
const CLUSTERS = 32;
const COUNT = 50;
/** kMostDistances of native/src/near-clusters.h: up to here every representative is measured. */
const MOST_DISTANCES = 2 ** 22;
const forever = Number.POSITIVE_INFINITY;

t.test('near items found through the levels of an index are nearly those of a scan', async (t) => {
  const collection = await twoModalities(t, ITEMS, { clusterSize: 10, threads: 2 });
  const { modalities, weights } = spacesOf(collection, [
    { name: 'visual', weight: 1 },
    { name: 'text', weight: 1 },
  ]);
  for (const { manifest } of modalities) {
    t.ok(manifest.clusters * QUERIES > MOST_DISTANCES, `${manifest.clusters} clusters are too many to measure`);
    t.equal(manifest.groups, undefined, 'and are not grouped');
    t.ok(manifest.levels.length >= 2, 'so there are levels to walk down');
  }
  const { positive } = randomLabels(seededRandom(3, 'queries'), ITEMS, QUERIES, 0);
  const skip = positive.slice().sort();
  const cells = modalities.map((modality) => modality.cells);
  const distances = new Float64Array(ITEMS);
  native.nearestDistances(cells, weights, positive, 2, forever, distances);
  const labelled = new Set(positive);
  const limit = distances.filter((_, item) => !labelled.has(item)).sort()[COUNT - 1] as number;
  const levels = modalities.map((modality) => modality.levels);
  const nearOf = (queries: Uint32Array) => {
    const search = native.nearSearch(cells, weights, levels, queries, CLUSTERS, forever);
    const items = new Uint32Array(COUNT);
    const { found, itemsScored } = native.nearItems(search, skip, forever, items);
    return { items: items.subarray(0, found), itemsScored };
  };
  const near = (items: Iterable<number>): number =>
    [...items].filter((item) => (distances[item] as number) <= limit).length;
  const { items, itemsScored } = nearOf(positive);
  t.ok(near(items) >= 0.95 * COUNT, `${near(items)} of ${COUNT}`);
  t.ok(itemsScored < (QUERIES * ITEMS) / 20, 'in a part of the collection');
  const half = QUERIES / 2;
  t.ok(
    half * (modalities[0] as Modality).manifest.clusters <= MOST_DISTANCES,
    'half of the queries measure every representative',
  );
  const measured = new Set([...nearOf(positive.subarray(0, half)).items, ...nearOf(positive.subarray(half)).items]);
  t.ok(near(items) >= near(measured) - 0.05 * COUNT, `and find ${near(measured)}`);
});
