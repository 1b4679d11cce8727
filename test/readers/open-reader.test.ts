// Input formats told apart by content, and patterns that stand for several files.

import { join } from 'node:path';
import t from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader, readerKeys } from '../../index-builder/readers/open-reader.ts';

t.test('files of a pattern concatenate in code-unit order of their names', async (t) => {
  const folder = t.testdir({
    'v-10.npy': npy(1, [10]),
    'v-2.npy': npy(2, [20, 21]),
    'V-3.npy': npy(1, [30]),
    '.v-4.npy': npy(1, [40]),
    'v-5.npx': npy(1, [50]),
  });
  const { reader, format, keys } = await openReader(join(folder, '*-*.npy'), new Map());
  t.strictSame([format, keys, reader.rows, reader.dims], ['npy', [], 4, 1]);
  const seen: [number, number][] = [];
  for await (const chunk of reader.chunks(2)) {
    for (let row = 0; row < chunk.rows; row++) seen.push([chunk.firstRow + row, chunk.values[row] as number]);
  }
  t.strictSame(seen, [
    [0, 30],
    [1, 10],
    [2, 20],
    [3, 21],
  ]);
  t.match(reader.locate(0), /V-3\.npy row 0$/);
  t.match(reader.locate(3), /v-2\.npy row 1$/);
  t.throws(() => reader.locate(4), RangeError);
  reader.close();
});

t.test('patterns match as a shell does', async (t) => {
  const folder = t.testdir({
    'abcb.npy': npy(1, [1]),
    'ab.npy': npy(1, [2]),
    'x*y.npy': npy(1, [3]),
    'xzy.npy': npy(1, [4]),
  });
  const count = async (pattern: string) => {
    const { reader } = await openReader(join(folder, pattern), new Map());
    reader.close();
    return reader.rows;
  };
  t.equal(await count('a*b.npy'), 2);
  t.equal(await count('a?c?.npy'), 1);
  t.equal(await count('**.n?y'), 4);
  t.equal(await count('x*y.npy'), 1, 'a name that exists is not a pattern');
  await t.rejects(() => count('?.npy'), { name: 'InputError', message: /matches nothing; .*4 names/ });
  await t.rejects(() => count('a?b.npy*z'), /matches nothing/);
  await t.rejects(() => count('*/a.npy'), /wildcard in a folder name/);
});

t.test('files of one pattern must agree in shape and format', async (t) => {
  const two = Buffer.concat([npyHeader('f4', [1, 2]), Buffer.alloc(8)]);
  const folder = t.testdir({ 'a.npy': npy(1, [1]), 'b.npy': two, c: { 'init.u64': 'x' }, 'd.txt': 'words' });
  await t.rejects(
    () => openReader(join(folder, '?.npy'), new Map()),
    /b\.npy: has 2 dims; expected 1 dims as in .*a\.npy/,
  );
  await t.rejects(() => openReader(join(folder, '[a-b].npy'), new Map()), /does not exist/, 'no other wildcards');
  await t.rejects(() => openReader(join(folder, '?*'), new Map()), /d\.txt: starts with .*no format known here/);
  const mixed = t.testdir({ 'a.npy': npy(1, [1]), c: { 'init.u64': 'x' } });
  await t.rejects(() => openReader(join(mixed, '*'), new Map()), /c: is r64; expected npy as .*a\.npy/);
});

t.test('paths that name nothing usable say so', async (t) => {
  const folder = t.testdir({ empty: {}, 'a.npy': npy(1, [1]), 'zero.npy': '' });
  const cases: readonly [string, RegExp][] = [
    ['absent.npy', /absent\.npy: does not exist; .*taken from/],
    ['a.npy/b.npy', /does not exist/],
    ['absent/*.npy', /absent: does not exist/],
    ['empty', /is a folder of 0 names/],
    ['empty/*', /matches nothing/],
    [
      'zero.npy',
      /starts with nothing, no format known here; expected .*ids=FILE; or folder .*; or NumPy \.npy, 2-d; or/,
    ],
  ];
  for (const [path, message] of cases) {
    await t.rejects(() => openReader(join(folder, path), new Map()), { name: 'InputError', message }, path);
  }
  await t.rejects(
    () => openReader(join(folder, 'a.npy'), new Map([['ids', join(folder, 'empty')]])),
    /empty: is a folder/,
  );
  await t.rejects(() => openReader('/dev/null', new Map()), /\/dev\/null: is not a regular file/);
});

t.test('the keys of all formats are known together', async (t) => {
  t.strictSame([...readerKeys].sort(), [
    'array',
    'column',
    'dataset',
    'dims',
    'features',
    'id_bits',
    'ids',
    'ids_array',
    'ids_column',
    'ids_dataset',
    'ids_tensor',
    'pad_bits',
    'ratio_bits',
    'ratio_divisor',
    'tensor',
    'value_bits',
    'value_divisor',
  ]);
});

function npy(rows: number, values: readonly number[]): Buffer {
  return Buffer.concat([npyHeader('f4', [rows, 1]), Buffer.from(Float32Array.from(values).buffer)]);
}
