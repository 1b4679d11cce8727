// The papers' packed form: decoded bit for bit against a reference in BigInt, and stored within half a step.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { SparseChunk } from '../../index-builder/readers/reader.ts';
import { collectionOf, decode, everyItem, lsc41k, lsc100k, modalityOf, testOn } from '../data.ts';

for (const dataset of [lsc100k, lsc41k]) {
  testOn(t, dataset, 'r64 decodes as its description says, bit for bit', async (t, inputs) => {
    const { path, options } = inputs['concepts'] as { path: string; options: Record<string, string> };
    const { reader } = await openReader(path, new Map(Object.entries(options)));
    t.teardown(() => reader.close());
    const files = reader.files.map((file) => readWords64(file));
    let differing = 0;
    for await (const chunk of reader.chunks(10_000)) {
      const { firstRow, rows, ids, values } = chunk as SparseChunk;
      const expected = referenceR64(files, firstRow, rows, options);
      for (let at = 0; at < values.length; at++) {
        // The id of a zero says nothing.
        const id = expected.values[at] === 0 ? 0 : expected.ids[at];
        if (values[at] !== expected.values[at] || ids[at] !== id) differing++;
      }
    }
    t.equal(differing, 0, `${reader.rows} rows`);
  });

  testOn(t, dataset, 'r64 values are stored within half a step', async (t, inputs) => {
    const { path, options } = inputs['concepts'] as { path: string; options: Record<string, string> };
    const collection = await collectionOf(t, inputs, {}, { normalize: 'false' });
    const modality = modalityOf(collection, 'concepts');
    const { scale, features } = modality.manifest.ratio?.items ?? { scale: Number.NaN, features: 0 };
    const { statistics } = modality.manifest;
    // Values arrive chained, so rounding to a step is the only error; |value - code * scale| itself is taken in double.
    t.ok(statistics.max_value_error <= (scale / 2) * (1 + 1e-9), `${statistics.max_value_error} of a step ${scale}`);
    const { reader } = await openReader(path, new Map(Object.entries(options)));
    t.teardown(() => reader.close());
    const decoded = decode(modality, everyItem(collection));
    let outside = 0;
    for await (const chunk of reader.chunks(10_000)) {
      const { firstRow, rows, ids, values } = chunk as SparseChunk;
      for (let row = 0; row < rows; row++) {
        const from = row * features;
        const order = byValue(
          Array.from({ length: features }, (_, j) => [ids[from + j], values[from + j]] as [number, number]),
        );
        order.forEach(([id, value], j) => {
          const at = (firstRow + row) * features + j;
          const stored = decoded.values[at] as number;
          // Decoding to float rounds once more.
          if (Math.abs(stored - value) > (scale / 2) * (1 + 1e-9) + stored * 2 ** -24) outside++;
          if (stored !== 0 && decoded.ids?.[at] !== id) outside++;
        });
      }
    }
    t.equal(outside, 0);
  });
}

function byValue(row: readonly (readonly [number, number])[]): [number, number][] {
  return row.map(([id, value]) => [id, value] as [number, number]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

function readWords64(path: string): BigUint64Array {
  const bytes = readFileSync(path);
  return new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/**
 * Rows of the papers' packed form: the strongest id above its value in `init`; in `ids` and `ratios`, above 64 % bits
 * of padding, the others from low to high; value_j = value_{j-1} * ratio_j / divisor.
 */
function referenceR64(
  files: readonly BigUint64Array[],
  firstRow: number,
  rows: number,
  options: Record<string, string>,
): { ids: Uint32Array; values: Float64Array } {
  const [init, idWords, ratioWords] = files as [BigUint64Array, BigUint64Array, BigUint64Array];
  const features = Number(options['features']);
  const [idBits, valueBits, ratioBits] = ['id_bits', 'value_bits', 'ratio_bits'].map((key) =>
    BigInt(options[key] ?? 0),
  );
  const field = (word: bigint, bits: bigint, number: number): number =>
    Number((word >> ((64n % bits) + bits * BigInt(number))) & ((1n << bits) - 1n));
  const ids = new Uint32Array(rows * features);
  const values = new Float64Array(ids.length);
  for (let row = 0; row < rows; row++) {
    const at = row * features;
    const word = init[firstRow + row] as bigint;
    ids[at] = Number(word >> (valueBits as bigint));
    values[at] = Number(word & ((1n << (valueBits as bigint)) - 1n)) / Number(options['value_divisor']);
    for (let j = 1; j < features; j++) {
      ids[at + j] = field(idWords[firstRow + row] as bigint, idBits as bigint, j - 1);
      const ratio = field(ratioWords[firstRow + row] as bigint, ratioBits as bigint, j - 1);
      values[at + j] = ((values[at + j - 1] as number) * ratio) / Number(options['ratio_divisor']);
    }
  }
  return { ids, values };
}
