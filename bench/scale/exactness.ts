// How exact a search of every item is: what the 8-bit scan alone would select, and what comes out once exact scores have
// decided, both against scoring everything in double arithmetic. Scores stream through in blocks.

import type { Collection, Modality } from '../../src/index/open.ts';
import { readItemNumbers } from '../../src/index/sections.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import type { LinearModel } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { bestOf } from '../baselines/best-items.ts';
import { trained } from '../baselines/multimodal.ts';
import { mean } from '../measure.ts';

export interface Exactness {
  readonly modality: string;
  readonly hyperplanes: number;
  /** Share of the exact top 1000 inside the 8-bit top 1000, and inside the top 4000. Equal scores may replace each other. */
  readonly selected: number;
  readonly selectedWider: number;
  /** Share of the exact top 1000 in the search's result. */
  readonly refined: number;
  /** Hyperplanes whose result is the exact list, item by item: of a search of every item, and of all clusters. */
  readonly identical: number;
  readonly identicalOfClusters: number;
}

const TOP = 1000;
const WIDER = 4 * TOP;
const HYPERPLANES = 3;
/** A multiple of every codec's block. */
const BLOCK = 1 << 16;
/** Items of a block of codes: native/src/ratio.h and sq8.h. */
const RATIO_BLOCK_ITEMS = 64;
const SQ8_BLOCK_ITEMS = 16;

/** The best so far of a stream of scores, best first; equal ones by number. */
interface Top {
  readonly numbers: Uint32Array;
  readonly scores: Float64Array;
}

export function exactness(collection: Collection, modality: Modality, sets: readonly LabelSet[]): Exactness {
  const { items } = collection;
  const count = Math.min(TOP, items);
  const itemOfSlot = readItemNumbers(collection.directory, collection.manifest, `${modality.name}.items`);
  const rows = sets.slice(0, HYPERPLANES).map((labels) => {
    const model = trained(modality, { ...labels, seed: 0 });
    const exact = topOf(items, count, (first, out) => scoreRange(modality, model, first, out));
    const eightBit = topOf(items, Math.min(WIDER, items), (first, out) => scanRange(modality, model, first, out));
    const selected = exactScores(
      modality,
      model,
      eightBit.numbers.map((slot) => itemOfSlot[slot] as number),
    );
    const found = searched(modality, model, count);
    const isExact = (list: Uint32Array): boolean =>
      list.length === count && list.every((item, i) => item === exact.numbers[i]);
    const share = (scores: Float64Array): number => {
      const among = scores.filter((score) => score >= (exact.scores[count - 1] as number));
      return Math.min(count, among.length) / count;
    };
    return {
      selected: share(selected.subarray(0, count)),
      selectedWider: share(selected),
      refined: share(exactScores(modality, model, found)),
      identical: isExact(found),
      identicalOfClusters: isExact(searchedClusters(modality, model, count)),
    };
  });
  return {
    modality: modality.name,
    hyperplanes: rows.length,
    selected: mean(rows.map((row) => row.selected)),
    selectedWider: mean(rows.map((row) => row.selectedWider)),
    refined: mean(rows.map((row) => row.refined)),
    identical: rows.filter((row) => row.identical).length,
    identicalOfClusters: rows.filter((row) => row.identicalOfClusters).length,
  };
}

/** What a search of every item returns. */
function searched({ cells }: Modality, { weights, bias }: LinearModel, count: number): Uint32Array {
  const items = new Uint32Array(count);
  const scores = new Float64Array(count);
  const { found } = native.scanAll(
    native.linearHead(cells, weights, bias),
    new Uint32Array(0),
    1,
    Infinity,
    items,
    scores,
  );
  return items.subarray(0, found);
}

/** What a search of all clusters returns: a round's scan, of more clusters than a round reads. */
function searchedClusters(
  { cells, manifest: { clusters } }: Modality,
  { weights, bias }: LinearModel,
  count: number,
): Uint32Array {
  const all = Uint32Array.from({ length: clusters }, (_, c) => c);
  const items = new Uint32Array(count);
  const counts = new Uint32Array(1);
  const head = native.linearHead(cells, weights, bias);
  const nothing = new Uint32Array(0);
  native.scanClusters(head, all, count, nothing, 1, Number.POSITIVE_INFINITY, items, new Float64Array(count), counts);
  return items.subarray(0, counts[0]);
}

/** Exact scores of items first, first + 1, … */
function scoreRange(modality: Modality, model: LinearModel, first: number, out: Float64Array): void {
  const items = new Uint32Array(out.length);
  for (let i = 0; i < items.length; i++) items[i] = first + i;
  out.set(exactScores(modality, model, items));
}

function exactScores({ cells }: Modality, { weights, bias }: LinearModel, items: Uint32Array): Float64Array {
  const scores = new Float64Array(items.length);
  native.scoreItems(native.linearHead(cells, weights, bias), items, scores);
  return scores;
}

/** 8-bit scores of slots first, first + 1, … */
function scanRange(
  { codes, manifest }: Modality,
  { weights, bias }: LinearModel,
  first: number,
  out: Float64Array,
): void {
  const perBlock = manifest.ratio === undefined ? SQ8_BLOCK_ITEMS : RATIO_BLOCK_ITEMS;
  const scores = new Float32Array(Math.ceil(out.length / perBlock) * perBlock);
  native.scoreBlocks(codes, weights, bias, first / perBlock, scores);
  out.set(scores.subarray(0, out.length));
}

/** The best of `total` scores that `score` fills in block by block. */
function topOf(total: number, count: number, score: (first: number, out: Float64Array) => void): Top {
  const numbers = new Uint32Array(count + BLOCK);
  const scores = new Float64Array(count + BLOCK);
  const block = new Float64Array(BLOCK);
  let kept = 0;
  for (let first = 0; first < total; first += BLOCK) {
    const own = block.subarray(0, Math.min(BLOCK, total - first));
    score(first, own);
    const least = kept < count ? Number.NEGATIVE_INFINITY : (scores[kept - 1] as number);
    let end = kept;
    for (let i = 0; i < own.length; i++) {
      // Later numbers lose ties, so an equal score cannot enter.
      if (!((own[i] as number) > least)) continue;
      numbers[end] = first + i;
      scores[end++] = own[i] as number;
    }
    const best = bestOf(scores.subarray(0, end), count, numbers);
    const bestNumbers = best.map((i) => numbers[i] as number);
    const bestScores = Float64Array.from(best, (i) => scores[i] as number);
    numbers.set(bestNumbers);
    scores.set(bestScores);
    kept = best.length;
  }
  return { numbers: numbers.slice(0, kept), scores: scores.slice(0, kept) };
}
