// MLP heads: what they learn, rounds with them against brute force, and the portable form.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Collection } from '../../src/index/open.ts';
import { trainMlp } from '../../src/models/mlp.ts';
import type { MlpModel, Model, TrainingRows } from '../../src/models/model.ts';
import { trainRocchio } from '../../src/models/rocchio.ts';
import { moments } from '../../src/moments.ts';
import { featureSpaceOf, type PortableModel } from '../../src/portable-model.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { type RoundRequest, SAMPLER_RANGES } from '../../src/round-request.ts';
import { sweep } from '../../src/sweep.ts';
import {
  caltech97,
  clustered,
  collectionOf,
  dataFolder,
  decode,
  denseFile,
  everyItem,
  type Inputs,
  modalityOf,
  requestOf,
  sparseFiles,
  sparseRows,
  testOn,
  twoModalities,
} from '../data.ts';
import { SessionClient } from '../sessions/client.ts';
import { startTestServer, temporaryFolder } from '../support.ts';

const ITEMS = 1000;
const SEED = 5;
const collection = await twoModalities(t, ITEMS);
const labels = { positive: Uint32Array.of(900, 5, 77), negative: Uint32Array.of(3, 420, 40, 41) };

t.test(
  'an exhaustive round suggests the best of double arithmetic, dense and sparse, one and two layers',
  async (t) => {
    for (const hidden of [[], [8], [40, 7]]) {
      for (const name of ['visual', 'text']) {
        const request = ask({ modalities: [{ name, weight: 1 }], model: { kind: 'mlp', hidden, c: 10 } });
        const answer = round(collection, request);
        const expected = scoresOf(collection, answer, name);
        const taken = new Set([...request.positive, ...request.negative]);
        const order = [...everyItem(collection)]
          .filter((item) => !taken.has(item))
          .sort((a, b) => (expected[b] as number) - (expected[a] as number) || a - b);
        for (const [i, score] of answer.scores.entries()) {
          // Sums in another order differ by roundings of doubles, decoded linear scores by one of floats.
          near(t, score, expected[order[i] as number] as number, `${name} [${hidden}] place ${i}`);
          near(t, score, expected[answer.items[i] as number] as number, `${name} [${hidden}] item ${i}`);
        }
        t.equal(answer.coverage.complete, true);
      }
    }
  },
);

t.test('a round is the same at any number of threads, and every sampler and the sweep take such heads', async (t) => {
  const mix = { farthest: 5, spread: 5, random: 5, grid: 5 };
  const [one, four] = [1, 4].map((workers) => round(collection, ask({ workers, mix, k: 20, random: { alpha: 0.5 } })));
  t.strictSame(one, four);
  for (const { share, suggested } of Object.values(one?.mix ?? {})) t.ok(share === 5 && suggested >= 1);
  const swept = sweep(collection, { ...ask({}), alpha: SAMPLER_RANGES.alpha[0] });
  t.equal(swept?.items.length, ITEMS);
  t.ok(swept?.scores.every(Number.isFinite));
});

t.test('few clusters hold most of what every cluster holds', async (t) => {
  const all = round(collection, ask({ k: 50 }));
  const some = round(collection, ask({ k: 50, exhaustive: false, clusters: 6 }));
  t.ok(some.coverage.itemsScored < all.coverage.itemsScored);
  const best = new Set(all.items);
  const found = some.items.filter((item) => best.has(item)).length;
  // Six clusters at random would hold their share of the items.
  t.ok(found / 50 > some.coverage.itemsScored / all.coverage.itemsScored, `${found} of 50`);
});

t.test('hidden layers tell apart what crosses, where logistic regression cannot', async (t) => {
  const train = crossed(400, 1);
  const test = crossed(400, 2);
  const auc = (hidden: readonly number[]): number => {
    const model = trainMlp(train, { hidden, c: 10, seed: SEED });
    const layers = 'hidden' in model ? layersOf(model, 10) : [{ weights: [[...model.weights]], bias: [model.bias] }];
    const scores = Array.from(test.labels, (_, row) => forward(layers, test.values.subarray(row * 10, row * 10 + 10)));
    return areaUnderCurve(scores, test.labels);
  };
  // Turned round its centre the pattern keeps its labels and a plane's scores change sign: any plane has an AUC of 1/2,
  // with 200 of each class give or take a standard error of sqrt(401 / 12) / 200 = .029.
  t.ok(auc([]) < 0.7, `logistic regression ${auc([])}`);
  t.ok(auc([32]) > 0.9, `[32] ${auc([32])}`);
  t.ok(auc([16, 16]) > 0.9, `[16,16] ${auc([16, 16])}`);
});

testOn(t, caltech97, 'networks rank unseen items no worse than logistic regression', async (t, inputs) => {
  const { visual } = inputs;
  const real = await collectionOf(t, visual === undefined ? {} : { visual });
  const folder = dataFolder();
  // Positives are three classes of the real data; of generated data, what crosses in two dimensions.
  const classes = folder === null ? null : readFileSync(join(folder, 'caltech97/labels.npy'));
  const classOf = (item: number): number => classes?.readInt32LE(10 + classes.readUInt16LE(8) + 4 * item) ?? item % 97;
  const rows = denseRows(real, 'visual', everyItem(real));
  const wanted = (item: number): boolean => [3, 12, 40].includes(classOf(item));
  const even = [...everyItem(real)].filter((item) => item % 2 === 0);
  const chosen = [...even.filter(wanted).slice(0, 60), ...even.filter((item) => !wanted(item)).slice(0, 400)];
  const others = [...everyItem(real)].filter((item) => item % 2 === 1);
  const labels = Int8Array.from(chosen, (item) => (wanted(item) ? 1 : -1));
  const values = Float32Array.from(chosen.flatMap((item) => rows[item] as number[]));
  const training: TrainingRows = { dims: 1280, perRow: 1280, ids: null, values, labels };
  const truth = Int8Array.from(others, (item) => (wanted(item) ? 1 : -1));
  const winsOf = (model: Model): Wins => {
    const layers = 'hidden' in model ? layersOf(model, 1280) : [{ weights: [[...model.weights]], bias: [model.bias] }];
    return wins(
      others.map((item) => forward(layers, rows[item] as number[])),
      truth,
    );
  };
  const linear = winsOf(trainMlp(training, { hidden: [], c: 10, seed: SEED }));
  // The means of the classes are the least that labels tell; logistic regression must not lose to them.
  const rocchio = winsOf(trainRocchio(training, { positiveWeight: 1, negativeWeight: 1 }));
  for (const [title, better, worse] of [
    ['logistic regression, means of the classes', linear, rocchio],
    ['[32], logistic regression', winsOf(trainMlp(training, { hidden: [32], c: 10, seed: SEED })), linear],
    ['[32,16], logistic regression', winsOf(trainMlp(training, { hidden: [32, 16], c: 10, seed: SEED })), linear],
  ] as const) {
    const { difference, error } = compared(better, worse);
    // Three standard errors: what two equally good models differ by in one draw of items of a few hundred at most.
    t.ok(difference > -3 * error, `${title}: AUC ${difference} apart, standard error ${error}`);
  }
});

t.test('the body of GET /model scores rows of the input files, with the script of docs/http.md', async (t) => {
  const script = /```js\n\/\/ score\.mjs[\s\S]*?\n([\s\S]*?)```/.exec(
    readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8'),
  );
  t.ok(script !== null && script[0].split('\n').length <= 22);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'score.mjs'), script?.[1] ?? '');
  const { inputs, vectors } = inputFiles(folder);
  const indexed = await collectionOf(t, inputs, { clusterSize: 20 });
  const server = await startTestServer(t, { collections: { small: indexed.directory } });
  for (const hidden of [[], [8], [12, 6]]) {
    for (const [name, rows] of Object.entries(vectors)) {
      const settings = { modalities: { [name]: {} }, model: { kind: 'mlp', hidden } };
      const session = await SessionClient.create(server, settings);
      await session.call('PUT', '/labels', { positive: [...labels.positive], negative: [...labels.negative] });
      const body = await (await fetch(`${server.url}/v1/sessions/${session.id}/model`)).text();
      const { items } = (await session.round({ k: 200, search: { exhaustive: true } })).body;
      const chosen = items.map(({ id }) => rows[id] as number[]);
      writeFileSync(join(folder, 'model.json'), body);
      writeFileSync(join(folder, 'vectors.json'), JSON.stringify(chosen));
      const out = execFileSync('node', ['score.mjs', 'model.json', name, 'vectors.json'], {
        cwd: folder,
        encoding: 'utf8',
      });
      const portable = JSON.parse(body) as PortableModel;
      t.equal(portable.feature_space, featureSpaceOf(indexed));
      const bounds = chosen.map((row) => scoreBound(portable.modalities[name], row));
      t.ok(Math.max(...bounds) < spreadOf(items.map(({ score }) => score)), 'the bound tells scores apart');
      const scores = JSON.parse(out) as number[];
      const off = items.map(({ score }, i) => Math.abs(score - (scores[i] as number)) / (bounds[i] as number));
      t.equal(scores.length, 200);
      t.ok(Math.max(...off) <= 1, `${name} [${hidden}]: ${Math.max(...off)} of what is allowed`);
    }
  }
});

t.test('without positives, and unless asked for, there is no model in the answer', async (t) => {
  t.strictSame(round(collection, ask({ positive: new Uint32Array(0), returnModel: true })).trained, []);
  t.strictSame(round(collection, ask({ returnModel: false })).trained, []);
});

/** Files of one dense modality and one of which the codec keeps four features of six, and their rows as plain vectors. */
function inputFiles(folder: string): {
  readonly inputs: Inputs;
  readonly vectors: Readonly<Record<string, readonly (readonly number[])[]>>;
} {
  const [dims, words, perRow] = [24, 300, 6];
  const values = clustered(ITEMS, dims, 12, 11);
  const sparse = sparseRows(ITEMS, words, perRow, 12);
  const text = sparseFiles(folder, 'text', sparse, perRow);
  const inputs = {
    visual: { path: denseFile(folder, 'visual', values, dims), options: {} },
    text: { ...text, options: { ...text.options, features: '4', dims: `${words}` } },
  };
  const textRow = (item: number): number[] => {
    const row = new Array<number>(words).fill(0);
    for (let j = item * perRow; j < (item + 1) * perRow; j++) row[sparse.ids[j] as number] = sparse.values[j] as number;
    return row;
  };
  const rowsBy = (row: (item: number) => number[]) => Array.from({ length: ITEMS }, (_, item) => row(item));
  const visual = rowsBy((item) => [...values.subarray(item * dims, (item + 1) * dims)]);
  return { inputs, vectors: { visual, text: rowsBy(textRow) } };
}

/**
 * How far the score of a stored vector can be from that of its input. A value is off by max_value_error and three roundings
 * to float of numbers below 2: of the value at unit length, of step times code and of the sum that decodes it. A unit's sum
 * is off by what its inputs are, times their weights' magnitudes. A weight of nine digits is off by at most 5e-9 of itself,
 * here twice that, which holds the roundings of doubles too, and what errors of weights and values make of one another.
 * Rectifying brings no two values further apart.
 */
function scoreBound(modality: PortableModel['modalities'][string] | undefined, row: readonly number[]): number {
  if (modality === undefined) throw new RangeError('the model lacks the modality');
  const kept = [...row.keys()]
    .sort((a, b) => (row[b] as number) - (row[a] as number))
    .slice(0, modality.features ?? row.length);
  const length = Math.hypot(...kept.map((d) => row[d] as number));
  let sizes = row.map(() => 0);
  let errors = row.map(() => 0);
  for (const d of kept) {
    sizes[d] = Math.abs(row[d] as number) / length;
    errors[d] = modality.max_value_error + 3 * 2 ** -23;
  }
  for (const { weights, bias } of modality.layers) {
    const [before, off] = [sizes, errors];
    const sum = (unit: readonly number[], of: readonly number[]): number =>
      unit.reduce((total, weight, d) => total + Math.abs(weight) * (of[d] as number), 0);
    sizes = weights.map((unit, u) => sum(unit, before) + Math.abs(bias[u] as number));
    errors = weights.map((unit, u) => sum(unit, off) + 1e-8 * (sizes[u] as number));
  }
  return errors[0] as number;
}

function spreadOf(scores: readonly number[]): number {
  return Math.max(...scores) - Math.min(...scores);
}

function ask(change: Partial<RoundRequest>): RoundRequest {
  const model = { kind: 'mlp', hidden: [8], c: 10 } as const;
  return requestOf(collection, { ...labels, exhaustive: true, returnModel: true, seed: SEED, model, ...change });
}

function near(t: Test, actual: number, expected: number, title: string): void {
  if (!(Math.abs(actual - expected) <= 1e-5 * (1 + Math.abs(expected)))) t.fail(`${title}: ${actual}, not ${expected}`);
}

interface Layer {
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

/** The oracle: a plain forward pass over the decoded vectors. */
function scoresOf(collection: Collection, answer: ReturnType<typeof round>, name: string): number[] {
  const [trained] = answer.trained;
  if (trained === undefined) throw new RangeError('no model was returned');
  const { model } = trained;
  const { dims } = modalityOf(collection, name).manifest;
  const layers = 'hidden' in model ? layersOf(model, dims) : [{ weights: [[...model.weights]], bias: [model.bias] }];
  return denseRows(collection, name, everyItem(collection)).map((vector) => forward(layers, vector));
}

function layersOf({ hidden, parameters }: MlpModel, dims: number): Layer[] {
  let at = 0;
  const take = (count: number): number[] => {
    at += count;
    return [...parameters.subarray(at - count, at)];
  };
  return [...hidden, 1].map((units, layer) => {
    const inputs = layer === 0 ? dims : (hidden[layer - 1] as number);
    const weights = Array.from({ length: units }, () => take(inputs));
    return { weights, bias: take(units) };
  });
}

function forward(layers: readonly Layer[], vector: ArrayLike<number>): number {
  let values = Array.from(vector);
  for (const [l, { weights, bias }] of layers.entries()) {
    const inputs = l === 0 ? values : values.map((value) => Math.max(0, value));
    values = weights.map((row, u) => row.reduce((sum, w, d) => sum + w * (inputs[d] as number), bias[u] as number));
  }
  return values[0] as number;
}

function denseRows(collection: Collection, name: string, items: Uint32Array): number[][] {
  const modality = modalityOf(collection, name);
  const { perRow, ids, values } = decode(modality, items);
  return Array.from(items, (_, row) => {
    const out = new Array<number>(modality.manifest.dims).fill(0);
    for (let j = row * perRow; j < (row + 1) * perRow; j++) {
      const at = ids === null ? j - row * perRow : (ids[j] as number);
      out[at] = (out[at] as number) + (values[j] as number);
    }
    return out;
  });
}

/** Rows of 10 uniform values; positive where the first two have the same sign. */
function crossed(rows: number, seed: number): TrainingRows {
  const random = seededRandom(seed, 'crossed');
  const values = Float32Array.from({ length: rows * 10 }, () => random.below(2 ** 24) / 2 ** 23 - 1);
  const labels = Int8Array.from({ length: rows }, (_, row) =>
    (values[row * 10] as number) * (values[row * 10 + 1] as number) > 0 ? 1 : -1,
  );
  return { dims: 10, perRow: 10, ids: null, values, labels };
}

/** Of every positive the share of negatives it scores above, of every negative the share of positives above it. */
interface Wins {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

function wins(scores: readonly number[], labels: Int8Array): Wins {
  const [positives, negatives] = [1, -1].map((label) => scores.filter((_, i) => labels[i] === label)) as [
    number[],
    number[],
  ];
  const share = (list: readonly number[], holds: (score: number) => boolean): number =>
    list.filter(holds).length / list.length;
  return {
    positives: positives.map((score) => share(negatives, (other) => other < score)),
    negatives: negatives.map((score) => share(positives, (other) => other > score)),
  };
}

/** The difference of two AUCs on the same items and its standard error (DeLong et al., Biometrics 1988). */
function compared(a: Wins, b: Wins): { readonly difference: number; readonly error: number } {
  const parts = (['positives', 'negatives'] as const).map((side) =>
    moments(Float64Array.from(a[side], (share, i) => share - (b[side][i] as number))),
  );
  const [positives, negatives] = parts as [(typeof parts)[0], (typeof parts)[0]];
  const error = Math.sqrt(
    positives.deviation ** 2 / a.positives.length + negatives.deviation ** 2 / a.negatives.length,
  );
  return { difference: positives.mean, error };
}

/** The chance that a positive scores above a negative. */
function areaUnderCurve(scores: readonly number[], labels: Int8Array): number {
  let above = 0;
  let pairs = 0;
  for (const [i, a] of scores.entries()) {
    for (const [j, b] of scores.entries()) {
      if (!((labels[i] as number) > 0 && (labels[j] as number) < 0)) continue;
      above += a > b ? 1 : 0;
      pairs++;
    }
  }
  return above / pairs;
}
