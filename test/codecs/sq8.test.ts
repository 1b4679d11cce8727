// The sq8 codec: what comes back from an index is what went in, within half a step per dimension.

import t, { type Test } from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { DenseChunk } from '../../index-builder/readers/reader.ts';
import {
  caltech97,
  clustered,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  npyFile,
  sparseFiles,
  tate,
  testOn,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

t.test('values come back within half a step, from 1 to 4096 dimensions', async (t) => {
  for (const dims of [1, 2, 3, 4, 5, 15, 16, 17, 63, 128, 4095, 4096]) {
    const values = clustered(40, dims, 4, dims);
    for (const normalize of [false, true]) await checkRoundTrip(t, values, dims, normalize);
  }
});

t.test('constant dimensions, zero vectors, one item and values of every size are kept', async (t) => {
  const dims = 6;
  const row = (...values: number[]): number[] => values;
  const rows = [
    row(3.25, 0, 1e30, -1e-30, 5, -7),
    row(3.25, 0, -1e30, 1e-30, 5, 0),
    row(3.25, 0, 0, 0, 5, 7),
    row(3.25, 0, 1, -1, 5, 1e-3),
  ];
  await checkRoundTrip(t, Float32Array.from(rows.flat()), dims, false);
  const one = await checkRoundTrip(t, Float32Array.from(rows[0] as number[]), dims, false);
  t.strictSame([...one], [...Float32Array.from(rows[0] as number[])], 'one item is all constants, so it is exact');
  const zeros = await checkRoundTrip(t, Float32Array.of(0, 0, 0, 3, -4, 0), 3, true);
  t.same([...zeros.subarray(0, 3)], [0, 0, 0], 'a zero vector has no direction and stays zero');
});

t.test('float16, uint8 and int8 files are stored as the floats they stand for', async (t) => {
  const folder = temporaryFolder(t);
  const expected = [0, 51, 255, 102, 0, 204];
  const options = { codec: 'sq8', normalize: 'false' };
  // Columns 0, 102 … 255: each spans a whole number of steps of its own, so bytes survive unchanged.
  const bytes = await collectionOf(t, {
    v: { path: npyFile(folder, 'u1', 'u1', Uint8Array.from(expected), 3), options },
  });
  t.strictSame([...decode(modalityOf(bytes, 'v'), everyItem(bytes)).values], expected);
  const signed = Int8Array.of(-128, 0, 127, 127, 0, -128);
  const ints = await collectionOf(t, { v: { path: npyFile(folder, 'i1', 'i1', signed, 3), options } });
  t.strictSame([...decode(modalityOf(ints, 'v'), everyItem(ints)).values], [...signed]);
  // 1, -2 and 0.5 in half precision.
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x3800, 0x3c00, 0xc000);
  const floats = await collectionOf(t, { v: { path: npyFile(folder, 'f2', 'f2', halves, 3), options } });
  t.strictSame([...decode(modalityOf(floats, 'v'), everyItem(floats)).values], [1, -2, 0.5, 0.5, 1, -2]);
});

t.test('what the codec cannot hold is refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const refused = async (
    values: Float32Array,
    dims: number,
    options: Record<string, string>,
    message: RegExp,
  ): Promise<void> => {
    const input = { path: denseFile(folder, 'visual', values, dims), options: { codec: 'sq8', ...options } };
    await t.rejects(() => collectionOf(t, { v: input }), { name: /^(Codec|Option)Error$/, message });
  };
  await refused(new Float32Array(4097), 4097, {}, /4097 dimensions; it holds up to 4096/);
  await refused(new Float32Array(4), 2, { normalize: '1' }, /normalize=1: expected true or false/);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const values = Float32Array.from({ length: 40 }, (_, i) => (i === 3 * 8 + 2 ? value : i));
    await refused(values, 8, {}, new RegExp(`visual\\.npy row 3, column 2: ${value}; expected a finite number`));
    await refused(values, 4, {}, new RegExp(`visual\\.npy row 6, column 2: ${value}`));
  }
  const sparse = sparseFiles(folder, 's', { ids: Uint32Array.of(0, 1), values: Float32Array.of(1, 1) }, 1);
  await t.rejects(() => collectionOf(t, { v: { ...sparse, options: { ...sparse.options, codec: 'sq8' } } }), {
    name: /^(Codec|Option)Error$/,
    message: /the input is sparse; use codec=ratio/,
  });
});

for (const dataset of [caltech97, tate]) {
  testOn(t, dataset, 'embeddings come back within half a step', async (t, inputs) => {
    const [name, input] = Object.entries(inputs)[0] as [string, { path: string; options: Record<string, string> }];
    const { reader } = await openReader(input.path, new Map());
    t.teardown(() => reader.close());
    const values = new Float32Array(reader.rows * reader.dims);
    for await (const chunk of reader.chunks(1000))
      values.set((chunk as DenseChunk).values, chunk.firstRow * reader.dims);
    for (const normalize of [true, false]) {
      const collection = await collectionOf(t, { [name]: input }, { refine: 0 }, { normalize: `${normalize}` });
      const decoded = decode(modalityOf(collection, name), everyItem(collection)).values;
      const stated = modalityOf(collection, name).manifest.statistics.max_value_error;
      checkErrors(t, normalize ? unitRows(values, reader.dims) : values, decoded, reader.dims, normalize, stated);
    }
  });
}

/** Builds an index of dense rows, compares what it holds with them, and returns it. */
async function checkRoundTrip(t: Test, values: Float32Array, dims: number, normalize: boolean): Promise<Float32Array> {
  const options = { codec: 'sq8', normalize: `${normalize}` };
  const path = denseFile(temporaryFolder(t), 'visual', values, dims);
  const collection = await collectionOf(t, { v: { path, options } });
  const { statistics } = modalityOf(collection, 'v').manifest;
  const decoded = decode(modalityOf(collection, 'v'), everyItem(collection)).values;
  const wanted = normalize ? unitRows(values, dims) : values;
  checkErrors(t, wanted, decoded, dims, normalize, statistics.max_value_error);
  return decoded;
}

/**
 * With step = (highest - lowest) / 255, |value - stored| <= step / 2 and roundings, u = 2^-24 each: the step to float
 * (moves code 255 by 255 step u), the product and the sum of a stored value (u each of at most |lowest| + 255 step),
 * and for normalised rows the float of a value in double arithmetic of another order (u of at most 1, twice as the
 * lowest and highest move as well).
 */
function checkErrors(
  t: Test,
  wanted: Float32Array,
  decoded: Float32Array,
  dims: number,
  normalize: boolean,
  stated: number,
): void {
  const u = 2 ** -24;
  let outside = 0;
  let largest = 0;
  let largestBound = 0;
  for (let d = 0; d < dims; d++) {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let at = d; at < wanted.length; at += dims) {
      lowest = Math.min(lowest, wanted[at] as number);
      highest = Math.max(highest, wanted[at] as number);
    }
    const step = (highest - lowest) / 255;
    const roundings = u * (255 * step + 2 * (Math.abs(lowest) + 255 * step) + (normalize ? 4 : 0));
    const bound = step === 0 && !normalize ? 0 : step / 2 + roundings;
    largestBound = Math.max(largestBound, bound);
    for (let at = d; at < wanted.length; at += dims) {
      const error = Math.abs((wanted[at] as number) - (decoded[at] as number));
      largest = Math.max(largest, error);
      if (!(error <= bound)) outside++;
    }
  }
  const title = `${wanted.length / dims} x ${dims}${normalize ? ', normalised' : ''}`;
  t.equal(outside, 0, `${title}: errors within the bound`);
  t.ok(stated <= largestBound, `${title}: the stated error is within the bound`);
  t.ok(largest <= stated + (normalize ? 2 * u : 0), `${title}: and no error is above the stated one`);
}

function unitRows(values: Float32Array, dims: number): Float32Array {
  const unit = values.slice();
  for (let from = 0; from < unit.length; from += dims) {
    const row = unit.subarray(from, from + dims);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let d = 0; d < dims; d++) row[d] = (row[d] as number) / length;
  }
  return unit;
}
