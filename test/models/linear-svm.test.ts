// The linear SVM: how far its objective is from the optimum is measured here, in double, by weak duality.

import t, { type Test } from 'tap';
import { trainLinearSvm } from '../../src/models/linear-svm.ts';
import type { TrainingRows } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import type { SvmOptions, SvmResult } from '../../src/native-types.ts';
import { type Random, seededRandom } from '../../src/random.ts';
import { caltech97, collectionOf, decode, randomLabels, testOn, uniform } from '../data.ts';

/** What LinearSvm promises: (primal - dual) / primal. */
const EPSILON = 1e-3;
const options: SvmOptions = { squaredHinge: true, epsilon: EPSILON, maxIterations: 1000, seed: 1 };

interface Trained {
  readonly weights: Float32Array;
  readonly alpha: Float64Array;
  readonly result: SvmResult;
}

t.test('the duality gap is what is promised, at every C, loss and balance', async (t) => {
  const random = seededRandom(1, 'svm');
  for (const [rows, dims] of [
    [2, 1],
    [20, 5],
    [60, 300],
    [300, 16],
  ] as const) {
    const dense = randomRows(random, rows, dims);
    for (const squaredHinge of [true, false]) {
      for (const c of [1e-4, 1, 100, 1e4]) {
        const costs = Float64Array.from(dense.labels, (label) => (label > 0 ? 3 * c : c));
        const trained = train(dense, costs, { ...options, squaredHinge, maxIterations: 100_000 });
        const title = `${rows} x ${dims}, C = ${c}, ${squaredHinge ? 'squared ' : ''}hinge`;
        if (trained.result.converged) checkGap(t, dense, costs, squaredHinge, trained, EPSILON, title);
        else t.fail(`${title}: not converged`);
      }
    }
  }
});

t.test('the objective is that of a slow reference, run to the end', async (t) => {
  const random = seededRandom(2, 'svm');
  for (const squaredHinge of [true, false]) {
    const rows = randomRows(random, 40, 8);
    const costs = new Float64Array(40).fill(2);
    const reference = slowOptimum(rows, costs, squaredHinge);
    const { weights, result } = train(rows, costs, { ...options, squaredHinge });
    const primal = primalOf(rows, costs, squaredHinge, Float64Array.from(weights), result.bias);
    t.ok(primal >= reference * (1 - 1e-9), `${primal} is not below the optimum ${reference}`);
    t.ok(primal <= reference * (1 + EPSILON), 'and within a thousandth of it');
  }
});

t.test('dense and sparse rows of the same values agree', async (t) => {
  const random = seededRandom(3, 'svm');
  const dense = randomRows(random, 80, 12);
  for (let at = 0; at < dense.values.length; at++) if (random.below(2) === 0) dense.values[at] = 0;
  const sparse: TrainingRows = { ...dense, ids: Uint32Array.from(dense.values, (_, at) => at % 12) };
  const costs = new Float64Array(80).fill(1);
  const tight = { ...options, epsilon: 1e-5, maxIterations: 100_000 };
  const a = train(dense, costs, tight);
  const b = train(sparse, costs, tight);
  checkGap(t, dense, costs, true, a, 1e-5, 'dense');
  checkGap(t, dense, costs, true, b, 1e-5, 'sparse');
  // The objective is 1-strongly convex, so |w - w*|^2 / 2 <= P(w) - P* <= gap; two such w are 2 sqrt(2 gap) apart.
  const gap =
    Math.max(a.result.primal - a.result.dual, b.result.primal - b.result.dual, 0) + 2 ** -20 * a.result.primal;
  const apart = Math.hypot(...a.weights.map((w, d) => w - (b.weights[d] as number)), a.result.bias - b.result.bias);
  t.ok(apart <= 2 * Math.sqrt(2 * gap), `${apart} apart`);
});

t.test('a warm start from the solution has nothing left to do', async (t) => {
  const rows = randomRows(seededRandom(4, 'svm'), 200, 30);
  const costs = new Float64Array(200).fill(1);
  const cold = train(rows, costs, options);
  const warm = train(rows, costs, options, cold.alpha.slice());
  t.equal(warm.result.iterations, 0);
  t.ok(cold.result.iterations > 0);
  checkGap(t, rows, costs, true, warm, EPSILON, 'warm');
  // A start that is no solution at all is clipped to where one can be and ends the same.
  const wild = Float64Array.from(
    { length: 200 },
    (_, i) => [Number.NaN, -1, 1e300, Number.POSITIVE_INFINITY][i % 4] ?? 0,
  );
  checkGap(t, rows, costs, true, train(rows, costs, options, wild), EPSILON, 'wild');
});

t.test('small costs have a closed form', async (t) => {
  // As C goes to 0 all slacks stay near 1: alpha = C for hinge and 2 C slack for squared hinge, w = sum alpha y x.
  const rows = randomRows(seededRandom(5, 'svm'), 30, 6);
  const c = 1e-5;
  for (const [loss, factor] of [
    ['hinge', 1],
    ['squared_hinge', 2],
  ] as const) {
    const { weights, bias } = trainLinearSvm(rows, { c, loss, positiveWeight: 2, seed: 1 });
    const expected = new Float64Array(6);
    let expectedBias = 0;
    rows.labels.forEach((label, i) => {
      const alpha = factor * c * (label > 0 ? 2 : 1);
      for (let d = 0; d < 6; d++) (expected[d] as number) += alpha * label * (rows.values[i * 6 + d] as number);
      expectedBias += alpha * label;
    });
    // Slacks are within |w.x + b| <= 2 C n (|x|^2 + 1) of 1, and the gap allows sqrt(2 eps P), P <= 2 C n.
    const slack = factor * 2 * c * 30 * 7 * factor * 2 * c * 30 * 3 + Math.sqrt(2 * EPSILON * 2 * c * 30);
    const apart = Math.hypot(...weights.map((w, d) => w - (expected[d] as number)), bias - expectedBias);
    t.ok(apart <= slack, `${loss}: ${apart} apart, ${slack} allowed`);
  }
});

t.test('the same seed gives the same bits; rows of one label and of nothing are valid', async (t) => {
  const rows = randomRows(seededRandom(6, 'svm'), 50, 10);
  const settings = { c: 10, loss: 'squared_hinge', positiveWeight: 1, seed: 9 } as const;
  t.strictSame(trainLinearSvm(rows, settings), trainLinearSvm(rows, settings));
  const positives = trainLinearSvm({ ...rows, labels: new Int8Array(50).fill(1) }, settings);
  t.ok(positives.bias > 0 && positives.weights.every(Number.isFinite));
  const zeros = trainLinearSvm({ ...rows, values: new Float32Array(500) }, settings);
  t.ok(zeros.weights.every((weight) => weight === 0));
  const none = trainLinearSvm(
    { dims: 3, perRow: 3, ids: null, values: new Float32Array(0), labels: new Int8Array(0) },
    settings,
  );
  t.same([...none.weights, none.bias], [0, 0, 0, 0]);
});

testOn(t, caltech97, 'the duality gap on real features, dense and sparse', async (t, inputs) => {
  const collection = await collectionOf(t, inputs, { refine: 0 });
  for (const modality of collection.modalities.values()) {
    const random = seededRandom(7, modality.name);
    for (let set = 0; set < 3; set++) {
      const { positive, negative } = randomLabels(random, collection.items, 10, 100);
      const items = Uint32Array.of(...positive, ...negative);
      const labels = Int8Array.from(items, (_, i) => (i < positive.length ? 1 : -1));
      const rows = { dims: modality.manifest.dims, labels, ...decode(modality, items) };
      for (const c of [0.1, 10]) {
        const costs = new Float64Array(items.length).fill(c);
        checkGap(t, rows, costs, true, train(rows, costs, options), EPSILON, `${modality.name}, C = ${c}`);
      }
    }
  }
});

/**
 * Recomputes primal and dual in double. Every feasible alpha has dual <= optimum <= primal, so a small gap proves both.
 * The weights are floats: that moves w by 2^-24 |w|, and the dense solver sums them in float, so another 2^-16. Its own
 * dual is that of the summed weights; at C = 1e4 large terms cancel in them, and it is good to the promise only.
 */
function checkGap(
  t: Test,
  rows: TrainingRows,
  costs: Float64Array,
  squaredHinge: boolean,
  { weights, alpha, result }: Trained,
  epsilon: number,
  title: string,
): void {
  const primal = primalOf(rows, costs, squaredHinge, Float64Array.from(weights), result.bias);
  const dual = dualOf(rows, costs, squaredHinge, alpha);
  t.ok(
    alpha.every((a, i) => a >= 0 && (squaredHinge || a <= (costs[i] as number))),
    `${title}: alpha is feasible`,
  );
  t.ok(primal - dual <= (epsilon + 2 ** -16) * primal, `${title}: gap ${(primal - dual) / primal}`);
  t.ok(Math.abs(primal - result.primal) <= 1e-4 * primal, `${title}: primal as stated`);
  t.ok(Math.abs(dual - result.dual) <= EPSILON * primal, `${title}: dual as stated`);
}

function train(rows: TrainingRows, costs: Float64Array, settings: SvmOptions, start?: Float64Array): Trained {
  const alpha = start ?? new Float64Array(costs.length);
  const weights = new Float32Array(rows.dims);
  const { ids, values, perRow, dims, labels } = rows;
  const result =
    ids === null
      ? native.trainSvmDense(values, dims, labels, costs, settings, alpha, weights)
      : native.trainSvmSparse(ids, values, perRow, labels, costs, settings, alpha, weights);
  return { weights, alpha, result };
}

/** 1/2 |w|^2 + 1/2 b^2 + sum C_i max(0, 1 - y_i (w.x_i + b)), or its square. */
function primalOf(rows: TrainingRows, costs: Float64Array, squared: boolean, w: Float64Array, b: number): number {
  let primal = (w.reduce((sum, value) => sum + value * value, 0) + b * b) / 2;
  rows.labels.forEach((label, i) => {
    const slack = Math.max(0, 1 - label * (dot(rows, i, w) + b));
    primal += (costs[i] as number) * (squared ? slack * slack : slack);
  });
  return primal;
}

/** sum alpha_i - 1/2 |sum alpha_i y_i (x_i, 1)|^2, and - sum alpha_i^2 / (4 C_i) for the squared hinge. */
function dualOf(rows: TrainingRows, costs: Float64Array, squared: boolean, alpha: Float64Array): number {
  const w = new Float64Array(rows.dims);
  let b = 0;
  let dual = 0;
  alpha.forEach((a, i) => {
    const label = rows.labels[i] as number;
    add(rows, i, a * label, w);
    b += a * label;
    dual += a - (squared ? (a * a) / (4 * (costs[i] as number)) : 0);
  });
  return dual - (w.reduce((sum, value) => sum + value * value, 0) + b * b) / 2;
}

/** The optimum by plain dual coordinate descent (Hsieh et al. 2008, Algorithm 1) in double, many passes. */
function slowOptimum(rows: TrainingRows, costs: Float64Array, squared: boolean): number {
  const w = new Float64Array(rows.dims);
  const alpha = new Float64Array(costs.length);
  let b = 0;
  for (let pass = 0; pass < 20_000; pass++) {
    rows.labels.forEach((label, i) => {
      const cost = costs[i] as number;
      const diagonal = squared ? 1 / (2 * cost) : 0;
      const gradient = label * (dot(rows, i, w) + b) - 1 + diagonal * (alpha[i] as number);
      const square = rows.values.subarray(i * rows.perRow, (i + 1) * rows.perRow).reduce((sum, v) => sum + v * v, 1);
      const moved = Math.max(0, (alpha[i] as number) - gradient / (square + diagonal));
      const next = squared ? moved : Math.min(cost, moved);
      const step = (next - (alpha[i] as number)) * label;
      add(rows, i, step, w);
      b += step;
      alpha[i] = next;
    });
  }
  return primalOf(rows, costs, squared, w, b);
}

function dot({ perRow, ids, values }: TrainingRows, row: number, w: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = row * perRow; j < perRow; j++, at++) {
    sum += (values[at] as number) * (w[ids === null ? j : (ids[at] as number)] as number);
  }
  return sum;
}

function add({ perRow, ids, values }: TrainingRows, row: number, factor: number, w: Float64Array): void {
  for (let j = 0, at = row * perRow; j < perRow; j++, at++) {
    (w[ids === null ? j : (ids[at] as number)] as number) += factor * (values[at] as number);
  }
}

/** Dense rows in [-1, 1), labelled by a noisy plane; both labels occur. */
function randomRows(random: Random, rows: number, dims: number): TrainingRows {
  const values = Float32Array.from({ length: rows * dims }, () => 2 * uniform(random) - 1);
  const labels = Int8Array.from({ length: rows }, (_, i) =>
    (values[i * dims] as number) + (uniform(random) - 0.5) / 2 > 0 ? 1 : -1,
  );
  labels[0] = 1;
  labels[1] = -1;
  return { dims, perRow: dims, ids: null, values, labels };
}
