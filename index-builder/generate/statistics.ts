// What a generated collection is like, measured from its files.

import { join } from 'node:path';
import type { Measured } from './job.ts';
import { MODALITIES } from './layout.ts';
import { type MeasuredModality, Measurement, sampleStep } from './measure.ts';

export interface ModalityStatistics {
  /** Slope of log items over log rank of the features, ranks evenly spaced in log. */
  readonly zipf_slope: number;
  /** Share of items without any value. */
  readonly empty_share: number;
  /** Mean features of the items that are not empty. */
  readonly features_per_item: number;
  /** Share of items whose vector another item has too; vectors of over 0.2 % of the items (and empty ones) left out. */
  readonly duplicate_share: number;
  /** Whether duplicates were looked for among all items or in a sample of the vectors. */
  readonly duplicates_from: 'all' | 'sample';
  /** Shares of the items with one and the same vector, where it is over 1 %, largest first; empty ones count. */
  readonly large_groups: readonly number[];
}

export interface CityStatistics {
  readonly cities: number;
  /** Items in any city, over all items. */
  readonly share: number;
  readonly smallest: number;
  readonly median: number;
  readonly largest: number;
}

export interface Statistics {
  readonly items: number;
  readonly seed: number;
  readonly visual: ModalityStatistics;
  readonly text: ModalityStatistics;
  readonly cities: CityStatistics;
}

/** A vector of at least this share of the items is counted by itself: duplicates would otherwise say nothing else. */
const FREQUENT_SHARE = 0.002;
const MOST_FREQUENT = 16;
/** Frequent vectors are looked for in this many stretches of so many items. */
const STRETCHES = 64;
const STRETCH_ITEMS = 2048;
const LARGE_SHARE = 0.01;

/** Keys of each modality's most frequent vectors, from stretches spread over the collection. */
export function frequentVectors(folder: string, items: number): Record<string, Float64Array> {
  return Object.fromEntries(
    MODALITIES.map(({ name, dims }) => {
      const measurement = new Measurement({ folder: join(folder, name), dims, items }, new Float64Array(0));
      const count = Math.min(STRETCH_ITEMS, Math.ceil(items / STRETCHES));
      const step = (items - count) / (STRETCHES - 1);
      const keys = new Float64Array(count * STRETCHES);
      for (let i = 0; i < STRETCHES; i++) keys.set(measurement.keysOf(Math.floor(i * step), count), i * count);
      measurement.end();
      const frequent: { size: number; key: number }[] = [];
      forEachGroup(keys, (size, key) => {
        if (size >= FREQUENT_SHARE * keys.length) frequent.push({ size, key });
      });
      frequent.sort((a, b) => b.size - a.size || a.key - b.key);
      return [name, Float64Array.from(frequent.slice(0, MOST_FREQUENT), ({ key }) => key)];
    }),
  );
}

/** Sums what the threads measured. */
export function statisticsOf(
  items: number,
  seed: number,
  measured: readonly Measured[],
  cities: readonly Uint32Array[],
): Statistics {
  const [visual, text] = MODALITIES.map((_, m) =>
    modalityStatistics(
      items,
      measured.map((of) => of[m] as MeasuredModality),
    ),
  ) as [ModalityStatistics, ModalityStatistics];
  const sizes = cities.map((list) => list.length).sort((a, b) => a - b);
  const at = (quantile: number): number => sizes[Math.floor(quantile * (sizes.length - 1))] as number;
  return {
    items,
    seed,
    visual,
    text,
    cities: {
      cities: sizes.filter((size) => size > 0).length,
      share: sizes.reduce((sum, size) => sum + size, 0) / items,
      smallest: at(0),
      median: at(0.5),
      largest: at(1),
    },
  };
}

function modalityStatistics(items: number, parts: readonly MeasuredModality[]): ModalityStatistics {
  const byFeatures = sum(parts.map((part) => part.itemsByFeatures));
  const empty = byFeatures[0] as number;
  const frequent = sum(parts.map((part) => part.frequentItems));
  const keys = new Float64Array(parts.reduce((length, part) => length + part.keys.length, 0));
  let end = 0;
  for (const part of parts) {
    keys.set(part.keys, end);
    end += part.keys.length;
  }
  let duplicates = 0;
  let largest = 0;
  forEachGroup(keys, (size) => {
    if (size > 1) duplicates += size;
    largest = Math.max(largest, size);
  });
  return {
    zipf_slope: zipfSlope(sum(parts.map((part) => part.featureItems))),
    empty_share: empty / items,
    features_per_item: byFeatures.reduce((total, count, features) => total + count * features, 0) / (items - empty),
    duplicate_share: duplicates / keys.length,
    duplicates_from: sampleStep(items) === 1 ? 'all' : 'sample',
    large_groups: [...frequent, largest]
      .map((size) => size / items)
      .filter((share) => share > LARGE_SHARE)
      .sort((a, b) => b - a),
  };
}

/** Calls `group` for each run of equal keys; sorts the keys. */
function forEachGroup(keys: Float64Array, group: (size: number, key: number) => void): void {
  keys.sort();
  for (let from = 0; from < keys.length; ) {
    const key = keys[from] as number;
    let to = from + 1;
    while (to < keys.length && keys[to] === key) to++;
    group(to - from, key);
    from = to;
  }
}

/** Least squares of log count on log rank, rank r weighing 1 / r: every stretch of log rank counts alike. */
function zipfSlope(counts: Float64Array): number {
  const sorted = counts.filter((count) => count > 0).sort((a, b) => b - a);
  let weight = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  sorted.forEach((count, i) => {
    const w = 1 / (i + 1);
    const logRank = Math.log(i + 1);
    weight += w;
    x += w * logRank;
    y += w * Math.log(count);
    xx += w * logRank * logRank;
    xy += w * logRank * Math.log(count);
  });
  return (weight * xy - x * y) / (weight * xx - x * x);
}

function sum(parts: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(parts[0]?.length ?? 0);
  for (const part of parts) {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (part[i] as number);
  }
  return total;
}
