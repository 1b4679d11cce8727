// Keys and metadata from a column or the rows of a table, in every format that holds them.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openIndex } from '../../src/index/open.ts';
import { ROWS, writeFormats } from '../readers/array.ts';
import { temporaryFolder } from '../support.ts';
import { build } from './collections.ts';

const folder = temporaryFolder(t);
writeFormats(folder);
const vectors = join(folder, 'c.npy');

/** What test/fixtures/readers/generate.py writes of an item, as JSON holds it. */
function itemOf(number: number): Record<string, unknown> {
  const tags = Array.from({ length: number % 4 }, (_, tag) => `t${tag}`);
  return {
    key: `item ${number} é`,
    year: number % 10 === 3 ? null : 1990 + number,
    price: number / 4,
    views: number === 5 ? '9007199254740997' : number,
    good: number % 2 === 1,
    day: new Date(number * 366 * 86_400_000).toISOString().slice(0, 10),
    taken: new Date(number * 86_400_000 + 250).toISOString(),
    city: number % 3 === 0 ? 'Århus' : 'Oslo',
    tags: number % 7 === 0 ? null : tags,
  };
}

for (const file of ['none.parquet', 'snappy.parquet', 'gzip.parquet', 'zstd.parquet', 'lz4.arrow', 'zstd.arrow']) {
  t.test(`${file} gives keys by column and metadata with its types`, async (t) => {
    const path = join(folder, file);
    const { keys, metadata } = await built(t, { ids: `${path},column=key`, metadata: path });
    for (let item = 0; item < ROWS; item++) {
      t.equal(keys?.keyOf(item), `item ${item} é`);
      const { embedding, ...rest } = JSON.parse(Buffer.from(metadata?.get(item) ?? []).toString());
      t.strictSame(rest, itemOf(item));
      t.equal((embedding as number[]).length, 6);
    }
    t.equal(keys?.itemOf('item 7 é'), 7);
  });
}

t.test('CSV, TSV and JSON Lines give keys by column, numbers as their text', async (t) => {
  const rows = Array.from({ length: ROWS }, (_, row) => [`n ${row}, "x"`, 1000 + row] as const);
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const files = {
    'k.csv': `name,number\n${rows.map(([name, number]) => `${quoted(name)},${number}`).join('\r\n')}\n`,
    'k.tsv': `name\tnumber\n${rows.map(([name, number]) => `${quoted(name)}\t${number}`).join('\n')}`,
    'k.txt': `number\tname\n${rows.map(([name, number]) => `${number}\t${quoted(name)}`).join('\n')}\n`,
    'k.jsonl': rows.map(([name, number]) => `${JSON.stringify({ name, number })}\n`).join(''),
  };
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file);
    writeFileSync(path, text);
    const byName = await built(t, { ids: `${path},column=name`, metadata: path });
    t.equal(byName.keys?.keyOf(11), 'n 11, "x"', file);
    t.strictSame(JSON.parse(Buffer.from(byName.metadata?.get(11) ?? []).toString()), {
      name: 'n 11, "x"',
      number: 1011,
    });
    const byNumber = await built(t, { ids: `${path},column=number` });
    t.equal(byNumber.keys?.keyOf(11), '1011', file);
  }
});

t.test('a column of CSV is of numbers when all of it is, else of text', async (t) => {
  const path = join(folder, 'types.csv');
  const cells = ['1', '-2.50', '', '3e2', ...Array.from({ length: ROWS - 4 }, () => '0')];
  writeFileSync(
    path,
    `a,zip,mixed,large\n${cells.map((cell, i) => `${cell},0${1000 + i},${i === 9 ? 'x' : i},${2 ** 53}${i}`).join('\n')}\n`,
  );
  const { metadata } = await built(t, { metadata: path });
  const rows = [0, 1, 2, 3].map((item) => JSON.parse(Buffer.from(metadata?.get(item) ?? []).toString()));
  t.strictSame(rows, [
    { a: 1, zip: '01000', mixed: '0', large: '90071992547409920' },
    { a: -2.5, zip: '01001', mixed: '1', large: '90071992547409921' },
    { a: null, zip: '01002', mixed: '2', large: '90071992547409922' },
    { a: 300, zip: '01003', mixed: '3', large: '90071992547409923' },
  ]);
});

const lines = (line: (row: number) => string): string =>
  Array.from({ length: ROWS }, (_, row) => `${line(row)}\n`).join('');

const refusals: readonly [string, (path: string) => Parameters<typeof build>[2], string | Buffer | null, RegExp][] = [
  [
    'no such column',
    (path) => ({ ids: `${path},column=x` }),
    'a,b\n',
    /bad\.csv: has no column 'x'; expected one of a, b/,
  ],
  ['a column twice', (path) => ({ metadata: path }), 'a,a\n1,2\n', /bad\.csv line 1: has the column 'a' twice/],
  ['no header', (path) => ({ metadata: path }), '', /bad\.csv: is empty; expected a header line/],
  [
    'too few rows',
    (path) => ({ ids: `${path},column=a` }),
    'a\n1\n',
    /bad\.csv: 1 rows; the vectors have 97 items, one key/,
  ],
  [
    'a key that is not there',
    (path) => ({ ids: `${path},column=a` }),
    `a,b\n${lines((row) => `${row === 40 ? '' : row},x`)}`,
    /bad\.csv line 42: no value in column 'a'; expected text or a number/,
  ],
  [
    'a key twice',
    (path) => ({ ids: `${path},column=a` }),
    `a\n${lines((row) => `k${row === 40 ? 4 : row}`)}`,
    /bad\.csv row 40: the key "k4" is also on row 4; keys are unique/,
  ],
  [
    'a line without the field',
    (path) => ({ ids: `${path},column=a` }),
    lines((row) => (row === 9 ? '{"b":1}' : `{"a":"${row}"}`)),
    /bad\.csv line 10: no value in column 'a'/,
  ],
  [
    'a column of lists',
    () => ({ ids: `${join(folder, 'none.parquet')},column=embedding` }),
    null,
    /row 0: the value \[.*in column 'embedding'/,
  ],
  ['Parquet as lines', () => ({ ids: join(folder, 'none.parquet') }), null, /none\.parquet: is not text; .*,column=id/],
  [
    'a picture',
    (path) => ({ metadata: path }),
    Buffer.from('\x89PNG\0\0\0'),
    /bad\.csv: starts with .*; expected Parquet, Arrow/,
  ],
  [
    'Parquet cut off',
    (path) => ({ metadata: path }),
    Buffer.from('PAR1PAR1 and so on'),
    /bad\.csv: does not end as a Parquet/,
  ],
  [
    'text of another encoding',
    (path) => ({ metadata: path }),
    Buffer.from('a\n\xe9\n', 'latin1'),
    /bad\.csv line 2: is not UTF-8/,
  ],
];

for (const [title, attach, content, message] of refusals) {
  t.test(`refused: ${title}`, async (t) => {
    const path = join(folder, 'bad.csv');
    if (content !== null) writeFileSync(path, content);
    const out = join(folder, 'refused');
    await t.rejects(() => build(out, { a: [vectors] }, attach(path)), { name: /^(Input|Index)Error$/, message });
    t.notOk(existsSync(out));
    t.notOk(existsSync(`${out}.building`));
  });
}

async function built(t: Test, attached: Parameters<typeof build>[2]) {
  const out = join(temporaryFolder(t), 'index');
  await build(out, { a: [vectors] }, attached);
  return openIndex(out);
}
