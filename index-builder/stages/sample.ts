// Reading some rows of a scratch file.

import { native } from '../../src/native.ts';
import { type Random, sampleAscending } from '../../src/random.ts';
import type { ScratchFile } from './scratch.ts';
import { partRows, type StageOptions } from './stage.ts';

/** A sample holds every row of a collection up to this size, */
const LEAST_SAMPLE = 300_000;
/** and of larger ones as many rows as this per cluster, */
const ROWS_PER_CLUSTER = 8;
/** in at most so many bytes of records. */
const SAMPLE_BYTES = 2 ** 31;
/** Fewer rows than one of so many are read one by one. */
const FEW = 64;

/** Rows that representatives are learned from. It depends on the collection alone, not on the memory at hand. */
export function sampleSize(rows: number, clusters: number, recordBytes: number): number {
  const wanted = Math.max(LEAST_SAMPLE, ROWS_PER_CLUSTER * clusters);
  return Math.max(clusters, Math.min(rows, wanted, Math.floor(SAMPLE_BYTES / recordBytes)));
}

export function sampleRecords(records: ScratchFile, count: number, random: Random, options: StageOptions): Uint8Array {
  return readRecords(records, sampleAscending(random, count, records.rows), options);
}

/** The records of rows given in ascending order. */
export function readRecords(records: ScratchFile, rows: Uint32Array, options: StageOptions): Uint8Array {
  const { recordBytes } = records;
  const out = new Uint8Array(rows.length * recordBytes);
  if (rows.length === records.rows) {
    records.read(0, out);
    return out;
  }
  if (rows.length * FEW < records.rows) {
    rows.forEach((row, i) => {
      records.read(row, out.subarray(i * recordBytes, (i + 1) * recordBytes));
    });
    return out;
  }
  const rowsPerPart = partRows(recordBytes, options.checkpointRows);
  const places = new Uint32Array(rowsPerPart);
  let taken = 0;
  for (let first = 0; taken < rows.length; first += rowsPerPart) {
    const count = Math.min(rowsPerPart, records.rows - first);
    if ((rows[taken] as number) >= first + count) continue;
    const part = new Uint8Array(count * recordBytes);
    records.read(first, part);
    // A place behind the end is that of a row nobody asked for.
    places.fill(0xffffffff);
    const before = taken;
    while (taken < rows.length && (rows[taken] as number) < first + count) {
      places[(rows[taken] as number) - first] = taken++;
    }
    if (taken > before) {
      native.placeRecords(part, recordBytes, places.subarray(0, count), 0, options.threads, out);
    }
  }
  return out;
}
