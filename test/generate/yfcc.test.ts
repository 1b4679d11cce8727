// Generated collections: the same bytes at any number of threads, the traits asked for, recounted here, and actors whose
// labels are true.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { citySizes } from '../../index-builder/generate/cities.ts';
import { type Generated, generateYfcc } from '../../index-builder/generate/yfcc.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { temporaryFolder } from '../support.ts';

/** Three blocks of work, the last one short. */
const ITEMS = 140_000;
const SEED = 7;
const FEATURES = 6;

interface Actors {
  readonly kind: string;
  readonly version: number;
  readonly protocol: string;
  readonly items: number;
  readonly seed: number;
  readonly labels: string;
  readonly actors: readonly {
    readonly name: string;
    readonly label: number;
    readonly relevant: number;
    readonly starts: readonly { seed: number; positive: readonly number[]; negative: readonly number[] }[];
  }[];
}

const out = join(temporaryFolder(t), 'out');
const { statistics, traits } = await generated(out);

t.test(
  'the same seed gives the same bytes in every run and on any number of threads, another seed others',
  async (t) => {
    const folder = temporaryFolder(t);
    const [again, other] = [join(folder, 'again'), join(folder, 'other')];
    await generated(again, { threads: 3 });
    await generated(other, { seed: SEED + 1 });
    const files = filesOf(out);
    t.strictSame(files, [
      'actors.json',
      'city.u8',
      'statistics.json',
      ...['text', 'visual'].flatMap((name) =>
        ['ids.u64', 'init.u64', 'layout.json', 'ratios.u64'].map((file) => `${name}/${file}`),
      ),
    ]);
    for (const file of files) {
      const bytes = readFileSync(join(out, file));
      t.ok(bytes.equals(readFileSync(join(again, file))), `${file} again, on three threads`);
      if (!file.endsWith('layout.json'))
        t.notOk(bytes.equals(readFileSync(join(other, file))), `${file} of another seed`);
    }
    t.strictSame(readdirSync(folder).sort(), ['again', 'other'], 'nothing is left beside them');
  },
);

t.test('a collection has every trait, at the smallest size and at a larger one', async (t) => {
  const small = await generated(join(temporaryFolder(t), 'small'), { items: 20_000 });
  for (const held of [traits, small.traits]) t.ok(held.length > 10 && held.every(({ holds }) => holds));
});

t.test('what the statistics say is what a reader of the vectors counts', async (t) => {
  // JSON has no infinity, which is the upper end of a range without one.
  const told = JSON.parse(JSON.stringify({ ...statistics, traits }));
  t.strictSame(JSON.parse(readFileSync(join(out, 'statistics.json'), 'utf8')), told);
  for (const name of ['visual', 'text'] as const) {
    const { vectors, empty, features } = await recount(join(out, name));
    const groups = [...vectors.values()];
    const large = groups.filter((size) => size > ITEMS / 100).sort((a, b) => b - a);
    const measured = statistics[name];
    t.equal(measured.empty_share, empty / ITEMS);
    t.ok(Math.abs(measured.features_per_item - features / (ITEMS - empty)) < 1e-12);
    t.strictSame(
      measured.large_groups,
      large.map((size) => size / ITEMS),
    );
    // Vectors around the 0.2 % that counts as frequent may be taken for either; there is none but those over 1 %.
    const others = groups.filter((size) => size <= ITEMS / 100);
    t.ok(others.every((size) => size < 0.0015 * ITEMS));
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    t.equal(measured.duplicate_share, sum(others.filter((size) => size > 1)) / sum(others));
    t.equal(measured.duplicates_from, 'all');
  }
});

t.test('an actor knows the items of its city, and its starts are true', async (t) => {
  const { actors, ...head } = JSON.parse(readFileSync(join(out, 'actors.json'), 'utf8')) as Actors;
  t.strictSame(head, {
    kind: 'farsight-actors',
    version: 1,
    protocol: 'yfcc100m',
    items: ITEMS,
    seed: SEED,
    labels: 'city.u8',
  });
  const cities = readFileSync(join(out, head.labels));
  t.equal(cities.length, ITEMS);
  const counts = new Uint32Array(51);
  for (const city of cities) counts[city] = (counts[city] ?? 0) + 1;
  t.strictSame([...counts.subarray(1)], [...citySizes(ITEMS)]);
  t.equal(actors.length, 50);
  const seeds = new Set<number>();
  for (const { name, label, relevant, starts } of actors) {
    t.match(name, /^city-\d\d$/);
    t.equal(relevant, counts[label]);
    t.equal(starts.length, 50);
    for (const { seed, positive, negative } of starts) {
      seeds.add(seed);
      const wrong =
        positive.filter((item) => cities[item] !== label).length +
        negative.filter((item) => item >= ITEMS || cities[item] === label).length;
      if (wrong > 0 || new Set(positive).size !== 100 || new Set(negative).size !== 100) t.fail(`a start of ${name}`);
    }
  }
  t.equal(seeds.size, 2500, 'every start has its own seed');
});

t.test('the cities of the full collection are of the sizes that YFCC100M has', async (t) => {
  const sizes = citySizes(99_206_564);
  t.strictSame([sizes.length, sizes[0], sizes[49]], [50, 297_620, 992]);
  t.ok(sizes.every((size, i) => i === 0 || size <= (sizes[i - 1] as number)));
});

function generated(
  out: string,
  options: { readonly items?: number; readonly threads?: number; readonly seed?: number } = {},
): Promise<Generated> {
  const { signal } = new AbortController();
  return generateYfcc({ out, items: ITEMS, seed: SEED, threads: 2, signal, ...options }, () => {});
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Items by vector, empty items, and features of all, from the values as the builder reads them. */
async function recount(folder: string): Promise<{ vectors: Map<string, number>; empty: number; features: number }> {
  const { reader } = await openReader(folder, new Map());
  const vectors = new Map<string, number>();
  let empty = 0;
  let features = 0;
  for await (const chunk of reader.chunks(8192)) {
    if (chunk.kind !== 'sparse') throw new Error('sparse rows expected');
    for (let row = 0; row < chunk.rows; row++) {
      const at = row * FEATURES;
      const values = chunk.values.subarray(at, at + FEATURES);
      const key = `${chunk.ids.subarray(at, at + FEATURES)} ${values}`;
      vectors.set(key, (vectors.get(key) ?? 0) + 1);
      const kept = values.filter((value) => value > 0).length;
      features += kept;
      if (kept === 0) empty += 1;
    }
  }
  reader.close();
  return { vectors, empty, features };
}
