// A uniform sample of a large collection, copied out of the index so that it is scored in one scan: what its threshold,
// its moments and its quantiles are estimated from.

import { codecNamed } from './codecs/registry.ts';
import type { Collection, Modality } from './index/open.ts';
import { native } from './native.ts';
import type { CellsHandle } from './native-types.ts';
import { sampleAscending, seededRandom } from './random.ts';

/**
 * Items of a sample. The mean of n items is off by sigma / sqrt(n), 0.2 % of a deviation, and their deviation by
 * sigma * sqrt((kurtosis - 1) / 4n), 0.14 % for normal scores: the threshold mean + 2 sigma by 0.34 %.
 */
const SAMPLE_ITEMS = 2 ** 18;
/** Of long vectors a sample holds fewer, in so many bytes a modality, */
const SAMPLE_BYTES = 2 ** 27;
/** but at least so many: their threshold is off by 0.48 %, so that two standard errors are below 1 %. */
export const LEAST_ITEMS = 2 ** 17;

/** Whether a collection is too large to be looked at whole in a round. Up to this size it would be its own sample. */
export function isSampled(items: number): boolean {
  return items > SAMPLE_ITEMS;
}

/** The samples of collections, made when they are first asked for. */
export class CollectionSamples {
  readonly #kept = new Map<string, CollectionSample>();

  of(collection: Collection): CollectionSample {
    const kept = this.#kept.get(collection.generation) ?? new CollectionSample(collection);
    this.#kept.set(collection.generation, kept);
    return kept;
  }
}

/** One collection's sample: the same items in every modality, drawn by nothing but their number. */
export class CollectionSample {
  /** Ascending. */
  readonly items: Uint32Array;
  readonly #cells = new Map<string, CellsHandle>();

  constructor({ items, manifest }: Collection) {
    const widest = Math.max(...manifest.modalities.map(({ dims, ratio }) => ratio?.items.features ?? dims));
    const most = Math.min(SAMPLE_ITEMS, Math.max(LEAST_ITEMS, Math.floor(SAMPLE_BYTES / widest)));
    this.items = sampleOf(items, most);
  }

  /** A modality of the sample alone: item i of it is `items[i]` of the collection. */
  cellsOf(modality: Modality): CellsHandle {
    const kept = this.#cells.get(modality.name) ?? copied(modality, this.items);
    this.#cells.set(modality.name, kept);
    return kept;
  }
}

/** So many items, drawn by the number of items alone. */
export function sampleOf(items: number, count: number): Uint32Array {
  return sampleAscending(seededRandom(0, 'collection sample'), Math.min(count, items), items);
}

function copied({ cells, manifest }: Modality, items: Uint32Array): CellsHandle {
  const { dims, ratio } = manifest;
  const perRow = ratio?.items.features ?? dims;
  const codec = codecNamed(manifest.codec);
  const rows = (first: number, count: number) => {
    const values = new Float32Array(count * perRow);
    const ids = new Uint32Array(ratio === undefined ? 0 : values.length);
    native.decodeItems(cells, items.subarray(first, first + count), ids, values);
    return { ids, values };
  };
  const codes = codec.copy(manifest, items.length, rows);
  // One cluster, that nobody asks for; every item in the slot of its number.
  const numbers = new Uint8Array(native.packedBytes(items.length, items.length));
  native.packNumbers(
    Uint32Array.from(items, (_, i) => i),
    items.length,
    numbers,
  );
  const places = native.memorySection(numbers);
  const starts = native.memorySection(new Uint8Array(Uint32Array.of(0, items.length).buffer));
  return native.openCells(codes, codec.copy(manifest, 1, rows), null, places, places, starts);
}
