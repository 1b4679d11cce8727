// One round: what is never suggested, what happens with few labels or little left, and that a round is what its parts
// say when they are put together by hand.

import t from 'tap';
import { headOf } from '../../src/head.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { ROCCHIO_DEFAULTS, ROUND_DEFAULTS, type RoundRequest, type RoundResult } from '../../src/round-request.ts';
import { SAMPLERS } from '../../src/samplers/sampler.ts';
import {
  clusterMembers,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  modelOf,
  requestOf,
  twoModalities,
  uniform,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 1200;
const collection = await twoModalities(t, ITEMS);
const labels = { positive: Uint32Array.of(900, 5, 77), negative: Uint32Array.of(3, 1100, 40, 41) };
const visual = [{ name: 'visual', weight: 1 }];

/** A round over the collection above with the labels above. */
function ask(change: Partial<RoundRequest> = {}): RoundResult {
  return round(collection, requestOf(collection, { ...labels, ...change }));
}

t.test('labelled and excluded items are never suggested, whatever is searched', async (t) => {
  const exclude = Uint32Array.of(7, 5, 6, 7, 500, ITEMS - 1);
  const out = new Set([...labels.positive, ...labels.negative, ...exclude]);
  for (const change of [
    { clusters: 1 },
    { clusters: 8, segments: 4 },
    { exhaustive: true },
    { clusters: ITEMS, k: ITEMS },
    { exhaustive: true, k: ITEMS },
    { positive: new Uint32Array(0), negative: Uint32Array.of(...labels.positive, ...labels.negative), k: ITEMS },
  ]) {
    const { items } = ask({ ...change, exclude });
    t.notOk([...items].some((item) => out.has(item)));
    t.equal(new Set(items).size, items.length, 'no item twice');
  }
  t.strictSame(ask({ exhaustive: true, exclude, k: ITEMS }).items.length, ITEMS - 7 - 4, 'and everything else is');
});

t.test('only positives: a hundred random unlabelled items are the negatives, by seed', async (t) => {
  const negative = new Uint32Array(0);
  const answer = ask({ negative, seed: 3, exhaustive: true });
  t.strictSame(answer.model, { kind: 'linear_svm', positives: 3, negatives: 0, pseudoNegatives: 100 });
  t.equal(answer.items.length, ROUND_DEFAULTS.k);
  t.strictSame(ask({ negative, seed: 3, exhaustive: true }), answer, 'the same seed, the same round');
  t.notSame(ask({ negative, seed: 4, exhaustive: true }).scores, answer.scores, 'another seed, other negatives');
  // Items that stand in for negatives were not labelled by anyone and may be suggested.
  t.equal(ask({ negative, k: ITEMS, exhaustive: true }).items.length, ITEMS - 3);
  const most = ask({ negative, exclude: everyItem(collection).subarray(0, ITEMS - 60) });
  t.equal(most.model.pseudoNegatives, 60 - [...labels.positive].filter((item) => item >= ITEMS - 60).length);
});

t.test('without positives a round explores at random, by seed', async (t) => {
  const positive = new Uint32Array(0);
  for (const negative of [labels.negative, new Uint32Array(0)]) {
    const answer = ask({ positive, negative, seed: 1 });
    t.ok(answer.sources.every((source) => SAMPLERS[source] === 'random'));
    t.strictSame(answer.model, { kind: 'none', positives: 0, negatives: negative.length, pseudoNegatives: 0 });
    t.strictSame(answer.modalities, []);
    t.equal(answer.items.length, ROUND_DEFAULTS.k);
    t.ok(answer.coverage.complete);
    t.notOk([...answer.items].some((item) => negative.includes(item)));
    t.strictSame(ask({ positive, negative, seed: 1 }), answer);
    t.notSame(ask({ positive, negative, seed: 2 }).items, answer.items);
  }
  // Most of the collection seen: what is left is drawn all the same, each item once.
  const exclude = everyItem(collection).subarray(0, ITEMS - 30);
  const few = ask({ positive, exclude, k: 10 });
  t.equal(new Set(few.items).size, 10);
  t.ok([...few.items].every((item) => item >= ITEMS - 30));
  const all = ask({ positive, negative: new Uint32Array(0), exclude, k: 40 });
  t.strictSame(
    [...all.items].sort((a, b) => a - b),
    [...everyItem(collection).subarray(ITEMS - 30)],
  );
  t.equal(all.coverage.complete, false);
});

t.test('k above what is left gives all that is left, and says that it is not k', async (t) => {
  for (const change of [{ exhaustive: true }, { clusters: 1 }, { clusters: 3, segments: 2, candidates: 1 }]) {
    const answer = ask({ ...change, k: 3 * ITEMS });
    t.equal(answer.items.length, ITEMS - 7);
    t.equal(answer.coverage.complete, false);
  }
});

t.test('a manifest that counts more clusters than there are does not make a round read on for ever', async (t) => {
  const modality = modalityOf(collection, 'visual');
  const { statistics } = modality.manifest;
  const manifest = { ...modality.manifest, statistics: { ...statistics, empty_clusters: -1 } };
  const damaged = { ...collection, modalities: new Map([['visual', { ...modality, manifest }]]) };
  for (const clusters of [1, 2 ** 31]) {
    const answer = round(damaged, requestOf(collection, { ...labels, modalities: visual, clusters, k: 3 * ITEMS }));
    t.equal(answer.coverage.complete, false);
    t.ok(answer.items.length > 0);
  }
});

t.test('a round reads on until k are found', async (t) => {
  const members = clusterMembers(collection, 'visual');
  const largest = Math.max(...members.map(({ length }) => length));
  for (const k of [largest + 1, 200, ITEMS - 7]) {
    const answer = ask({ modalities: visual, clusters: 1, candidates: 1, k });
    t.equal(answer.items.length, k);
    t.ok(answer.coverage.complete);
    t.ok(answer.coverage.clustersRead > 1);
  }
});

t.test('one item, labelled or not', async (t) => {
  const path = denseFile(temporaryFolder(t), 'one', Float32Array.of(1, 2, 3), 3);
  const one = await collectionOf(t, { visual: { path, options: {} } });
  const alone = { positive: Uint32Array.of(0), k: 1 };
  for (const exhaustive of [true, false]) {
    const labelled = round(one, requestOf(one, { ...alone, exhaustive }));
    t.equal(labelled.items.length, 0);
    t.equal(labelled.coverage.complete, false);
  }
  t.strictSame([...round(one, requestOf(one, { k: 1 })).items], [0]);
});

t.test('a cluster above the size limit is left out and counted, and read when all are', async (t) => {
  // 200 equal rows make one cluster that nothing can split; the limit is ten clusters' worth, 20 items.
  const rows = 500;
  const random = seededRandom(1, 'huge cluster');
  const values = Float32Array.from({ length: rows * 4 }, (_, at) => (at < 200 * 4 ? 1 : 2 * uniform(random) - 1));
  const path = denseFile(temporaryFolder(t), 'huge', values, 4);
  for (const refine of [0, 2]) {
    const options = { normalize: 'false' };
    const huge = await collectionOf(t, { visual: { path, options } }, { clusterSize: 2, refine });
    t.equal(huge.manifest.build.size_limit, 20);
    const { statistics, clusters } = modalityOf(huge, 'visual').manifest;
    t.equal(statistics.huge_clusters, 1);
    t.ok(statistics.unreachable_items >= 200);
    const near = { positive: Uint32Array.of(0), negative: Uint32Array.of(300, 301, 302) };
    const some = round(huge, requestOf(huge, { ...near, clusters: 30, k: 10 }));
    t.equal(some.coverage.clustersOmitted, 1);
    t.equal(some.coverage.itemsOmitted, statistics.unreachable_items);
    t.notOk([...some.items].some((item) => item < 200));
    const all = round(huge, requestOf(huge, { ...near, clusters, k: 10 }));
    t.strictSame([all.coverage.clustersOmitted, all.coverage.itemsOmitted], [0, 0]);
    t.strictSame(all.coverage.itemsScored, rows);
    t.strictSame(all.items, round(huge, requestOf(huge, { ...near, exhaustive: true, k: 10 })).items);
    // Too few elsewhere: reading on ends with the huge one rather than short.
    const needed = round(huge, requestOf(huge, { ...near, clusters: 1, k: rows - 4 }));
    t.equal(needed.items.length, rows - 4);
    t.ok(needed.coverage.complete);
  }
});

t.test('a deadline in the past ends a round with the best at hand, and it says that it is not all', async (t) => {
  for (const change of [{ clusters: 8 }, { clusters: ITEMS, workers: 2 }]) {
    const answer = ask({ ...change, deadlineMs: 1 });
    const { complete, itemsScored, clustersRead } = answer.coverage;
    t.notOk(complete);
    t.ok(answer.items.length > 0, 'of the first cluster of each modality and thread');
    t.ok(clustersRead >= 2 && clustersRead <= 4);
    t.ok(itemsScored > 0 && itemsScored < ITEMS);
  }
  t.ok(ask({ exhaustive: true, deadlineMs: 1e11 }).coverage.complete, 'one in the far future changes nothing');
});

t.test('segments give the best of each run of clusters', async (t) => {
  const modality = modalityOf(collection, 'visual');
  const { prepared } = headOf(modality, modelOf(modality, requestOf(collection, { ...labels, modalities: visual })));
  const members = clusterMembers(collection, 'visual');
  const scores = new Float64Array(ITEMS);
  native.scoreItems(prepared, everyItem(collection), scores);
  const skip = Uint32Array.of(...labels.positive, ...labels.negative).sort();
  for (const [clusters, runs, perRun] of [
    [40, 1, 100],
    [40, 16, 7],
    [16, 16, 4],
    [30, 4, 15],
  ] as const) {
    const selected = new Uint32Array(clusters);
    const { size_limit } = collection.manifest.build;
    native.selectClusters(prepared, size_limit, selected);
    const found = new Uint32Array(runs * perRun);
    const foundScores = new Float64Array(found.length);
    const counts = new Uint32Array(runs);
    native.scanClusters(prepared, selected, perRun, skip, 1, 1e12, found, foundScores, counts);
    for (let r = 0; r < runs; r++) {
      const run = selected.subarray(Math.floor((r * clusters) / runs), Math.floor(((r + 1) * clusters) / runs));
      const items = [...run].flatMap((cluster) => [...(members[cluster] as Uint32Array)]);
      const unskipped = items.filter((item) => !skip.includes(item));
      const expected = best(unskipped, scores).slice(0, perRun);
      const from = r * perRun;
      t.strictSame([...found.subarray(from, from + (counts[r] as number))], expected, `run ${r} of ${runs}`);
      t.ok(expected.every((item, i) => scores[item] === foundScores[from + i]));
    }
  }
});

t.test('segments do nothing to one modality, and never leave a round short', async (t) => {
  const one = { modalities: visual, clusters: 20 };
  t.strictSame(ask({ ...one, segments: 16 }), ask({ ...one, segments: 1 }));
  for (const clusters of [3, ITEMS]) {
    const answer = ask({ clusters, segments: 16, candidates: 1, k: ITEMS - 7 });
    t.equal(new Set(answer.items).size, ITEMS - 7);
    t.ok(answer.coverage.complete);
  }
});

t.test('two modalities: scores by direct access, ranks and fused scores by definition', async (t) => {
  const weights = { visual: 2, text: 0.5 };
  const modalities = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  const k = ITEMS - 7;
  for (const change of [{ exhaustive: true }, { clusters: ITEMS, candidates: ITEMS }]) {
    const request = requestOf(collection, { ...labels, modalities, k, ...change });
    const answer = round(collection, request);
    t.equal(new Set(answer.items).size, k, 'an item taken by one modality is not taken by the other');
    const ranks = modalities.map(({ name }, m) => {
      const modality = modalityOf(collection, name);
      const { prepared } = headOf(modality, modelOf(modality, request));
      const scores = new Float64Array(k);
      native.scoreItems(prepared, answer.items, scores);
      t.strictSame(answer.modalities[m]?.scores, scores, `${name} scores`);
      const expected = Float64Array.from(scores, (score) => {
        const equal = scores.filter((other) => other === score).length;
        return scores.filter((other) => other > score).length + (equal + 1) / 2;
      });
      t.strictSame(answer.modalities[m]?.ranks, expected, `${name} ranks`);
      return expected;
    });
    const fused = answer.items.map(() => 0);
    t.equal(fused.length, k);
    const [a, b] = ranks as [Float64Array, Float64Array];
    t.strictSame(
      [...answer.scores],
      [...a].map((rank, i) => 1 - ((2 * rank + 0.5 * (b[i] as number)) / 2.5 - 1) / k),
    );
    t.ok(inOrder(answer), 'best first, ties by item number');
  }
});

t.test('candidates of both modalities are told apart with few of each', async (t) => {
  const answer = ask({ clusters: 6, candidates: 20, k: 20 });
  t.equal(new Set(answer.items).size, 20);
  t.ok(inOrder(answer));
  for (const { ranks } of answer.modalities)
    t.ok(
      ranks.every((rank) => rank >= 1 && rank <= 40),
      'of 2 x 20 candidates',
    );
});

t.test('Rocchio is the weighted difference of means', async (t) => {
  const model = { ...ROCCHIO_DEFAULTS, positiveWeight: 2 };
  const answer = ask({ modalities: visual, model, exhaustive: true, k: 50 });
  t.equal(answer.model.kind, 'rocchio');
  const modality = modalityOf(collection, 'visual');
  const { dims } = modality.manifest;
  const weights = new Float64Array(dims);
  for (const [items, factor] of [
    [labels.positive, 2],
    [labels.negative, -0.5],
  ] as const) {
    const { values } = decode(modality, items);
    values.forEach((value, at) => {
      (weights[at % dims] as number) += (factor / items.length) * value;
    });
  }
  const { values } = decode(modality, answer.items);
  answer.scores.forEach((score, i) => {
    let expected = 0;
    let magnitude = 0;
    for (let d = 0; d < dims; d++) {
      const term = (weights[d] as number) * (values[i * dims + d] as number);
      expected += term;
      magnitude += Math.abs(term) + Math.abs(weights[d] as number);
    }
    // Weights and decoded values are floats of at most 1: 2^-24 each, and 2^-24 of their range for the offset.
    t.ok(Math.abs(score - expected) <= 4 * 2 ** -24 * magnitude);
  });
});

t.test('costs matter: C and the weight of positives, at both ends', async (t) => {
  const linear = (c: number, positiveWeight = 1) => ({ ...ROUND_DEFAULTS.model, c, positiveWeight });
  const scoresAt = (model: RoundRequest['model']): Float64Array =>
    ask({ modalities: visual, exhaustive: true, model, k: 30 }).scores;
  for (const c of [1e-6, 1, 1e6]) t.ok(scoresAt(linear(c)).every(Number.isFinite), `C = ${c}`);
  // As C goes to 0 the model goes to 0 with it: |w| <= sum of alpha |x| <= 2 C n for unit rows and slack near 1.
  const bound = 2 * 1e-6 * 7 * 2 * (1 + 1e-3);
  t.ok(scoresAt(linear(1e-6)).every((score) => Math.abs(score) <= bound));
  // Costlier positives move the plane away from them, so the best items are further on its positive side.
  t.ok((scoresAt(linear(0.01, 100))[0] as number) > (scoresAt(linear(0.01, 1))[0] as number));
});

t.test('what the collection lacks is refused', async (t) => {
  t.throws(() => ask({ modalities: [{ name: 'audio', weight: 1 }] }), {
    name: 'RangeError',
    message: /modality audio is not part of this collection/,
  });
  t.throws(() => ask({ positive: Uint32Array.of(ITEMS) }), RangeError);
  t.throws(() => ask({ negative: Uint32Array.of(2 ** 32 - 1) }), RangeError);
});

t.test('stages are reported in order', async (t) => {
  const stagesOf = (change: Partial<RoundRequest>): string[] => {
    const stages: string[] = [];
    round(collection, requestOf(collection, { ...labels, ...change }), (stage) => stages.push(stage));
    return stages;
  };
  t.strictSame(stagesOf({}), ['fit', 'select', 'score', 'fuse']);
  t.strictSame(stagesOf({ exhaustive: true }), ['fit', 'score', 'fuse']);
  t.strictSame(stagesOf({ positive: new Uint32Array(0) }), []);
});

/** Items by score descending, then number ascending. */
function best(items: readonly number[], scores: Float64Array): number[] {
  return items.toSorted((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

function inOrder({ items, scores }: RoundResult): boolean {
  return [...items].every((item, i) => {
    if (i === 0) return true;
    const before = scores[i - 1] as number;
    const score = scores[i] as number;
    return before > score || (before === score && (items[i - 1] as number) < item);
  });
}
