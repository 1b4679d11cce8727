// Sparse vectors from a pair of .npy files.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { VectorReader } from '../../index-builder/readers/reader.ts';
import { collect, sparseRows } from './collect.ts';

const scores = encode('f4', [3, 2], Float32Array.of(0.5, 0.25, 1, 0, 0.75, 0.125));

t.test('scores and ids of every type pair up', async (t) => {
  const types: readonly [NpyType, (values: readonly number[]) => NodeJS.ArrayBufferView][] = [
    ['u1', (values) => Uint8Array.from(values)],
    ['u2', (values) => Uint16Array.from(values)],
    ['u4', (values) => Uint32Array.from(values)],
    ['i4', (values) => Int32Array.from(values)],
    ['i8', (values) => BigInt64Array.from(values, BigInt)],
  ];
  for (const [type, from] of types) {
    const reader = await open(t, scores, encode(type, [3, 2], from([5, 1, 0, 99, 7, 5])));
    t.strictSame([reader.kind, reader.rows, reader.perRow, reader.chained], ['sparse', 3, 2, false]);
    t.equal(reader.dims, 8, '1 + the largest id with a score, so not 100');
    for (const rowsPerChunk of [1, 2, 3, 9]) {
      t.strictSame(await sparseRows(reader, rowsPerChunk), {
        ids: [5, 1, 0, 0, 7, 5],
        values: [0.5, 0.25, 1, 0, 0.75, 0.125],
      });
    }
    t.match(reader.locate(2), /scores\.npy row 2$/);
  }
});

t.test('half and double scores are read exactly', async (t) => {
  const ids = encode('u1', [1, 2], Uint8Array.of(0, 1));
  t.strictSame(
    (await sparseRows(await open(t, encode('f2', [1, 2], Uint16Array.of(0x3c00, 0x2e66)), ids), 1)).values,
    [1, 0.0999755859375],
  );
  t.strictSame((await sparseRows(await open(t, encode('f8', [1, 2], Float64Array.of(0.1, 2 ** -60)), ids), 1)).values, [
    0.1,
    2 ** -60,
  ]);
});

t.test('dims may be given, and an id outside it is refused with its place', async (t) => {
  const ids = encode('u2', [3, 2], Uint16Array.of(5, 1, 0, 99, 7, 5));
  t.equal((await open(t, scores, ids, '1000')).dims, 1000);
  await t.rejects(async () => collect((await open(t, scores, ids, '7')).chunks(2)), {
    name: 'InputError',
    message: /ids\.npy row 2: has id 7 in column 0; expected 0 to 6/,
  });
  for (const dims of ['0', '-1', '4294967296', 'many'])
    await t.rejects(() => open(t, scores, ids, dims), /dims=.* is out of range/);
});

t.test('negative and enormous ids are refused, NaN scores are not padding', async (t) => {
  const int64 = (id: bigint) => encode('i8', [3, 2], BigInt64Array.of(0n, 0n, 0n, 0n, id, 0n));
  await t.rejects(() => open(t, scores, int64(-1n)), /row 2: has id -1 in column 0/);
  await t.rejects(() => open(t, scores, int64(2n ** 62n)), /row 2: has id 4611686018427387904/);
  const nan = encode('f4', [1, 1], Float32Array.of(Number.NaN));
  const reader = await open(t, nan, encode('u1', [1, 1], Uint8Array.of(3)));
  t.strictSame(await sparseRows(reader, 1), { ids: [3], values: [Number.NaN] });
});

t.test('pairs that do not fit are refused', async (t) => {
  await t.rejects(
    () => open(t, scores, encode('u1', [2, 3], new Uint8Array(6))),
    /has shape \(2, 3\); expected \(3, 2\)/,
  );
  await t.rejects(() => open(t, scores, encode('u1', [3, 1], new Uint8Array(3))), /has shape \(3, 1\)/);
  await t.rejects(
    () => open(t, scores, scores),
    /ids\.npy: has dtype <f4; expected uint8, uint16, uint32, uint64, int8, int16, int32, int64; .*int64/,
  );
  const bytes = encode('u1', [3, 2], new Uint8Array(6));
  await t.rejects(
    () => open(t, bytes, bytes),
    /scores\.npy: has dtype \|u1; expected float16, bfloat16, float32, float64/,
  );
  await t.rejects(
    () => open(t, scores, Buffer.from('nothing')),
    /ids\.npy: starts with 6e6f7468696e67, no format known here; expected NumPy \.npy, 2-d; or /,
  );
});

t.test('patterns pair up in name order', async (t) => {
  const folder = t.testdir({
    's-1.npy': Buffer.from(encode('f4', [1, 1], Float32Array.of(0.5))),
    's-2.npy': Buffer.from(encode('f4', [1, 1], Float32Array.of(0.25))),
    'i-1.npy': Buffer.from(encode('u1', [1, 1], Uint8Array.of(9))),
    'i-2.npy': Buffer.from(encode('u1', [1, 1], Uint8Array.of(4))),
  });
  const { reader } = await openReader(join(folder, 's-*.npy'), new Map([['ids', join(folder, 'i-*.npy')]]));
  t.strictSame(await sparseRows(reader, 5), { ids: [9, 4], values: [0.5, 0.25] });
  t.equal(reader.dims, 10);
  t.match(reader.files, [/s-1/, /i-1/, /s-2/, /i-2/]);
  reader.close();
  const one = new Map([['ids', join(folder, 'i-1.npy')]]);
  await t.rejects(() => openReader(join(folder, 's-*.npy'), one), /ids= means 1 files; expected one for each of the 2/);
});

async function open(t: Test, scoreBytes: Uint8Array, idBytes: Uint8Array, dims?: string): Promise<VectorReader> {
  const folder = t.testdir({ 'scores.npy': Buffer.from(scoreBytes), 'ids.npy': Buffer.from(idBytes) });
  const options = new Map([['ids', join(folder, 'ids.npy')]]);
  if (dims !== undefined) options.set('dims', dims);
  const { reader, keys } = await openReader(join(folder, 'scores.npy'), options);
  t.teardown(() => reader.close());
  t.strictSame(keys.slice(0, 2), ['ids', 'dims']);
  return reader;
}

function encode(type: NpyType, shape: readonly number[], elements: NodeJS.ArrayBufferView): Uint8Array {
  return Buffer.concat([
    npyHeader(type, shape),
    Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength),
  ]);
}
