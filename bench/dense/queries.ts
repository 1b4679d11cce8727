// What a dense codec is measured with: the input vectors at unit length, SVM hyperplanes trained on them, and the items
// that score best in float32. Items of equal score are equally right, as in the quality report: which of them a search
// returns is no merit of it.

import { type OpenedReader, openReader } from '../../index-builder/readers/open-reader.ts';
import { type LabelSet, randomLabelSets } from '../../src/label-sets.ts';
import { trainLinearSvm } from '../../src/models/linear-svm.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { bestOf } from '../baselines/best-items.ts';
import { scoreRows } from '../baselines/float-scan.ts';
import { type Dataset, specsOf } from '../datasets/collections.ts';

export const TOP = 100;
const CHUNK_ROWS = 8192;

export interface Queries {
  readonly rows: number;
  readonly dims: number;
  readonly models: readonly LinearModel[];
  /** Per model the items whose float32 score reaches the TOP-th largest; more than TOP where items tie there. */
  readonly truth: readonly Uint32Array[];
}

export interface Labels {
  readonly positives: number;
  readonly negatives: number;
}
const FEW_LABELS: Labels = { positives: 10, negatives: 100 };

/** The kinds of queries that recall is measured for, and how many of each. */
export const LABEL_KINDS = [
  { name: '10+100', ...FEW_LABELS, hyperplanes: 100 },
  { name: '100+1000', positives: 100, negatives: 1000, hyperplanes: 40 },
  { name: 'item', positives: 1, negatives: 0, hyperplanes: 100 },
] as const;

/**
 * Hyperplanes of the default model, from random labels, and their exhaustive float32 answers. One label alone is a query of
 * its own: what is nearest to that item.
 */
export async function queriesOf(
  dataset: Dataset,
  modality: string,
  count: number,
  each = FEW_LABELS,
): Promise<Queries> {
  const spec = specsOf(dataset).find(({ name }) => name === modality);
  if (spec === undefined) throw new RangeError(`${dataset.name} has no modality ${modality}`);
  return await queriesOfFile(spec.path, count, each);
}

export async function queriesOfFile(path: string, count: number, each = FEW_LABELS): Promise<Queries> {
  const { reader } = await openReader(path, new Map());
  const { rows, dims } = reader;
  const labels = randomLabelSets(rows, { count, ...each, seed: 1 });
  const wanted = new Map<number, Float32Array>();
  for (const item of labels.flatMap(({ positive, negative }) => [...positive, ...negative])) {
    for await (const { values } of unitChunks(reader, 1, item)) {
      wanted.set(item, values.slice(0, dims));
      break;
    }
  }
  const models = labels.map((set) => modelOf(set, dims, wanted));
  const scores = models.map(() => new Float32Array(rows));
  for await (const { firstRow, values } of unitChunks(reader, CHUNK_ROWS)) {
    const count = values.length / dims;
    const block = { perRow: dims, dims, ids: null, values, rows: count };
    for (const [m, model] of models.entries()) {
      scoreRows(block, model, (scores[m] as Float32Array).subarray(firstRow, firstRow + count));
    }
  }
  reader.close();
  return { rows, dims, models, truth: scores.map(reachingTop) };
}

const NONE = new Float32Array(0);

/** The share of TOP items that are among the true best, over all queries. */
export function recallOf(truth: readonly Uint32Array[], found: readonly ArrayLike<number>[]): number {
  const hits = truth.map((items, q) => {
    const set = new Set(items);
    const right = Array.from(found[q] as ArrayLike<number>)
      .slice(0, TOP)
      .filter((item) => set.has(item)).length;
    return right / Math.min(TOP, items.length);
  });
  return hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
}

/** The TOP best, and whatever else scores as much as the last of them. */
function reachingTop(scores: Float32Array): Uint32Array {
  const best = bestOf(scores, TOP);
  const least = scores[best.at(-1) as number] as number;
  const among = new Set(best);
  const ties: number[] = [];
  scores.forEach((score, item) => {
    if (score === least && !among.has(item)) ties.push(item);
  });
  return Uint32Array.of(...best, ...ties);
}

function modelOf({ positive, negative }: LabelSet, dims: number, rows: ReadonlyMap<number, Float32Array>): LinearModel {
  const items = [...positive, ...negative];
  const [only] = items;
  if (only !== undefined && items.length === 1) return { weights: rows.get(only) ?? NONE, bias: 0 };
  const values = new Float32Array(items.length * dims);
  items.forEach((item, i) => {
    values.set(rows.get(item) ?? NONE, i * dims);
  });
  const labels = Int8Array.from(items, (_, i) => (i < positive.length ? 1 : -1));
  return trainLinearSvm(
    { dims, perRow: dims, ids: null, values, labels },
    { c: 10, loss: 'squared_hinge', positiveWeight: 1, seed: 0 },
  );
}

/** All rows, each at unit length. */
export async function unitRows(reader: OpenedReader['reader']): Promise<Float32Array> {
  const all = new Float32Array(reader.rows * reader.dims);
  for await (const { firstRow, values } of unitChunks(reader, CHUNK_ROWS)) all.set(values, firstRow * reader.dims);
  return all;
}

/** Chunks of dense rows, each row at unit length. */
async function* unitChunks(
  reader: OpenedReader['reader'],
  rowsPerChunk: number,
  firstRow = 0,
): AsyncGenerator<{ firstRow: number; values: Float32Array }> {
  const { dims } = reader;
  for await (const chunk of reader.chunks(rowsPerChunk, firstRow)) {
    if (chunk.kind !== 'dense') throw new TypeError('dense codecs are measured on dense vectors');
    const values = chunk.values.subarray(0, chunk.rows * dims);
    for (let at = 0; at < values.length; at += dims) {
      let square = 0;
      for (let d = at; d < at + dims; d++) square += (values[d] as number) ** 2;
      const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
      for (let d = at; d < at + dims; d++) values[d] = (values[d] as number) * factor;
    }
    yield { firstRow: chunk.firstRow, values };
  }
}
