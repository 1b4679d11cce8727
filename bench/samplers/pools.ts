// Of the best items of a whole sweep, how many the pools of GridS hold: what their floors rest on. At any size.

import { fusedScan } from '../../src/fused-scan.ts';
import { trainHeads } from '../../src/heads.ts';
import type { Collection } from '../../src/index/open.ts';
import type { LabelSet } from '../../src/label-sets.ts';
import { native } from '../../src/native.ts';
import { requestOf } from './mixes.ts';
import { type Row, type Surveys, spreadOf } from './surveys.ts';

/** The best items asked for; and how many the 8-bit scan hands on to exact scores, so that all of those are among them. */
const COUNTS = [25, 100, 500] as const;
const SCANNED = 20_000;
const GRID = { components: 3, segments: 10, zeta: 1 } as const;

/** One row for each pool and count, over the label sets. */
export function poolRecalls(
  collection: Collection,
  sets: readonly LabelSet[],
  cases: readonly Surveys[],
): readonly Row[] {
  const shares = sets.map((labels, set) => {
    const { fast, positive, skip } = cases[set] as Surveys;
    const truth = bestOf(collection, labels, new Set(skip));
    // The last pool has the whole sample besides, and no better claim to the best items.
    const pools = [...fast().pools(GRID, positive)].slice(0, -1);
    return pools.map(({ items }) => {
      const held = new Set(items);
      return COUNTS.map((count) => truth.slice(0, count).filter((item) => held.has(item)).length / count);
    });
  });
  const fewest = Math.min(...shares.map((pools) => pools.length));
  return Array.from({ length: fewest }, (_, pool) =>
    COUNTS.map((count, c) =>
      spreadOf(
        `pool ${pool + 1} of grid: share of the ${count} best items`,
        shares.map((pools) => pools[pool]?.[c] as number),
      ),
    ),
  ).flat();
}

/** The items of the largest fused scores of all, best first, without labelled ones. */
function bestOf(collection: Collection, labels: LabelSet, labelled: ReadonlySet<number>): readonly number[] {
  const request = requestOf(collection, labels);
  const { heads } = trainHeads(collection, request, Uint32Array.from(labelled).sort());
  const { scores, terms } = finished(
    fusedScan(
      collection,
      heads.map(({ modality, model }) => ({ name: modality.name, weight: 1, model })),
    ),
  );
  const least = new Float32Array(1);
  native.greatestValues(scores, Uint32Array.of(Math.min(SCANNED, scores.length)), least);
  const found: number[] = [];
  for (let item = 0; item < scores.length; item++) {
    if ((scores[item] as number) >= (least[0] as number) && !labelled.has(item)) found.push(item);
  }
  const items = Uint32Array.from(found);
  const fused = new Float64Array(items.length);
  for (const { head, factor, offset } of terms) {
    const own = new Float64Array(items.length);
    native.scoreItems(head.prepared, items, own);
    native.addStandardised(own, factor, offset, fused);
  }
  const order = new Uint32Array(items.length);
  native.orderByScore(items, fused, order);
  return Array.from(order, (at) => items[at] as number);
}

function finished<T>(steps: Generator<unknown, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}
