// AUC and training time of MLP heads, beside scikit-learn's on the same rows.

import type { Collection, Modality } from '../../src/index/open.ts';
import { trainMlp } from '../../src/models/mlp.ts';
import type { TrainingRows } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { type Random, seededRandom } from '../../src/random.ts';
import { MLP_DEFAULTS } from '../../src/round-request.ts';
import { caltech97, groupsOf, indexOf } from '../datasets/collections.ts';
import { mean, quantiles, short } from '../measure.ts';
import type { Reference, Split } from '../mlp-reference/reference.ts';

const COMPARED = [[], [32], [64, 32]] as const;
/** Up to the largest network that a request may ask for; scikit-learn's would take minutes. */
const OURS_ALONE = [[128], [256, 256]] as const;
const REPETITIONS = 7;

/** Per kind of label set and hidden layers, means of AUC and medians of time. */
export async function qualities(
  reference: Reference | null,
  seed: number,
  sets: number,
): Promise<Record<string, string>[]> {
  const { collection } = await indexOf(caltech97);
  const modality = collection.modalities.get('visual') as Modality;
  const groups = groupsOf(caltech97).filter(({ length }) => length >= 60);
  const kinds = [
    { name: '10 + 100, five classes', classes: 5, positives: 10, negatives: 100 },
    { name: '400 + 1600, ten classes', classes: 10, positives: 400, negatives: 1600 },
  ];
  return kinds.flatMap(({ name, classes, positives, negatives }) => {
    const splits = Array.from({ length: sets }, (_, set) =>
      splitOf(collection, modality, groups, seededRandom(seed, `${name} ${set}`), classes, positives, negatives),
    );
    return [...COMPARED, ...OURS_ALONE].map((hidden) => {
      const ours = splits.map((split) => ownResult(split, hidden, seed));
      const peer = OURS_ALONE.some((alone) => alone === hidden) ? null : reference;
      const theirs = splits.map((split) => peer?.train(split, hidden, MLP_DEFAULTS.c) ?? null);
      const row = { set: name, hidden: `[${hidden}]`, AUC: mean(ours.map(({ auc }) => auc)).toFixed(4) };
      const timed = { ...row, ms: short(quantiles(ours.map(({ ms }) => ms)).median) };
      if (theirs.includes(null)) return timed;
      return {
        ...timed,
        "sklearn's AUC": mean(theirs.map((their) => their?.auc ?? 0)).toFixed(4),
        "sklearn's ms": short(quantiles(theirs.map((their) => their?.ms ?? 0)).median),
      };
    });
  });
}

function ownResult(
  { train, dims, labels, rows }: Split,
  hidden: readonly number[],
  seed: number,
): { auc: number; ms: number } {
  const values = rows.subarray(0, train * dims);
  const training: TrainingRows = { dims, perRow: dims, ids: null, values, labels: labels.subarray(0, train) };
  const options = { hidden, c: MLP_DEFAULTS.c, seed };
  const times: number[] = [];
  let model = trainMlp(training, options);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const start = performance.now();
    model = trainMlp(training, options);
    times.push(performance.now() - start);
  }
  const scores = Array.from({ length: labels.length - train }, (_, i) =>
    scoreOf(model, rows, (train + i) * dims, dims),
  );
  return { auc: areaUnderCurve(scores, labels.subarray(train)), ms: quantiles(times).median };
}

/** A plain forward pass, so that the figure does not rest on the native one. */
function scoreOf(model: ReturnType<typeof trainMlp>, rows: Float32Array, from: number, dims: number): number {
  let inputs = Float64Array.from(rows.subarray(from, from + dims));
  const hidden = 'hidden' in model ? [...model.hidden] : [];
  const parameters = 'hidden' in model ? model.parameters : Float32Array.of(...model.weights, model.bias);
  let at = 0;
  for (const units of [...hidden, 1]) {
    const sums = new Float64Array(units);
    for (let u = 0; u < units; u++) {
      for (let d = 0; d < inputs.length; d++)
        (sums[u] as number) += (parameters[at++] as number) * (inputs[d] as number);
    }
    for (let u = 0; u < units; u++) (sums[u] as number) += parameters[at++] as number;
    if (at === parameters.length) return sums[0] as number;
    inputs = sums.map((sum) => Math.max(0, sum));
  }
  return Number.NaN;
}

/** The chance that a positive scores above a negative, ties half. */
function areaUnderCurve(scores: readonly number[], labels: Int8Array): number {
  const order = scores.map((_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let below = 0;
  let area = 0;
  for (let i = 0; i < order.length; ) {
    let end = i;
    let positives = 0;
    while (end < order.length && scores[order[end] as number] === scores[order[i] as number]) {
      positives += (labels[order[end++] as number] as number) > 0 ? 1 : 0;
    }
    const negatives = end - i - positives;
    area += positives * (below + negatives / 2);
    below += negatives;
    i = end;
  }
  return area / (below * (order.length - below));
}

function splitOf(
  collection: Collection,
  modality: Modality,
  groups: readonly Uint32Array[],
  random: Random,
  classes: number,
  positives: number,
  negatives: number,
): Split {
  const wanted = new Set(
    shuffled(groups, random.below)
      .slice(0, classes)
      .flatMap((group) => [...group]),
  );
  const items = shuffled(
    Array.from({ length: collection.items }, (_, item) => item),
    random.below,
  );
  const inside = items.filter((item) => wanted.has(item));
  const outside = items.filter((item) => !wanted.has(item));
  const used = [...inside.slice(0, positives), ...outside.slice(0, negatives)];
  const all = Uint32Array.of(...used, ...inside.slice(positives), ...outside.slice(negatives));
  const { dims } = modality.manifest;
  const rows = new Float32Array(all.length * dims);
  native.decodeItems(modality.cells, all, new Uint32Array(0), rows);
  return { train: used.length, dims, rows, labels: Int8Array.from(all, (item) => (wanted.has(item) ? 1 : -1)) };
}

function shuffled<T>(list: readonly T[], below: (limit: number) => number): T[] {
  const out = [...list];
  for (let i = out.length; i > 1; i--) {
    const j = below(i);
    [out[i - 1], out[j]] = [out[j] as T, out[i - 1] as T];
  }
  return out;
}
