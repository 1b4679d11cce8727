// The other baselines: exhaustive float32, HNSW graphs and their files, and random labelling.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bestOf } from '../../bench/baselines/best-items.ts';
import { float } from '../../bench/baselines/float.ts';
import { hnsw } from '../../bench/baselines/hnsw.ts';
import { buildGraph, graphFile, graphSearch, readGraph } from '../../bench/baselines/hnsw-graph.ts';
import { manual } from '../../bench/baselines/manual.ts';
import { trained } from '../../bench/baselines/multimodal.ts';
import { checkMemory } from '../../bench/baselines/plain-vectors.ts';
import { drawUnseen } from '../../bench/baselines/unseen.ts';
import { cacheFolder } from '../../bench/datasets/collections.ts';
import type { Modality } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { randomLabels, requestOf, twoModalities } from '../data.ts';
import { temporaryFolder } from '../support.ts';

t.test('the best of a list are those that sorting puts first, ties by item', async (t) => {
  const random = seededRandom(1, 'lists');
  for (const length of [0, 1, 2, 17, 200]) {
    for (const count of [0, 1, 5, 200, 500]) {
      // Few distinct scores, so that ties are many; items in any order.
      const scores = Float64Array.from({ length }, () => random.below(10));
      const items = Uint32Array.from({ length }, (_, i) => (i * 7919) % 1009);
      const order = [...scores.keys()].sort(
        (a, b) => (scores[b] as number) - (scores[a] as number) || (items[a] as number) - (items[b] as number),
      );
      t.strictSame([...bestOf(scores, count, items)], order.slice(0, count));
    }
  }
});

t.test('float answers what an exhaustive round answers, for one modality and for both', async (t) => {
  const collection = await twoModalities(t, 1000);
  const random = seededRandom(2, 'labels');
  for (const modality of [undefined, 'visual', 'text']) {
    const system = await float.open(collection, new Map(modality === undefined ? [] : [['modality', modality]]));
    t.match(system.parameters, { modality: modality ?? 'visual+text', model: 'linear_svm', candidates: 1000 });
    const modalities = ['visual', 'text']
      .filter((name) => modality === undefined || name === modality)
      .map((name) => ({ name, weight: 1 }));
    for (let seed = 0; seed < 5; seed++) {
      const labels = randomLabels(random, 1000, 10, 40);
      const request = { ...labels, exclude: Uint32Array.of(1, 2, 3), k: 25, seed };
      const exhaustive = round(collection, requestOf(collection, { ...request, exhaustive: true, modalities }));
      t.strictSame(await system.suggest(request), exhaustive.items);
    }
  }
});

t.test('without positives a baseline explores, without negatives random ones stand in', async (t) => {
  const collection = await twoModalities(t, 400);
  const system = await float.open(collection, new Map());
  const none = new Uint32Array(0);
  const explored = await system.suggest({ positive: none, negative: Uint32Array.of(4), exclude: none, k: 30, seed: 1 });
  t.equal(new Set(explored).size, 30);
  t.notOk(explored.includes(4));
  const ask = { positive: Uint32Array.of(1, 2), negative: none, exclude: none, k: 30 };
  const learned = await system.suggest({ ...ask, seed: 1 });
  t.equal(new Set(learned).size, 30);
  t.strictSame(await system.suggest({ ...ask, seed: 1 }), learned, 'the seed decides');
});

t.test('hnsw finds most of what exhaustive search finds, keeps its graphs, and refuses damaged ones', async (t) => {
  ownCacheFolder(t);
  const collection = await twoModalities(t, 1000);
  const system = await hnsw.open(collection, new Map());
  t.match(system.parameters, { ef: 1000, candidates: 1000, m: 16, ef_construction: 100, model: 'linear_svm' });
  const random = seededRandom(3, 'labels');
  let shared = 0;
  for (let seed = 0; seed < 10; seed++) {
    const labels = randomLabels(random, 1000, 10, 40);
    const request = { ...labels, exclude: Uint32Array.of(1, 2, 3), k: 25, seed };
    const found = await system.suggest(request);
    t.equal(new Set(found).size, 25);
    const forbidden = new Set([...labels.positive, ...labels.negative, ...request.exclude]);
    t.notOk(found.some((item) => forbidden.has(item)));
    const truth = new Set(round(collection, requestOf(collection, { ...request, exhaustive: true })).items);
    shared += found.filter((item) => truth.has(item)).length / 25;
  }
  // At ef = r = all items a graph returns all it reaches; inner products leave some of it unreached.
  t.ok(shared / 10 > 0.8, `recall ${shared / 10}`);

  const few = await hnsw.open(collection, new Map([['ef', '30']]));
  t.match(few.parameters, { ef: 30, candidates: 30 }, 'a graph is asked for ef candidates at most');
  const ask = { ...randomLabels(random, 1000, 10, 40), exclude: new Uint32Array(0), seed: 1 };
  t.equal((await few.suggest({ ...ask, k: 30 })).length, 30);
  t.throws(() => few.suggest({ ...ask, k: 31 }), { name: 'ParameterError', message: /^ef=30 finds 30 items, .* 31$/ });

  const names = readdirSync(cacheFolder()).sort();
  t.equal(names.length, 4, 'two graphs and their records');
  const graph = join(cacheFolder(), names.find((name) => name.endsWith('.hnsw')) as string);
  const bytes = readFileSync(graph);
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  writeFileSync(graph, bytes);
  await t.rejects(async () => hnsw.open(collection, new Map()), { message: /not the graph that .* describes; delete/ });
});

t.test('a graph searched at ef finds ef items, however many are wanted', async (t) => {
  ownCacheFolder(t);
  const collection = await twoModalities(t, 1000);
  const modality = collection.modalities.get('visual') as Modality;
  const options = { links: 16, effort: 100 };
  const file = graphFile(collection, modality, options);
  buildGraph(modality, 1000, options, file);
  const { graph } = readGraph(modality, 1000, file);
  const { positive, negative } = randomLabels(seededRandom(4, 'labels'), 1000, 10, 40);
  const model = trained(modality, { positive, negative, seed: 1 });
  for (const ef of [10, 40, 160]) {
    const { search } = graphSearch(graph, ef);
    t.equal(search(model, { most: 1000, least: 10, skip: new Uint32Array(0) }).length, ef);
    t.equal(search(model, { most: 10, least: 10, skip: new Uint32Array(0) }).length, 10);
  }
});

t.test('interrupted, graphs that are being built are abandoned and leave nothing', async (t) => {
  ownCacheFolder(t);
  const collection = await twoModalities(t, 1000);
  const interrupt = new AbortController();
  const opening = hnsw.open(collection, new Map(), interrupt.signal);
  // Both builders were started just now, and Node alone takes longer to start than they have.
  interrupt.abort(new Error('interrupted'));
  await t.rejects(async () => opening, { message: 'interrupted' });
  t.strictSame(readdirSync(cacheFolder()), []);
  await t.rejects(async () => hnsw.open(collection, new Map(), interrupt.signal), { message: 'interrupted' });
});

t.test('manual labelling draws every unseen item alike and none other', async (t) => {
  const collection = await twoModalities(t, 40);
  const system = await manual.open(collection, new Map());
  const seen = Uint32Array.of(0, 1, 7, 38, 39);
  const labels = { positive: Uint32Array.of(12), negative: Uint32Array.of(13), exclude: seen };
  const counts = new Uint32Array(40);
  const draws = 3000;
  for (let seed = 0; seed < draws; seed++) {
    const items = await system.suggest({ ...labels, k: 11, seed });
    if (new Set(items).size !== 11) t.fail(`seed ${seed} draws ${items}`);
    for (const item of items) counts[item] = (counts[item] as number) + 1;
  }
  // A third of 33 items in each draw: binomial with mean 1000 and deviation sqrt(3000 / 3 * 2 / 3) = 25.8; six of them.
  for (let item = 0; item < 40; item++) {
    if (seen.includes(item) || item === 12 || item === 13) t.equal(counts[item], 0);
    else t.ok(Math.abs((counts[item] as number) - draws / 3) < 6 * 25.8, `item ${item}: ${counts[item]}`);
  }
  t.equal((await system.suggest({ ...labels, k: 100, seed: 1 })).length, 33, 'all that are left');
  t.strictSame(drawUnseen(3, 5, Uint32Array.of(0, 1, 2), 1, 'none'), new Uint32Array(0));
});

t.test('vectors that do not fit into memory are refused, with the sizes', async (t) => {
  t.throws(() => checkMemory('everything', 2 ** 60), { message: /everything needs 1073741824.0 GiB of memory and/ });
  t.doesNotThrow(() => checkMemory('little', 1));
});

/** Graphs of this test are kept in a folder of its own. */
function ownCacheFolder(t: Test): void {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporaryFolder(t);
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
}
