// Recall of b clusters against an exhaustive search: what is counted, and the width that is recommended.

import t from 'tap';
import { headOf } from '../../src/head.ts';
import { randomLabelSets, relatedLabelSets } from '../../src/label-sets.ts';
import { native } from '../../src/native.ts';
import { defaultQueries, leastReaching, measureRecall } from '../../src/quality.ts';
import { recallByClusters } from '../../src/recall.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS } from '../../src/round-request.ts';
import {
  clustered,
  clusterMembers,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  modelOf,
  requestOf,
  sparseFiles,
  twoModalities,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 3000;
const TOP = 100;
const COUNTS = { count: 6, positives: 10, negatives: 100, seed: 4 };

const collection = await twoModalities(t, ITEMS);

for (const [name, modality] of collection.modalities) {
  t.test(`${name}: recall is the share of the best scores that lie in the chosen clusters`, async (t) => {
    const clusterOf = new Uint32Array(ITEMS);
    clusterMembers(collection, name).forEach((members, cluster) => {
      for (const item of members) clusterOf[item] = cluster;
    });
    const clusters = [1, 4, 32, modality.manifest.clusters];
    const options = { clusters, top: TOP, model: ROUND_DEFAULTS.model, seed: 1, workers: 1 };
    const sets = [...randomLabelSets(ITEMS, COUNTS), ...relatedLabelSets(modality, ITEMS, COUNTS)];
    for (const labels of sets) {
      const recalls = recallByClusters(collection, modality, labels, options);
      const head = headOf(modality, modelOf(modality, requestOf(collection, { ...labels, seed: 1 })));
      const scores = new Float64Array(ITEMS);
      native.scoreItems(head.prepared, everyItem(collection), scores);
      const labelled = new Set([...labels.positive, ...labels.negative]);
      const open = [...scores.keys()].filter((item) => !labelled.has(item));
      const least = open.map((item) => scores[item] as number).sort((a, b) => b - a)[TOP - 1] as number;
      const expected = clusters.map((count) => {
        const chosen = new Uint32Array(count);
        native.selectClusters(head.prepared, ITEMS, chosen);
        const read = new Set(chosen);
        const reached = open.filter((item) => read.has(clusterOf[item] as number) && (scores[item] as number) >= least);
        return Math.min(TOP, reached.length) / TOP;
      });
      t.strictSame([...recalls], expected);
      t.equal(recalls[3], 1, 'all clusters hold everything');
    }
  });
}

t.test('related positives are near one another, distinct, and no negative is one of them', async (t) => {
  const modality = modalityOf(collection, 'visual');
  const { values, perRow } = decode(modality, everyItem(collection));
  const distance = (a: number, b: number): number => {
    let sum = 0;
    for (let d = 0; d < perRow; d++)
      sum += ((values[a * perRow + d] as number) - (values[b * perRow + d] as number)) ** 2;
    return sum;
  };
  const meanOf = (items: Uint32Array, query: number): number =>
    items.reduce((sum, item) => sum + distance(query, item), 0) / items.length;
  for (const { positive, negative } of relatedLabelSets(modality, ITEMS, COUNTS)) {
    t.equal(new Set([...positive, ...negative]).size, 110);
    t.ok(meanOf(positive, positive[0] as number) < meanOf(negative, positive[0] as number) / 2);
  }
  t.strictSame(relatedLabelSets(modality, ITEMS, COUNTS), relatedLabelSets(modality, ITEMS, COUNTS), 'seeded');
  t.notSame(relatedLabelSets(modality, ITEMS, { ...COUNTS, seed: 5 }), relatedLabelSets(modality, ITEMS, COUNTS));
});

t.test('neither zero vectors nor copies make a set of related positives', async (t) => {
  const dims = 8;
  const values = clustered(2000, dims, 20, 1);
  // Nine of ten items are zero vectors or copies of the first item.
  for (let item = 0; item < 2000; item++) {
    if (item % 10 === 0) continue;
    if (item % 2 === 0) values.fill(0, item * dims, (item + 1) * dims);
    else values.copyWithin(item * dims, 0, dims);
  }
  const input = { path: denseFile(temporaryFolder(t), 'a', values, dims), options: { normalize: 'false' } };
  const one = await collectionOf(t, { a: input });
  const modality = modalityOf(one, 'a');
  const decoded = decode(modality, everyItem(one));
  const textOf = (item: number): string => decoded.values.subarray(item * dims, (item + 1) * dims).join();
  for (const { positive } of relatedLabelSets(modality, 2000, COUNTS)) {
    t.equal(new Set([...positive].map(textOf)).size, 10, 'ten different vectors');
  }
});

t.test('a collection of one vector can still be measured', async (t) => {
  const values = new Float32Array(1500 * 4).fill(0.5);
  const one = await collectionOf(t, { a: { path: denseFile(temporaryFolder(t), 'a', values, 4), options: {} } });
  const options = { queries: 2, seed: 0, workers: 1 };
  const { by_clusters: rows, recommended_clusters } = measureRecall(one, modalityOf(one, 'a'), options, () => {});
  t.equal(rows.at(-1)?.related.mean, 1);
  t.equal(recommended_clusters, 1);
});

t.test('of items that score alike it does not matter which are found', async (t) => {
  // Thirty items share a feature. The other features are alone or nearly so, and those that no label has say nothing.
  const ids = Uint32Array.from({ length: 2000 }, (_, item) => (item < 30 ? 0 : 1 + (item % 900)));
  const rows = { ids, values: new Float32Array(2000).fill(1) };
  const one = await collectionOf(t, { a: sparseFiles(temporaryFolder(t), 'a', rows, 1) }, { clusterSize: 20 });
  const labels = {
    positive: Uint32Array.from({ length: 10 }, (_, i) => i),
    negative: Uint32Array.from({ length: 100 }, (_, i) => 1000 + i),
  };
  const options = { clusters: [64], top: TOP, model: ROUND_DEFAULTS.model, seed: 0, workers: 1 };
  const ask = (exhaustive: boolean) => round(one, requestOf(one, { ...labels, k: TOP, clusters: 64, exhaustive }));
  const [some, all] = [ask(false), ask(true)];
  const tie = all.scores.at(-1) as number;
  const above = (scores: Float64Array): number => scores.filter((score) => score > tie).length;
  const tied = Math.min(TOP - above(all.scores), TOP - above(some.scores));
  t.equal(some.scores.at(-1), tie, 'both lists end with the items that no label speaks of');
  t.equal(recallByClusters(one, modalityOf(one, 'a'), labels, options)[0], (above(some.scores) + tied) / TOP);
  const same = some.items.filter((item) => all.items.includes(item));
  t.ok(same.length < above(some.scores) + tied, 'of which others are found');
});

t.test('the width recommended has the recall wanted, between two measured ones linearly in log b', async (t) => {
  t.equal(leastReaching([1, 2, 4], [0.5, 0.9, 1], 0.95), 3, '2 * 2^(1/2) is 2.83');
  t.equal(leastReaching([1, 2, 4], [0.96, 1, 1], 0.95), 1);
  t.equal(leastReaching([1, 2, 4], [0.5, 0.95, 1], 0.95), 2);
  t.equal(leastReaching([256, 512], [0.9, 1], 0.95), 363, '256 * 2^(1/2) is 362.04');
  t.equal(leastReaching([1, 2, 4], [0.1, 0.2, 0.94], 0.95), null);
});

t.test('both kinds of hyperplane must reach the target, at the width recommended and not far below it', async (t) => {
  const modality = modalityOf(collection, 'text');
  const options = { queries: 12, seed: 3, workers: 1 };
  let done = 0;
  const measured = measureRecall(collection, modality, options, (hyperplanes) => {
    t.equal(hyperplanes, ++done);
  });
  t.equal(done, 24);
  t.strictSame(
    measureRecall(collection, modality, { ...options, workers: 3 }, () => {}),
    measured,
    'any threads',
  );
  const widths = measured.by_clusters.map(({ clusters }) => clusters);
  t.strictSame(widths, [1, 2, 4, 8, 16, 32, 64, 128, 256].slice(0, widths.length));
  t.ok((widths.at(-1) as number) >= modality.manifest.clusters, 'up to all clusters');
  t.match(measured.by_clusters.at(-1), { related: { mean: 1, deviation: 0, least: 1 }, random: { mean: 1 } });
  const recommended = measured.recommended_clusters as number;
  for (const { clusters, related, random } of measured.by_clusters) {
    const both = Math.min(related.mean, random.mean) >= 0.95;
    t.ok(both ? clusters > recommended / 2 : clusters < recommended, `b = ${clusters}, recommended ${recommended}`);
  }
});

t.test('how many hyperplanes there are depends on the size alone', async (t) => {
  t.strictSame(
    [999, 1000, 1_000_000, 99_206_564, 1_000_000_000, 4_000_000_000].map(defaultQueries),
    [0, 32, 32, 32, 4, 4],
  );
});
