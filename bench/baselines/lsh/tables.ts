// The hash tables of one modality: per table the items of every bucket, ascending, as one list with the buckets' starts.

import type { Modality } from '../../../src/index/open.ts';
import { checkMemory, type PlainVectors, plainBlocks, plainRow } from '../plain-vectors.ts';
import { bucketOf, type Choices, choicesOf, type HashForm, type Partition, partition } from './cross-polytope.ts';
import { gaussianProjections, type Projections, rotatedProjections } from './projections.ts';

export interface TableOptions {
  /** L. */
  readonly tables: number;
  /** log2 B. */
  readonly bits: number;
  readonly form: HashForm;
  /**
   * Hash vectors less their mean. Scores of a linear model shift by the same constant, so the best items are the same
   * ones, and they lie in a direction of their own instead of in a cone around the mean (FALCONN's advice).
   */
  readonly centre: boolean;
  readonly seed: number;
}

export interface LshTables {
  readonly tables: readonly Table[];
  /** The choices of each table for a query. */
  choices(query: Float32Array): readonly (readonly Choices[])[];
}

export interface Table {
  /** Where the items of each bucket begin, and the end of the last. */
  readonly starts: Uint32Array;
  readonly items: Uint32Array;
}

/**
 * Hashes every vector of the modality: two passes when centred, 4 bytes per item and table, twice as many until all items
 * are in the order of their buckets, and one block of rows. Throws RangeError where that does not fit into memory.
 */
export function buildTables(modality: Modality, items: number, options: TableOptions): LshTables {
  const { tables, bits, form, seed } = options;
  checkMemory(`${tables} LSH tables of ${modality.name} (${items} items)`, tables * (8 * items + 4 * 2 ** bits));
  const { dims, ratio } = modality.manifest;
  const parts = partition(bits, form);
  const projectionsOf = ratio === undefined ? rotatedProjections : gaussianProjections;
  const projections = projectionsOf(dims, tables, parts.width, seed);
  const sparse = ratio !== undefined;
  const centre = options.centre ? meanOf(modality, items) : new Float32Array(dims);
  const origins = projectRow(projections, tables, parts.width, plainRow(centre, sparse));
  const buckets = Array.from({ length: tables }, () => new Uint32Array(items));
  for (const [first, block] of plainBlocks(modality, items)) {
    hashBlock(projections, parts, origins, block, (table, row, bucket) => {
      (buckets[table] as Uint32Array)[first + row] = bucket;
    });
  }
  return {
    tables: buckets.map((own) => groupByBucket(own, 2 ** bits)),
    // A query is a direction and not a point: it is not centred.
    choices: (query) =>
      projectRow(projections, tables, parts.width, plainRow(query, sparse)).map((own) => choicesOf(parts, own)),
  };
}

function hashBlock(
  projections: Projections,
  parts: Partition,
  origins: readonly Float32Array[],
  block: PlainVectors,
  visit: (table: number, row: number, bucket: number) => void,
): void {
  const { width } = parts;
  const prepared = projections.prepare(block);
  const projected = new Float32Array(block.rows * width);
  origins.forEach((origin, table) => {
    projections.project(table, prepared, projected);
    for (let row = 0, at = 0; row < block.rows; row++, at += width) {
      for (let i = 0; i < width; i++) projected[at + i] = (projected[at + i] as number) - (origin[i] as number);
      visit(table, row, bucketOf(parts, projected, at));
    }
  });
}

/** One row's projections in every table. */
function projectRow(projections: Projections, tables: number, width: number, row: PlainVectors): Float32Array[] {
  const prepared = projections.prepare(row);
  return Array.from({ length: tables }, (_, table) => {
    const own = new Float32Array(width);
    projections.project(table, prepared, own);
    return own;
  });
}

function meanOf(modality: Modality, items: number): Float32Array {
  const sums = new Float64Array(modality.manifest.dims);
  for (const [, { rows, perRow, ids, values }] of plainBlocks(modality, items)) {
    for (let at = 0; at < rows * perRow; at++) {
      const d = ids === null ? at % perRow : (ids[at] as number);
      sums[d] = (sums[d] as number) + (values[at] as number);
    }
  }
  return Float32Array.from(sums, (sum) => sum / Math.max(1, items));
}

/** Items in the order of their bucket (a counting sort, so ascending within each). */
function groupByBucket(buckets: Uint32Array, count: number): Table {
  const starts = new Uint32Array(count + 1);
  for (let item = 0; item < buckets.length; item++) {
    const after = (buckets[item] as number) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let bucket = 0; bucket < count; bucket++) {
    starts[bucket + 1] = (starts[bucket + 1] as number) + (starts[bucket] as number);
  }
  const next = starts.slice();
  const items = new Uint32Array(buckets.length);
  for (let item = 0; item < buckets.length; item++) {
    const bucket = buckets[item] as number;
    const place = next[bucket] as number;
    items[place] = item;
    next[bucket] = place + 1;
  }
  return { starts, items };
}
