// The ratio codec: what comes back from an index is what went in, within the bound its quantisation allows.

import t, { type Test } from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { SparseChunk } from '../../index-builder/readers/reader.ts';
import type { Collection } from '../../src/index/open.ts';
import {
  caltech97,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  npyFile,
  sparseFiles,
  sparseRows,
  testOn,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

/** Sparse rows in double, as a test wants them: [id, value] pairs, any order. */
type Rows = readonly (readonly (readonly [number, number])[])[];

/** What the codec is told, with the defaults of its own documentation. */
interface Settings {
  readonly features: number;
  readonly normalize: boolean;
  readonly storedBits: number;
  readonly valueDivisor: number;
  readonly ratioDivisor: number;
  readonly rounding: 'nearest' | 'floor';
}

const settings: Settings = {
  features: 4,
  normalize: false,
  storedBits: 24,
  valueDivisor: 2e14,
  ratioDivisor: 50_000,
  rounding: 'nearest',
};

/** Ratios of exactly 1, zero vectors, fewer than n features, repeated values, more than n, ties at the cut. */
const awkward: Rows = [
  [
    [3, 0.75],
    [1, 0.75],
    [2, 0.75],
    [0, 0.75],
  ],
  [],
  [[7, 0.3]],
  [
    [5, 0.1],
    [4, 0.9],
  ],
  [
    [0, 0.1],
    [1, 0.2],
    [2, 0.3],
    [3, 0.2],
    [4, 0.1],
    [5, 0.6],
    [6, 0.3],
  ],
  [
    [6, 0.25],
    [5, 0.25],
    [4, 0.25],
    [3, 0.25],
    [2, 0.25],
    [1, 0.25],
  ],
  [
    [0, 1],
    [1, 1e-7],
    [2, 1e-9],
  ],
  [[7, 1e-12]],
];

t.test('rows of every awkward kind come back, in order and within the bound', async (t) => {
  for (const features of [1, 2, 3, 4, 7, 8]) {
    for (const normalize of [false, true]) await checkRoundTrip(t, awkward, 8, { ...settings, features, normalize });
  }
});

t.test('the bound holds at every stored width, rounding and divisor', async (t) => {
  const rows = randomRows(150, 40, 9);
  for (const storedBits of [8, 10, 16, 24]) {
    for (const rounding of ['nearest', 'floor'] as const) {
      for (const [valueDivisor, ratioDivisor] of [
        [2e14, 50_000],
        [1000, 100],
        [0, 0],
      ] as const) {
        for (const normalize of [false, true]) {
          const change = { features: 6, storedBits, rounding, valueDivisor, ratioDivisor, normalize };
          await checkRoundTrip(t, rows, 40, { ...settings, ...change });
        }
      }
    }
  }
});

t.test('one dimension, 255 features and 65536 dims are held; more is refused', async (t) => {
  await checkRoundTrip(t, [[[0, 0.5]], [[0, 0.25]], []], 1, { ...settings, features: 1 });
  await checkRoundTrip(t, randomRows(20, 300, 280), 300, { ...settings, features: 255 });
  for (const dims of [256, 257, 1024, 1025, 65536]) {
    const rows: Rows = [[[dims - 1, 0.5]], [[0, 0.25]], [[dims >> 1, 0.125]]];
    await checkRoundTrip(t, rows, dims, { ...settings, features: 1 });
  }
  const refused = async (dims: number, options: Record<string, string>, message: RegExp): Promise<void> => {
    await t.rejects(
      () => build(t, awkward, dims, options),
      { name: /^(Codec|Option)Error$/, message },
      JSON.stringify(options),
    );
  };
  await refused(65537, {}, /dims=65537: the ratio codec holds up to 65536 features/);
  await refused(300, { features: '256' }, /features=256: expected a number from 1 to 255/);
  await refused(8, { features: '9' }, /features=9: expected a number from 1 to 8/);
  await refused(8, { features: '2.5' }, /features=2.5: expected a whole number/);
  await refused(8, { features: '0' }, /features=0: expected a number/);
  await refused(8, { features: ' ' }, /features= : expected a number/);
  await refused(8, { stored_bits: '7' }, /stored_bits=7: expected a number from 8 to 24/);
  await refused(8, { stored_bits: '25' }, /stored_bits=25: expected a number from 8 to 24/);
  await refused(8, { rounding: 'up' }, /rounding=up: expected nearest or floor/);
  await refused(8, { normalize: 'yes' }, /normalize=yes: expected true or false/);
  await refused(8, { ratio_divisor: '-1' }, /ratio_divisor=-1/);
  await refused(8, { value_divisor: 'x' }, /value_divisor=x/);
  await refused(8, { codec: 'pq' }, /codec=pq: unknown codec; known are ratio, sq8/);
});

t.test('dense and sparse input of the same array give the same codes', async (t) => {
  const dims = 50;
  const rows = [...randomRows(120, dims, 12), ...awkward];
  const folder = temporaryFolder(t);
  const values = new Float32Array(rows.length * dims);
  rows.forEach((row, r) => {
    for (const [id, value] of row) values[r * dims + id] = value;
  });
  for (const normalize of ['true', 'false']) {
    const options = { codec: 'ratio', features: '5', normalize };
    const dense = await collectionOf(t, { v: { path: denseFile(folder, 'dense', values, dims), options } });
    // The same floats: a pair of float64 arrays would keep more of each value.
    const exact = rows.map((row) => row.map(([id, value]) => [id, Math.fround(value)] as const));
    const sparse = await build(t, exact, dims, options);
    t.strictSame(decode(modalityOf(sparse, 'v'), everyItem(sparse)), decode(modalityOf(dense, 'v'), everyItem(dense)));
    t.strictSame(sparse.manifest.modalities[0]?.ratio, dense.manifest.modalities[0]?.ratio);
  }
});

t.test('bad values are named by file, row and column', async (t) => {
  const folder = temporaryFolder(t);
  const bad: readonly (readonly [number, RegExp])[] = [
    [Number.NaN, /row 2, column 1: NaN/],
    [Number.POSITIVE_INFINITY, /row 2, column 1: Infinity; expected finite values/],
    [Number.NEGATIVE_INFINITY, /row 2, column 1: -Infinity; expected finite values/],
    [-0.5, /row 2, column 1: -0.5 is negative; .*use codec=sq8/],
  ];
  for (const [value, message] of bad) {
    const values = Float32Array.from({ length: 12 }, (_, i) => (i === 7 ? value : 0.5));
    const ids = Uint32Array.from({ length: 12 }, (_, i) => i % 3);
    const dense = { path: denseFile(folder, 'dense', values, 3), options: { codec: 'ratio' } };
    await t.rejects(() => collectionOf(t, { v: dense }), { name: /^(Codec|Option)Error$/, message });
    await t.rejects(() => collectionOf(t, { v: dense }), { message: /dense\.npy/ });
    const sparse = sparseFiles(folder, 'sparse', { ids, values }, 3);
    await t.rejects(() => collectionOf(t, { v: sparse }), { name: /^(Codec|Option)Error$/, message });
    await t.rejects(() => collectionOf(t, { v: sparse }), { message: /sparse_scores\.npy/ });
  }
  const twice = { ids: Uint32Array.of(0, 1, 2, 2), values: Float32Array.of(1, 1, 1, 1) };
  await t.rejects(() => collectionOf(t, { v: sparseFiles(folder, 'twice', twice, 2) }), {
    name: /^(Codec|Option)Error$/,
    message: /twice_scores\.npy row 1, column 1: NaN, or an id that repeats/,
  });
});

t.test('negative zero is zero', async (t) => {
  const path = denseFile(temporaryFolder(t), 'zeros', Float32Array.of(-0, 0.5, 0, -0), 2);
  const collection = await collectionOf(t, { v: { path, options: { codec: 'ratio' } } });
  t.equal(collection.manifest.modalities[0]?.statistics.zero_vectors, 1);
});

testOn(t, caltech97, 'concepts come back within the stated error', async (t, inputs) => {
  const concepts = inputs['concepts'] as { path: string; options: Record<string, string> };
  const { reader } = await openReader(concepts.path, new Map(Object.entries(concepts.options)));
  t.teardown(() => reader.close());
  const rows: [number, number][][] = [];
  for await (const chunk of reader.chunks(1000)) {
    const { ids, values } = chunk as SparseChunk;
    for (let from = 0; from < values.length; from += reader.perRow) {
      const entries = Array.from({ length: reader.perRow }, (_, j) => [ids[from + j], values[from + j]]);
      rows.push((entries as [number, number][]).filter(([, value]) => value > 0));
    }
  }
  for (const normalize of [true, false]) {
    const given = { ...settings, features: 20, normalize };
    checkStored(t, await collectionOf(t, { v: concepts }, {}, optionsOf(given)), rows, given);
  }
});

/** Builds an index of the rows and compares what it holds with a reference encoder, and with the input. */
async function checkRoundTrip(t: Test, rows: Rows, dims: number, given: Settings): Promise<void> {
  checkStored(t, await build(t, rows, dims, optionsOf(given)), rows, given);
}

function checkStored(t: Test, collection: Collection, rows: Rows, given: Settings): void {
  const modality = modalityOf(collection, 'v');
  const { ratio, statistics } = modality.manifest;
  const scale = ratio?.items.scale ?? Number.NaN;
  const maxCode = 255 * 2 ** (given.storedBits - 8);
  const { ids, values } = decode(modality, everyItem(collection));
  let largest = 0;
  let largestBound = 0;
  let different = 0;
  let outside = 0;
  rows.forEach((row, r) => {
    const { entries, chain, inputLength } = encodeRow(row, given);
    const chained = given.normalize ? toUnitLength(chain) : chain;
    const bound = errorBound(chain, inputLength, scale, given);
    largestBound = Math.max(largestBound, bound);
    for (let j = 0; j < given.features; j++) {
      const at = r * given.features + j;
      const stored = values[at] as number;
      const entry = entries[j];
      const code = Math.min(Math.round((chained[j] ?? 0) / scale), maxCode);
      if (Math.fround(code * scale) !== stored) different++;
      if (stored !== 0 && (ids as Uint32Array)[at] !== entry?.[0]) different++;
      const wanted = entry === undefined ? 0 : entry[1] / (given.normalize ? inputLength : 1);
      const error = Math.abs(stored - wanted);
      largest = Math.max(largest, error - stored * 2 ** -24);
      if (error > bound + stored * 2 ** -24) outside++;
      const before = entries[j - 1];
      if (entry !== undefined && before?.[1] === entry[1] && stored !== values[at - 1]) different++;
    }
  });
  const what = JSON.stringify(given);
  t.equal(different, 0, `codes, ids, equal values of ${what}`);
  t.equal(outside, 0, `errors within the bound of ${what}`);
  t.ok(statistics.max_value_error <= largestBound, 'the stated error is within the bound');
  t.ok(largest <= statistics.max_value_error * (1 + 1e-9), 'and no error is above the stated one');
  t.equal(statistics.zero_vectors, countZero(values, given.features), 'zero vectors are counted');
}

/**
 * How far a stored value may be from the input's. The first value rounds to 1 / V, every ratio to 1 / R (half of that
 * with nearest): with q and h those errors, x_j the input and c_j = c_{j-1} (x_j / x_{j-1} + e_j), |e_j| <= h,
 *   |c_j - x_j| <= |c_{j-1} - x_{j-1}| x_j / x_{j-1} + c_{j-1} |e_j| <= q + h (c_0 + … + c_{j-1}) = E,
 * as x_j <= x_{j-1}. The code adds half a step. Dividing vectors by their lengths at most doubles the distance of c and
 * x relative to the length of x: |c/|c| - x/|x|| <= |c - x| / |x| + ||x| - |c|| / |x| <= 2 sqrt(n) E / |x|.
 * The arithmetic itself rounds in double, n times; 2^-40 of the largest value covers it.
 */
function errorBound(chain: readonly number[], inputLength: number, scale: number, given: Settings): number {
  const worst = given.rounding === 'floor' ? 1 : 0.5;
  const first = given.valueDivisor > 0 ? worst / given.valueDivisor : 0;
  const ratio = given.ratioDivisor > 0 ? worst / given.ratioDivisor : 0;
  const error = first + ratio * chain.reduce((sum, value) => sum + value, 0);
  const scaled = given.normalize && inputLength > 0 ? (2 * Math.sqrt(chain.length) * error) / inputLength : error;
  return scaled + scale / 2 + 2 ** -40 * (given.normalize ? 1 : (chain[0] ?? 0));
}

/** The papers' encoding of one row, in double: the n strongest entries, chained. */
function encodeRow(
  row: Rows[number],
  { features, valueDivisor, ratioDivisor, rounding }: Settings,
): { entries: [number, number][]; chain: number[]; inputLength: number } {
  const rounded = rounding === 'floor' ? Math.floor : Math.round;
  const entries = byValue(row.filter(([, value]) => value > 0)).slice(0, features);
  const chain: number[] = [];
  entries.forEach(([, value], j) => {
    const before = entries[j - 1];
    if (before === undefined) {
      chain.push(valueDivisor > 0 ? rounded(value * valueDivisor) / valueDivisor : value);
    } else if (ratioDivisor > 0) {
      const code = rounded((value / before[1]) * ratioDivisor);
      const last = chain[j - 1] as number;
      chain.push(code === ratioDivisor ? last : (last * code) / ratioDivisor);
    } else {
      chain.push(value);
    }
  });
  return { entries, chain, inputLength: lengthOf(entries.map(([, value]) => value)) };
}

/** In units of the first value, as the encoder does it: the order of the divisions decides the last bit. */
function toUnitLength(chain: readonly number[]): number[] {
  const first = chain[0] ?? 0;
  if (first === 0) return [...chain];
  const length = lengthOf(chain.map((value) => value / first));
  return chain.map((value) => value / first / length);
}

function byValue(row: readonly (readonly [number, number])[]): [number, number][] {
  return row.map(([id, value]) => [id, value] as [number, number]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

function lengthOf(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function countZero(values: Float32Array, perRow: number): number {
  let zero = 0;
  for (let from = 0; from < values.length; from += perRow) {
    if (values.subarray(from, from + perRow).every((value) => value === 0)) zero++;
  }
  return zero;
}

function optionsOf(given: Settings): Record<string, string> {
  return {
    codec: 'ratio',
    features: `${given.features}`,
    normalize: `${given.normalize}`,
    stored_bits: `${given.storedBits}`,
    value_divisor: `${given.valueDivisor}`,
    ratio_divisor: `${given.ratioDivisor}`,
    rounding: given.rounding,
  };
}

/** An index of sparse rows, given as float64 so that nothing is lost on the way in. */
async function build(t: Test, rows: Rows, dims: number, options: Record<string, string>): Promise<Collection> {
  const folder = temporaryFolder(t);
  const perRow = Math.max(...rows.map((row) => row.length));
  const ids = new Uint32Array(rows.length * perRow);
  const values = new Float64Array(ids.length);
  rows.forEach((row, r) => {
    row.forEach(([id, value], j) => {
      ids[r * perRow + j] = id;
      values[r * perRow + j] = value;
    });
  });
  const idsPath = npyFile(folder, 'ids', 'u4', ids, perRow);
  const path = npyFile(folder, 'scores', 'f8', values, perRow);
  return await collectionOf(t, { v: { path, options: { ids: idsPath, dims: `${dims}`, ...options } } });
}

function randomRows(rows: number, dims: number, perRow: number): Rows {
  const { ids, values } = sparseRows(rows, dims, perRow, 21);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: perRow }, (_, j) => {
      const at = r * perRow + j;
      return [ids[at] as number, values[at] as number] as const;
    }),
  );
}
