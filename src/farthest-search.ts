// The search behind the farthest sampler: the candidates of a round in fused order, found when they are first asked for
// and again, wider, when more are.

import { type Candidates, candidatesOfAll, candidatesOfBestClusters } from './candidates.ts';
import type { Admission } from './filter.ts';
import { type Fused, fuse } from './fusion.ts';
import type { Head } from './head.ts';
import type { Collection } from './index/open.ts';
import { native } from './native.ts';
import type { RoundRequest, Stage } from './round-request.ts';

const NOTHING: Candidates = {
  items: new Uint32Array(0),
  scores: [],
  clustersRead: 0,
  itemsScored: 0,
  clustersOmitted: 0,
  itemsOmitted: 0,
  complete: true,
};

/** One round's search; what it read and scored adds up over its widenings. */
export class FarthestSearch {
  clustersRead = 0;
  itemsScored = 0;
  complete = true;
  readonly #collection: Collection;
  readonly #heads: readonly Head[];
  readonly #request: RoundRequest;
  readonly #skip: Uint32Array;
  readonly #onStage: (stage: Stage) => void;
  readonly #admission: Admission | null;
  #found = NOTHING;
  #fused: Fused = { order: new Uint32Array(0), scores: new Float64Array(0), ranks: [] };

  constructor(
    collection: Collection,
    heads: readonly Head[],
    request: RoundRequest,
    skip: Uint32Array,
    onStage: (stage: Stage) => void,
    admission: Admission | null,
  ) {
    this.#collection = collection;
    this.#heads = heads;
    this.#request = request;
    this.#skip = skip;
    this.#onStage = onStage;
    this.#admission = admission;
  }

  get clustersOmitted(): number {
    return this.#found.clustersOmitted;
  }

  get itemsOmitted(): number {
    return this.#found.itemsOmitted;
  }

  /** All candidates, best first; at least `count` unless there are no more or no more time. */
  best(count: number): Uint32Array {
    if (this.complete && this.#found.items.length < count) this.#search(count);
    const { items } = this.#found;
    return this.#fused.order.map((candidate) => items[candidate] as number);
  }

  /** The candidates and, behind them, those of `others` that are none: the heads' scores of all, fused. */
  fusedWith(others: Uint32Array): { readonly candidates: Pick<Candidates, 'items' | 'scores'>; readonly fused: Fused } {
    const known = new Set(others.length === 0 ? [] : this.#found.items);
    const further = others.filter((item) => !known.has(item));
    if (further.length === 0) return { candidates: this.#found, fused: this.#fused };
    const items = new Uint32Array(known.size + further.length);
    items.set(this.#found.items);
    items.set(further, known.size);
    const scores = this.#heads.map(({ prepared }, h) => {
      const all = new Float64Array(items.length);
      all.set(this.#found.scores[h] ?? []);
      native.scoreItems(prepared, further, all.subarray(known.size));
      return all;
    });
    const candidates = { items, scores };
    return { candidates, fused: this.#fuse(candidates) };
  }

  #fuse({ items, scores }: Pick<Candidates, 'items' | 'scores'>): Fused {
    const { modalities } = this.#request;
    return fuse(
      items,
      modalities.map(({ weight }, m) => ({ weight, scores: scores[m] ?? new Float64Array(0) })),
    );
  }

  #search(count: number): void {
    const request = this.#request;
    const search = {
      ...request,
      k: count,
      sizeLimit: this.#collection.manifest.build.size_limit,
      items: this.#collection.items,
      ...(this.#admission === null ? {} : { admitted: this.#admission.bits }),
    };
    this.#found = request.exhaustive
      ? candidatesOfAll(this.#heads, search, this.#skip)
      : candidatesOfBestClusters(this.#heads, search, this.#skip, () => this.#onStage('select'));
    this.clustersRead += this.#found.clustersRead;
    this.itemsScored += this.#found.itemsScored;
    this.complete &&= this.#found.complete;
    this.#onStage('score');
    this.#fused = this.#fuse(this.#found);
  }
}
