// Training at the sizes of a first and of a late round, as round.ts does it: linear SVMs (dot, axpy), logistic regression
// (dots, sums) and networks (layer), and scores of codes by a network (layer).

import { trainLinearSvm } from '../../src/models/linear-svm.ts';
import { parameterCount, trainMlp } from '../../src/models/mlp.ts';
import type { TrainingRows } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { MLP_DEFAULTS, ROUND_DEFAULTS } from '../../src/round-request.ts';
import { normals } from '../datasets/synthetic.ts';
import { cellsOf } from './cells.ts';
import { cpuNs, type Line, SEED } from './line.ts';
import { type RandomCodes, ratioCodes, sq8Codes, TILE_ROWS } from './random-codes.ts';

const NETWORK_ROWS = 2000;
/** Plain C++ takes seconds a training. */
const NETWORK_REPETITIONS = 4;
const NETWORKS = [[], [32], [256, 256]] as const;
const SCORED_BY = [[32], [64, 32], [256, 256]] as const;

export function svmLines(): readonly Line[] {
  const shapes = [128, 1280, 12_988].flatMap((dims) => [110, 1100].map((rows) => [dims, rows] as const));
  return shapes.map(([dims, rows]) => {
    const perRow = dims === 12_988 ? 5 : dims;
    const training = trainingRows(rows, dims, perRow);
    const run = (seed: number) => trainLinearSvm(training, { ...ROUND_DEFAULTS.model, seed });
    const [ns] = cpuNs([{ name: 'train', run }], rows > 1000 ? 2 : 10) as [number];
    const shape = perRow < dims ? `${perRow} of ${dims}` : dims;
    return callLine(`train SVM on ${rows} x ${shape}, C=${ROUND_DEFAULTS.model.c}`, ns);
  });
}

/** Most of [] is directions of rows of bytes; most of what a hidden layer adds is that layer. */
export function networkTrainingLines(): readonly Line[] {
  const training = trainingRows(NETWORK_ROWS, 1280, 1280);
  return NETWORKS.map((hidden) => {
    const run = (seed: number) => trainMlp(training, { hidden, c: MLP_DEFAULTS.c, seed });
    const [ns] = cpuNs([{ name: 'train', run }], 1, NETWORK_REPETITIONS) as [number];
    return callLine(`train MLP [${hidden}] on ${NETWORK_ROWS} x 1280`, ns);
  });
}

/** Approximate scores of codes in cache; dense rows are decoded and laid side by side for the kernel, sparse ones summed. */
export function networkLines(): readonly Line[] {
  return [sq8Codes(128), sq8Codes(1280), ratioCodes(1024, 6)].flatMap((codes) =>
    SCORED_BY.map((hidden) => networkLine(codes, hidden)),
  );
}

function networkLine(codes: RandomCodes, hidden: readonly number[]): Line {
  const normal = normals(seededRandom(SEED, 'network'));
  const length = parameterCount(codes.dims, hidden);
  const parameters = Float32Array.from({ length }, () => normal() / Math.sqrt(codes.dims));
  const head = native.mlpHead(cellsOf(codes, TILE_ROWS, 64), Uint32Array.from(hidden), parameters);
  const count = Math.max(256, Math.floor(2 ** 25 / length / 256) * 256);
  const items = Math.min(TILE_ROWS, count);
  const scores = new Float32Array(TILE_ROWS);
  const sums = new Float64Array(6);
  const [ns] = cpuNs([{ name: 'score', run: () => native.sweepSlots(head, 0, items, scores, sums) }], 1) as [number];
  return {
    kernel: `score ${codes.name} by MLP [${hidden}]`,
    unit: 'vector',
    ns: ns / items,
    bytes: 0,
    javascriptNs: null,
  };
}

function callLine(kernel: string, ns: number): Line {
  return { kernel, unit: 'call', ns, bytes: 0, javascriptNs: null };
}

/** Every eleventh row is a positive. */
function trainingRows(rows: number, dims: number, perRow: number): TrainingRows {
  const random = seededRandom(SEED, 'svm');
  const normal = normals(random);
  const ids =
    perRow < dims
      ? Uint32Array.from({ length: rows * perRow }, (_, i) => (random.below(2000) * 5 + (i % 5)) % dims)
      : null;
  const values = Float32Array.from({ length: rows * perRow }, () => normal() / Math.sqrt(perRow));
  const labels = Int8Array.from({ length: rows }, (_, row) => (row % 11 === 0 ? 1 : -1));
  return { dims, perRow, ids, values, labels };
}
