// Query-directed multi-probing (Lv et al. 2007): the buckets of a table in the order of their cost for a query, the
// query's own first, each once, made only as they are asked for.

import type { Choices } from './cross-polytope.ts';

/** A bucket by the rank of each part's choice. */
interface Probe {
  readonly ranks: Uint16Array;
  /** The last part whose rank is not 0. */
  readonly last: number;
  readonly cost: number;
  /** When it was made: equal costs come in this order. */
  readonly number: number;
}

/**
 * Every bucket once, cheapest first. From each bucket at most three others are reached: the last moved part moves on, the
 * next part moves too, or the next moves in its place (Lv et al.'s shift and expand, with more than two choices a part).
 * Parts are in the order of their first step's cost, so none of the three is cheaper than where it came from.
 */
export function* probes(parts: readonly Choices[]): Generator<number> {
  const ordered = parts.toSorted((a, b) => (a.costs[1] as number) - (b.costs[1] as number));
  const heap = new ProbeHeap();
  let made = 0;
  const push = (ranks: Uint16Array, last: number): void => {
    const cost = ordered.reduce((sum, { costs }, part) => sum + (costs[ranks[part] as number] as number), 0);
    heap.push({ ranks, last, cost, number: made++ });
  };
  push(new Uint16Array(ordered.length), -1);
  for (let probe = heap.pop(); probe !== undefined; probe = heap.pop()) {
    const { ranks, last } = probe;
    yield ordered.reduce((bucket, { codes }, part) => bucket + (codes[ranks[part] as number] as number), 0);
    const rank = last < 0 ? 0 : (ranks[last] as number);
    if (last >= 0 && rank + 1 < (ordered[last] as Choices).codes.length) push(ranks.with(last, rank + 1), last);
    if (last + 1 < ordered.length) {
      push(ranks.with(last + 1, 1), last + 1);
      if (rank === 1) push(ranks.with(last, 0).with(last + 1, 1), last + 1);
    }
  }
}

/** A binary heap, cheapest on top. */
class ProbeHeap {
  readonly #heap: Probe[] = [];

  push(probe: Probe): void {
    let at = this.#heap.length;
    for (let up = (at - 1) >> 1; at > 0 && before(probe, this.#at(up)); at = up, up = (at - 1) >> 1) {
      this.#heap[at] = this.#at(up);
    }
    this.#heap[at] = probe;
  }

  pop(): Probe | undefined {
    const [top] = this.#heap;
    const moved = this.#heap.pop();
    if (top === undefined || moved === undefined || this.#heap.length === 0) return top;
    let at = 0;
    for (let down = 1; down < this.#heap.length; down = 2 * at + 1) {
      if (down + 1 < this.#heap.length && before(this.#at(down + 1), this.#at(down))) down++;
      if (before(moved, this.#at(down))) break;
      this.#heap[at] = this.#at(down);
      at = down;
    }
    this.#heap[at] = moved;
    return top;
  }

  #at(place: number): Probe {
    return this.#heap[place] as Probe;
  }
}

function before(a: Probe, b: Probe): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.number < b.number);
}
