// What samplers ask of a large collection, in its fast form: moments from a sample, draws by look-ups, near items from
// near clusters, cells from the best clusters. docs/samplers.md has the errors.

import type { CollectionSample } from './collection-sample.ts';
import { Fused } from './fused-scores.ts';
import { gridKey } from './grid-cells.ts';
import { distantPool, likedPools, type PoolSource } from './grid-pools.ts';
import type { Head } from './head.ts';
import type { Moments } from './moments.ts';
import { native } from './native.ts';
import type { Random } from './random.ts';
import { type SampledGrids, withSample } from './sampled-cells.ts';
import type { GridOptions, GridPool, Survey } from './samplers/sampler.ts';
import type { Scan, Spaces } from './spaces.ts';

/** What a survey by parts is of. */
export interface SurveyedCollection {
  readonly heads: readonly Head[];
  readonly spaces: Spaces;
  readonly generation: string;
  /** Clusters of more items are not read. */
  readonly sizeLimit: number;
  /** Items that are not looked for: ascending. */
  readonly skip: Uint32Array;
  /** A bit for each item that a filter lets through; null without one. */
  readonly admitted: Uint32Array | null;
}

/** Draws looked up in a round at most, and at a time. */
const MOST_DRAWS = 2 ** 16;
const DRAWS = 1024;
/** Where so few of the most draws would be above the threshold, the best clusters have more of them. */
const LEAST_HITS = 64;

/** Clusters read at first in each modality: per query at least and at most, and over all queries about. */
const NEAR_CLUSTERS = { least: 2, most: 64, all: 1536 } as const;
/** Near items looked for, and in how many times as many clusters: the next are tried when those before do not suffice. */
const NEAR_WIDTHS = [
  { times: 1, counts: [256, 1024, 4096] },
  { times: 2, counts: [16_384] },
  { times: 4, counts: [32_768] },
] as const;

/** The survey of a round by sample and clusters. */
export class SampledSurvey implements Survey {
  itemsScored = 0;
  clustersRead = 0;
  readonly form = 'sampled';
  /** False when the deadline left an answer out. */
  complete = true;
  readonly #of: SurveyedCollection;
  readonly #scan: Scan;
  readonly #sampleOf: () => CollectionSample;
  readonly #grids: SampledGrids;
  #fused: Fused | undefined;

  /** `sampleOf` is asked when a sample is needed first. */
  constructor(of: SurveyedCollection, scan: Scan, sampleOf: () => CollectionSample, grids: SampledGrids) {
    this.#of = of;
    this.#scan = scan;
    this.#sampleOf = sampleOf;
    this.#grids = grids;
  }

  moments(): Moments | null {
    return this.#scores()?.moments ?? null;
  }

  /**
   * Items drawn one by one from all, those above the threshold kept: exactly uniform. Where too few are above it to be met
   * that way, the best clusters hold nearly all of them.
   */
  *above(threshold: number, random: Random): Iterable<number> {
    const fused = this.#scores();
    if (fused === null) return;
    const { items } = this.#of.spaces;
    const drawn = new Set<number>();
    if (fused.shareAbove(threshold) * MOST_DRAWS >= LEAST_HITS) {
      while (drawn.size < Math.min(MOST_DRAWS, items / 2)) {
        const batch = new Uint32Array(DRAWS);
        for (let i = 0; i < batch.length; ) {
          const item = random.below(items);
          if (drawn.has(item)) continue;
          drawn.add(item);
          batch[i++] = item;
        }
        const scores = fused.scoresOf(batch);
        this.itemsScored += batch.length * this.#of.heads.length;
        for (const [i, item] of batch.entries()) if ((scores[i] as number) > threshold) yield item;
      }
    }
    for (const pool of likedPools(this.#poolSource(fused))) {
      const liked = pool.items.filter((item, i) => (pool.values[i] as number) > threshold && !drawn.has(item));
      for (const item of liked) drawn.add(item);
      for (let left = liked.length; left > 0; left--) {
        const at = random.below(left);
        yield liked[at] as number;
        liked[at] = liked[left - 1] as number;
      }
    }
  }

  *nearest(queries: Uint32Array): Iterable<number> {
    const { modalities, weights } = this.#of.spaces;
    const cells = modalities.map((modality) => modality.cells);
    const levels = modalities.map((modality) => modality.levels);
    const { least, most, all } = NEAR_CLUSTERS;
    const { deadlineMs } = this.#scan;
    const offered = new Set<number>();
    for (const { times, counts } of NEAR_WIDTHS) {
      const clusters = times * Math.min(most, Math.max(least, Math.floor(all / queries.length)));
      const search = native.nearSearch(cells, weights, levels, queries, clusters, deadlineMs);
      for (const count of counts) {
        const items = new Uint32Array(Math.min(count, this.#of.spaces.items));
        const found = native.nearItems(search, this.#of.skip, deadlineMs, items);
        this.itemsScored += found.itemsScored;
        this.clustersRead += found.clustersRead;
        this.complete &&= found.complete;
        for (const item of items.subarray(0, found.found)) {
          if (offered.has(item)) continue;
          offered.add(item);
          yield item;
        }
        if (!found.complete) return;
      }
    }
  }

  *pools({ components, segments, zeta }: GridOptions, positive: Uint32Array): Iterable<GridPool> {
    const fused = this.#scores();
    if (fused === null) return;
    const { spaces, generation } = this.#of;
    const cells = this.#grids.of(
      gridKey(generation, spaces, components, segments),
      spaces,
      this.#sampleOf(),
      components,
      segments,
    );
    const source = this.#poolSource(fused);
    if (zeta < 1) {
      const { items, values } = distantPool(source, positive, zeta);
      yield { items, values, cells: cells.of(items), floor: Number.NEGATIVE_INFINITY };
      return;
    }
    let last: Pick<GridPool, 'items' | 'values'> | null = null;
    for (const pool of likedPools(source)) {
      yield { ...pool, cells: cells.of(pool.items) };
      if (pool.floor === Number.NEGATIVE_INFINITY) return;
      last = pool;
    }
    yield { ...withSample(last, cells, this.#sampleOf(), fused.sampled), floor: Number.NEGATIVE_INFINITY };
  }

  #scores(): Fused | null {
    if (this.#fused === undefined) {
      const fused = Fused.of(this.#of.heads, this.#of.spaces, this.#sampleOf(), this.#scan);
      this.itemsScored += fused === null ? 0 : this.#sampleOf().items.length * this.#of.heads.length;
      this.complete &&= fused !== null;
      if (fused === null) return null;
      this.#fused = fused;
    }
    return this.#fused;
  }

  #poolSource(fused: Fused): PoolSource {
    return {
      ...this.#of,
      fused,
      scan: this.#scan,
      sample: this.#sampleOf(),
      onRead: ({ clustersRead, itemsScored, complete }) => {
        this.clustersRead += clustersRead;
        this.itemsScored += itemsScored;
        this.complete &&= complete;
      },
    };
  }
}
