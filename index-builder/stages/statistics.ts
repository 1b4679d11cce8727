// What an operator wants to know of a modality before serving it.

import type { EncodedRows } from '../../src/codecs/codec.ts';
import type { ModalityManifest } from '../../src/index/format.ts';
import type { Clustering } from './cluster.ts';

/** Counts over all rows; clusters above `sizeLimit` items are the huge ones. */
export function modalityStatistics(
  rows: EncodedRows,
  clustering: Clustering,
  sizeLimit: number,
): ModalityManifest['statistics'] {
  const { starts, agreement } = clustering;
  let largest = 0;
  let empty = 0;
  let huge = 0;
  let unreachable = 0;
  for (let c = 0; c + 1 < starts.length; c++) {
    const size = (starts[c + 1] as number) - (starts[c] as number);
    largest = Math.max(largest, size);
    if (size === 0) empty++;
    if (size > sizeLimit) {
      huge++;
      unreachable += size;
    }
  }
  let zero = 0;
  for (let row = 0; row < rows.rows; row++) if (rows.isZero(row)) zero++;
  return {
    max_value_error: rows.maxValueError,
    assign_agreement: agreement,
    zero_vectors: zero,
    duplicates: duplicateRows(rows, clustering),
    largest_cluster: largest,
    empty_clusters: empty,
    huge_clusters: huge,
    unreachable_items: unreachable,
  };
}

/** Rows whose code repeats an earlier row's. Equal codes have the same nearest representative, so the same cluster. */
function duplicateRows(rows: EncodedRows, { order, starts }: Clustering): number {
  const hashes = rows.hashes();
  let duplicates = 0;
  for (let c = 0; c + 1 < starts.length; c++) {
    const distinct = new Map<number, number[]>();
    for (const row of order.subarray(starts[c], starts[c + 1])) {
      const hash = hashes[row] as number;
      const others = distinct.get(hash);
      if (others === undefined) distinct.set(hash, [row]);
      else if (others.some((other) => rows.sameCode(row, other))) duplicates++;
      else others.push(row);
    }
  }
  return duplicates;
}
