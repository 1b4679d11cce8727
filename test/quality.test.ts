// What a search must find: exhaustive rounds against plain double arithmetic over decoded codes, and the share of
// their answers that the best clusters hold.

import t, { type Test } from 'tap';
import { type CandidateSearch, candidatesOfAll, candidatesOfBestClusters } from '../src/candidates.ts';
import { headOf } from '../src/head.ts';
import type { Collection, Modality } from '../src/index/open.ts';
import type { LinearModel } from '../src/models/model.ts';
import { seededRandom } from '../src/random.ts';
import { round } from '../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest, type RoundResult } from '../src/round-request.ts';
import {
  caltech97,
  collectionOf,
  type Decoded,
  decode,
  everyItem,
  lsc100k,
  modalityOf,
  modelOf,
  randomLabels,
  requestOf,
  tate,
  testOn,
} from './data.ts';

const K = 100;
const HYPERPLANES = 3;

for (const dataset of [lsc100k, caltech97, tate]) {
  testOn(
    t,
    dataset,
    'exhaustive is double arithmetic over decoded codes, and so are all clusters',
    async (t, inputs) => {
      const collection = await collectionOf(t, inputs, { refine: 1 });
      for (const modality of collection.modalities.values()) {
        const decoded = decode(modality, everyItem(collection));
        const offsets = offsetsOf(modality, decoded);
        const random = seededRandom(1, `hyperplanes of ${modality.name}`);
        for (let plane = 0; plane < HYPERPLANES; plane++) {
          const labels = randomLabels(random, collection.items, 10, 100);
          const modalities = [{ name: modality.name, weight: 1 }];
          const request = requestOf(collection, { ...labels, k: K, exhaustive: true, modalities });
          const answer = round(collection, request);
          checkWithin(t, answer, scoresOf(decoded, offsets, modelOf(modality, request)), request);
          t.ok(answer.coverage.complete);
          t.equal(answer.coverage.itemsScored, collection.items);
          const all = round(collection, { ...request, exhaustive: false, clusters: modality.manifest.clusters });
          t.strictSame([...all.items], [...answer.items], 'all clusters hold what exhaustive finds');
          t.strictSame(all.scores, answer.scores);
        }
      }
    },
  );
}

testOn(
  t,
  lsc100k,
  'where decoded floats name their codes, only the order of the sum is left to differ',
  async (t, inputs) => {
    // Codes below 2^22 move by less than a quarter when a float rounds code * scale: relative 2^-24.
    const collection = await collectionOf(t, inputs, { refine: 0 }, { stored_bits: '22' });
    const modality = modalityOf(collection, 'concepts');
    const scale = modality.manifest.ratio?.items.scale ?? Number.NaN;
    const { perRow, ids, values } = decode(modality, everyItem(collection));
    const random = seededRandom(4, 'exact hyperplanes');
    for (let plane = 0; plane < HYPERPLANES; plane++) {
      const labels = randomLabels(random, collection.items, 10, 100);
      const request = requestOf(collection, { ...labels, k: K, exhaustive: true });
      const { weights, bias } = modelOf(modality, request);
      const scores = new Float64Array(collection.items).fill(bias);
      const tolerances = new Float64Array(collection.items).fill(2 * (perRow + 1) * 2 ** -53 * Math.abs(bias));
      for (let at = 0; at < values.length; at++) {
        const item = Math.floor(at / perRow);
        const term =
          (weights[(ids as Uint32Array)[at] as number] as number) *
          (Math.round((values[at] as number) / scale) * scale);
        (scores[item] as number) += term;
        (tolerances[item] as number) += 2 * (perRow + 1) * 2 ** -53 * Math.abs(term);
      }
      checkWithin(t, round(collection, request), { scores, tolerances }, request);
    }
  },
);

/** Of b = 256 clusters; the smaller share is what the papers' form must reach, the larger what refined clusters must. */
const RECALL = [
  [0, 0.95],
  [3, 0.99],
] as const;
const RECALL_HYPERPLANES = 50;

for (const dataset of [lsc100k, caltech97, tate]) {
  for (const [refine, least] of RECALL) {
    testOn(
      t,
      dataset,
      `256 clusters of --refine ${refine} hold ${least} of the exhaustive top ${K}`,
      async (t, inputs) => {
        const collection = await collectionOf(t, inputs, { refine });
        for (const modality of collection.modalities.values()) {
          const recall = meanRecall(collection, modality, RECALL_HYPERPLANES);
          t.ok(recall >= least, `${modality.name}: ${recall.toFixed(4)} over ${RECALL_HYPERPLANES} hyperplanes`);
        }
      },
    );
  }
}

testOn(t, caltech97, 'the answer over two modalities with all clusters is the exhaustive one', async (t, inputs) => {
  const collection = await collectionOf(t, inputs);
  const labels = randomLabels(seededRandom(2, 'labels'), collection.items, 10, 100);
  // As many candidates as items: then the ranks that are fused are those among all items in both forms.
  const request = requestOf(collection, { ...labels, k: K, candidates: collection.items });
  const exhaustive = round(collection, { ...request, exhaustive: true });
  const all = round(collection, { ...request, clusters: collection.items });
  t.strictSame(all.items, exhaustive.items);
  t.strictSame(all.scores, exhaustive.scores);
  t.strictSame(all.modalities, exhaustive.modalities);
});

/** Mean share of the exhaustive top K among the K best of 256 clusters, for SVMs of random 10 + 100 labels. */
function meanRecall(collection: Collection, modality: Modality, hyperplanes: number): number {
  const random = seededRandom(3, `recall of ${modality.name}`);
  const { items, manifest } = collection;
  const options = { clusters: 256, segments: 1, candidates: K, k: K, workers: 1 };
  const search: CandidateSearch = {
    ...options,
    items,
    sizeLimit: manifest.build.size_limit,
    deadlineMs: ROUND_DEFAULTS.deadlineMs,
  };
  let found = 0;
  for (let plane = 0; plane < hyperplanes; plane++) {
    const request = requestOf(collection, randomLabels(random, items, 10, 100));
    const heads = [headOf(modality, modelOf(modality, request))];
    const skip = Uint32Array.of(...request.positive, ...request.negative).sort();
    const exhaustive = new Set(candidatesOfAll(heads, search, skip).items);
    const best = candidatesOfBestClusters(heads, search, skip, () => {});
    for (const item of best.items) if (exhaustive.has(item)) found++;
  }
  return found / (K * hyperplanes);
}

/** Scores of all items, and by how much each may differ from the exact score. */
interface Reference {
  readonly scores: Float64Array;
  readonly tolerances: Float64Array;
}

/**
 * A decoded float is offset + step * code with one rounding for the product and one for the sum, so it lies within
 * u (|v - offset| + |v|) (1 + 2u), u = 2^-24, of the value the search uses; without an offset the product is all.
 * The sums themselves run in double in another order: n 2^-53 of the sum of magnitudes, for n = perRow + 1 terms each.
 */
function scoresOf({ perRow, ids, values }: Decoded, offsets: Float32Array, { weights, bias }: LinearModel): Reference {
  const rows = values.length / perRow;
  const scores = new Float64Array(rows);
  const tolerances = new Float64Array(rows);
  let folded = Math.abs(bias);
  for (let d = 0; d < offsets.length; d++) folded += Math.abs((weights[d] as number) * (offsets[d] as number));
  for (let row = 0, at = 0; row < rows; row++) {
    let score = bias;
    let rounded = 0;
    for (let j = 0; j < perRow; j++, at++) {
      const weight = weights[ids === null ? j : (ids[at] as number)] as number;
      const value = values[at] as number;
      score += weight * value;
      rounded += Math.abs(weight) * (Math.abs(value) + Math.abs(value - (offsets[j] ?? value)));
    }
    scores[row] = score;
    tolerances[row] = 2 ** -24 * (1 + 2 ** -22) * rounded + 2 * (perRow + 1) * 2 ** -53 * (rounded + folded);
  }
  return { scores, tolerances };
}

/** The value of code 0 per dimension, which is the lowest there is; none for ratio codes. */
function offsetsOf(modality: Modality, { perRow, values }: Decoded): Float32Array {
  if (modality.manifest.codec === 'ratio') return new Float32Array(0);
  const lowest = new Float32Array(perRow).fill(Number.POSITIVE_INFINITY);
  for (let at = 0; at < values.length; at++) {
    const d = at % perRow;
    lowest[d] = Math.min(lowest[d] as number, values[at] as number);
  }
  return lowest;
}

function checkWithin(t: Test, answer: RoundResult, { scores, tolerances }: Reference, request: RoundRequest): void {
  t.equal(answer.items.length, K);
  t.equal(new Set(answer.items).size, K, 'no item twice');
  const within = (item: number, score: number): boolean =>
    Math.abs((scores[item] as number) - score) <= (tolerances[item] as number);
  t.ok(
    answer.items.every((item, i) => within(item, answer.scores[i] as number)),
    'scores of double arithmetic, within the rounding of decoded floats',
  );
  t.ok(
    answer.items.every((item, i) => i === 0 || comesBefore(answer, i - 1, item, answer.scores[i] as number)),
    'best first, ties by item number',
  );
  const worst = answer.scores[K - 1] as number;
  const out = new Set([...answer.items, ...request.positive, ...request.negative]);
  let better = 0;
  scores.forEach((score, item) => {
    if (score > worst + (tolerances[item] as number) && !out.has(item)) better++;
  });
  t.equal(better, 0, 'nothing better is left out');
  // A float keeps 24 bits, so this leaves nothing to hide behind: a few millionths of the spread of the scores.
  const spread = Math.max(...scores) - Math.min(...scores);
  t.ok(Math.max(...tolerances) < 1e-5 * spread, 'the tolerance is a sliver of the scores');
}

function comesBefore(answer: RoundResult, i: number, item: number, score: number): boolean {
  const before = answer.scores[i] as number;
  return before > score || (before === score && (answer.items[i] as number) < item);
}
