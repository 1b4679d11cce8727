// What a filter lets through: as JavaScript would say of the same records, whatever they hold, however far there was time.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Admission, admits, admittedItems, Filters } from '../../src/filter.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import type { Filter, FilterRule } from '../../src/round-request.ts';
import { collectionOf, denseFile } from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 40_000;
const random = seededRandom(1, 'records');
const TEXTS = ['Paris', 'Århus', 'a "b" \\ c', '', 'tab\tand\nline', '2010', 'null', '{"year":2010}', '\ud83d\ude00'];
const one = <Value>(values: readonly Value[]): Value => values[random.below(values.length)] as Value;
const number = (): number => one([2009, 2010, 2010.5, 2011, -3, 1e21, 1e-7, 0]);

/** Fields in any order, some of them missing; lists, nulls and nested values among them. */
const records = Array.from({ length: ITEMS }, (): Record<string, unknown> => {
  const fields: [string, unknown][] = [
    ['year', one<unknown>([number(), number(), null, '2010', true, [number(), number()], []])],
    ['city', one<unknown>([one(TEXTS), one(TEXTS), null, 7, [one(TEXTS), one(TEXTS)], [['Paris']], { a: 'Paris' }])],
    ['a "quoted" field', one<unknown>([1, 2, false])],
    ['yea', 2010],
  ];
  return Object.fromEntries(fields.filter(() => random.below(8) > 0).sort(() => random.below(3) - 1));
});

const folder = temporaryFolder(t);
const metadata = join(folder, 'records.jsonl');
writeFileSync(metadata, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
const vectors = Float32Array.from({ length: 2 * ITEMS }, () => random.below(1000) - 500);
const collection = await collectionOf(
  t,
  { visual: { path: denseFile(folder, 'visual', vectors, 2), options: { codec: 'sq8' } } },
  { metadata },
);

const rules: readonly FilterRule[] = [
  { field: 'year', range: { gte: 2010 } },
  { field: 'year', range: { gt: 2010 } },
  { field: 'year', range: { lt: 2010, gte: -3 } },
  { field: 'year', range: { lte: 1e21, gt: 2010.5 } },
  { field: 'year', range: { gt: 2010, gte: 2011, lt: 2012, lte: 2011 } },
  { field: 'year', in: [2010, 1e21, 1e-7] },
  { field: 'year', in: ['2010', null] },
  { field: 'year', in: [true] },
  ...TEXTS.map((text) => ({ field: 'city', in: [text] })),
  { field: 'city', in: ['Paris', 'Århus', 7] },
  { field: 'a "quoted" field', in: [1, false] },
  { field: 'nowhere', in: ['Paris'] },
];

t.test('a filter of any rules lets through what JavaScript finds to meet them', async (t) => {
  const filters = new Filters();
  const pairs = Array.from({ length: 20 }, () => [one(rules), one(rules)]);
  for (const must of [...rules.map((rule) => [rule]), ...pairs]) {
    const admission = filters.of(collection, { must }, () => false);
    const expected = records.map((record) => must.every((rule) => meets(record, rule)));
    t.equal(admission.complete, true);
    t.equal(admission.passed, expected.filter(Boolean).length, JSON.stringify(must));
    t.notOk(
      expected.some((passes, item) => passes !== admits(admission, item)),
      'item by item',
    );
  }
});

t.test('an item that passes is found by its rank', async (t) => {
  const admission = new Filters().of(collection, { must: [{ field: 'city', in: ['Paris'] }] }, () => false);
  const itemAt = admittedItems(admission);
  const expected = records.flatMap((record, item) => (meets(record, { field: 'city', in: ['Paris'] }) ? [item] : []));
  t.strictSame(
    Array.from(expected, (_, rank) => itemAt(rank)),
    expected,
  );
  const all: Admission = {
    bits: new Uint32Array(1000).fill(2 ** 32 - 1),
    looked: 32_000,
    passed: 32_000,
    complete: true,
  };
  for (const rank of [0, 31, 32, 8191, 8192, 31_999]) t.equal(admittedItems(all)(rank), rank);
});

t.test('when the time is over what was looked at counts, and the next request goes on from there', async (t) => {
  const filter: Filter = { must: [{ field: 'yea', in: [2010] }] };
  const filters = new Filters();
  const whole = new Filters().of(collection, filter, () => false);
  let last = 0;
  let rounds = 0;
  for (let done = false; !done; rounds++) {
    const { passed, complete, bits } = filters.of(collection, filter, () => true);
    t.ok(passed > last && (passed < whole.passed || complete), `${passed} of ${whole.passed}`);
    t.notOk(
      bits.some((word, i) => (word & ~(whole.bits[i] as number)) !== 0),
      'nothing else passes',
    );
    last = passed;
    done = complete;
  }
  t.equal(last, whole.passed);
  t.ok(rounds > 1);
  t.equal(filters.of(collection, filter, () => true).passed, whole.passed, 'what is found is kept');
});

t.test('damaged records do not pass, and nothing is read past their end', async (t) => {
  const text = JSON.stringify({ year: 2010, city: ['Paris', 'x"y'], tail: 'z' });
  const condition = { least: 0, most: 0, above: false, below: false };
  const conditions = [
    { ...condition, field: '"year"', values: ['2010'] },
    { ...condition, field: '"city"', values: ['"Paris"'] },
    { ...condition, field: '"tail"', values: ['"z"'] },
  ];
  const damage = seededRandom(2, 'damage');
  const passes = (record: Buffer): number => {
    const offsets = native.memorySection(new Uint8Array(BigUint64Array.of(0n, BigInt(record.length)).buffer));
    return native.filterRecords(offsets, native.memorySection(record), conditions, 0, 1, new Uint32Array(1));
  };
  t.equal(passes(Buffer.from(text)), 1);
  for (let length = 0; length < text.length - 1; length++) t.equal(passes(Buffer.from(text.slice(0, length))), 0);
  let survived = 0;
  for (let i = 0; i < 3000; i++) {
    const record = Buffer.from(text);
    record[damage.below(record.length)] = damage.below(256);
    survived += passes(record);
  }
  t.ok(survived < 1500, `${survived}: only where the damage is outside of what is asked`);
});

function meets(record: Record<string, unknown>, { field, range, in: values }: FilterRule): boolean {
  const value = record[field];
  const candidates: readonly unknown[] = Array.isArray(value) ? value : [value];
  return candidates.some((candidate) => {
    if (values !== undefined) return values.some((wanted) => wanted === candidate);
    if (typeof candidate !== 'number') return false;
    const { gte = -Infinity, gt = -Infinity, lte = Infinity, lt = Infinity } = range ?? {};
    return candidate >= gte && candidate > gt && candidate <= lte && candidate < lt;
  });
}
