// A round's suggestions from several samplers: each chooses its share, in turn, and what one cannot fill is handed on.

import { SAMPLERS, type SamplerName } from './samplers/sampler.ts';

/** A sampler's items, most wanted first, and how many it is asked for. */
export interface Stream {
  readonly sampler: SamplerName;
  readonly share: number;
  readonly items: Iterable<number>;
}

/** Of `items` in order, writes those that are unlike all written before and each other to `out`, until it is full. */
export type Diversity = (
  items: Uint32Array,
  out: Uint32Array,
) => { readonly found: number; readonly looked: number; readonly complete: boolean };

export interface Mixed {
  /** In the order of choice. */
  readonly items: Uint32Array;
  /** Per item, the place of its sampler in SAMPLERS. */
  readonly sources: Uint8Array;
  /** Items passed over because they are too similar to one chosen before. */
  readonly similarOmitted: number;
  /** False when the deadline came first, or the limit of items to pass over where similar ones will not do. */
  readonly complete: boolean;
}

/** Items of a sampler passed over as too similar before its share is handed on; fewer where similar ones will do. */
const MAX_SIMILAR = 20_000;
const MAX_SIMILAR_FILLED_UP = 1000;

/** Candidates compared at a time beyond those wanted: as many as were too similar before, up to so many. */
const MOST_SPARE = 64;

/** Chooses items of several streams; `looked` tells the streams what is no longer free. */
export class Mix {
  readonly #looked = new Set<number>();
  readonly #items: number[] = [];
  readonly #sources: number[] = [];
  readonly #diversity: Diversity | null;
  /** Items passed over as too similar, in the order of passing, with the sampler that offered each. */
  readonly #similar: { readonly item: number; readonly sampler: SamplerName }[] = [];
  readonly #fillUp: boolean;
  /** Whether to go on looking. */
  #looking = true;
  #complete = true;

  /** `diversity` null: items may be as similar as they like. With `fillUp`, similar ones take what else is missing of k. */
  constructor(diversity: Diversity | null, { fillUp }: { readonly fillUp: boolean }) {
    this.#diversity = diversity;
    this.#fillUp = fillUp;
  }

  /** Whether an item was chosen or passed over. */
  hasLooked(item: number): boolean {
    return this.#looked.has(item);
  }

  /** Fills every stream's share in turn, then hands what is missing of k to `rest`. */
  fill(streams: readonly Stream[], rest: SamplerName, k: number): Mixed {
    const queues = streams.map((stream) => ({ ...stream, queue: new Queue(stream.items) }));
    for (const { sampler, share, queue } of queues) this.#take(queue, sampler, share);
    const last = queues.find(({ sampler }) => sampler === rest);
    if (last !== undefined) this.#take(last.queue, last.sampler, k - this.#items.length);
    if (this.#fillUp) this.#takeSimilar(k - this.#items.length);
    return {
      items: Uint32Array.from(this.#items),
      sources: Uint8Array.from(this.#sources),
      similarOmitted: this.#similar.length,
      complete: this.#complete,
    };
  }

  #take(queue: Queue, sampler: SamplerName, share: number): void {
    const similarBefore = this.#similar.length;
    for (let wanted = share; wanted > 0 && this.#looking; ) {
      const batch = queue.next(wanted + Math.min(this.#similar.length - similarBefore, MOST_SPARE), this.#looked);
      if (batch.length === 0) return;
      const out = new Uint32Array(wanted);
      const { found, looked, complete } = this.#choose(batch, out);
      queue.putBack(batch.subarray(looked));
      const chosen = out.subarray(0, found);
      for (const item of chosen) this.#add(item, sampler);
      wanted -= found;
      let next = 0;
      for (const item of batch.subarray(0, looked)) {
        this.#looked.add(item);
        if (item === chosen[next]) next++;
        else this.#similar.push({ item, sampler });
      }
      this.#looking = complete;
      const passedOver = this.#similar.length - similarBefore >= (this.#fillUp ? MAX_SIMILAR_FILLED_UP : MAX_SIMILAR);
      this.#complete &&= complete && (this.#fillUp || !passedOver);
      if (passedOver) return;
    }
  }

  /** Of what was passed over, the first `count`. */
  #takeSimilar(count: number): void {
    for (const { item, sampler } of this.#similar.splice(0, Math.max(0, count))) this.#add(item, sampler);
  }

  #add(item: number, sampler: SamplerName): void {
    this.#items.push(item);
    this.#sources.push(SAMPLERS.indexOf(sampler));
  }

  #choose(batch: Uint32Array, out: Uint32Array): ReturnType<Diversity> {
    if (this.#diversity !== null) return this.#diversity(batch, out);
    out.set(batch);
    return { found: batch.length, looked: batch.length, complete: true };
  }
}

/** The items of a stream that were not looked at yet. */
class Queue {
  readonly #items: Iterator<number>;
  #back: Uint32Array = new Uint32Array(0);

  constructor(items: Iterable<number>) {
    this.#items = items[Symbol.iterator]();
  }

  /** The next `count`, or all there are. */
  next(count: number, looked: ReadonlySet<number>): Uint32Array {
    const batch: number[] = [];
    for (const item of this.#back) if (!looked.has(item)) batch.push(item);
    this.#back = new Uint32Array(0);
    while (batch.length < count) {
      const { done, value } = this.#items.next();
      if (done === true) break;
      if (!looked.has(value)) batch.push(value);
    }
    return Uint32Array.from(batch);
  }

  putBack(items: Uint32Array): void {
    this.#back = items;
  }
}
