// The LSH baselines: probing order, tables, and what a search over them finds.

import t, { type Test } from 'tap';
import { best } from '../../bench/baselines/baseline.ts';
import {
  bucketOf,
  type Choices,
  choicesOf,
  type HashForm,
  partition,
} from '../../bench/baselines/lsh/cross-polytope.ts';
import { probes } from '../../bench/baselines/lsh/probes.ts';
import { lshSearch } from '../../bench/baselines/lsh/search.ts';
import { buildTables, type LshTables, type TableOptions } from '../../bench/baselines/lsh/tables.ts';
import { knnLsh, svmLsh } from '../../bench/baselines/lsh.ts';
import { trained } from '../../bench/baselines/multimodal.ts';
import type { Collection, Modality } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import {
  collectionOf,
  denseFile,
  modalityOf,
  randomLabels,
  requestOf,
  sparseFiles,
  sparseRows,
  twoModalities,
  uniform,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 4000;
const HYPERPLANES = 12;
const OPTIONS: TableOptions = { tables: 4, bits: 6, form: 'cross-polytope', centre: true, seed: 5 };
const FORMS: readonly HashForm[] = ['cross-polytope', 'hyperplane'];

t.test(
  'a bucket number is made of all its bits, and the cheapest choice of every part is the own bucket',
  async (t) => {
    const random = seededRandom(1, 'projected vectors');
    for (const form of FORMS) {
      for (const bits of [1, 6, 7, 8, 14, 15, 18]) {
        const parts = partition(bits, form);
        t.equal(
          parts.parts.reduce((product, { axes }) => product * 2 * axes, 1),
          2 ** bits,
          `${form}: every bucket of ${bits} bits has a number`,
        );
        for (let vector = 0; vector < 50; vector++) {
          const projected = Float32Array.from({ length: 3 + parts.width }, () => uniform(random) - 0.5);
          const [first] = probes(choicesOf(parts, projected.subarray(3)));
          t.equal(first, bucketOf(parts, projected, 3));
        }
      }
    }
  },
);

t.test('tables that do not fit into memory are refused before anything is hashed', async (t) => {
  const modality = modalityOf(await twoModalities(t, 100), 'visual');
  t.throws(() => buildTables(modality, 2 ** 31, { ...OPTIONS, tables: 1000 }), {
    name: 'RangeError',
    // 8 bytes an item and table, and 4 a bucket.
    message: /1000 LSH tables of visual \(2147483648 items\) needs 16000\.0 GiB of memory and .* are free/,
  });
});

t.test('probes are every bucket once, in the order of their cost', async (t) => {
  const random = seededRandom(2, 'projected queries');
  for (const form of FORMS) {
    for (const bits of [1, 5, 9, 10]) {
      const parts = partition(bits, form);
      const choices = choicesOf(
        parts,
        Float32Array.from({ length: parts.width }, () => uniform(random) - 0.5),
      );
      const order = [...probes(choices)];
      t.equal(order.length, 2 ** bits);
      t.equal(new Set(order).size, 2 ** bits, 'no bucket comes twice');
      const costs = order.map((bucket) => costOf(bucket, choices, bits));
      // Costs are sums of the same terms in another order, so they may differ in the last bits.
      const early = costs.findIndex((cost, i) => i > 0 && cost < (costs[i - 1] as number) - 1e-12);
      t.equal(early, -1, `${form}, ${bits} bits: no probe is cheaper than the one before`);
    }
  }
});

t.test('every table holds every item once, ascending within its buckets, and spreads them', async (t) => {
  const collection = await twoModalities(t, ITEMS);
  for (const modality of collection.modalities.values()) {
    for (const form of FORMS) {
      const { tables } = buildTables(modality, ITEMS, { ...OPTIONS, form });
      t.equal(tables.length, OPTIONS.tables);
      for (const { starts, items } of tables) {
        t.equal(starts.length, 2 ** OPTIONS.bits + 1);
        t.equal(starts.at(-1), ITEMS);
        t.strictSame(
          Uint32Array.from(items).sort(),
          Uint32Array.from({ length: ITEMS }, (_, item) => item),
        );
        const buckets = Array.from({ length: 2 ** OPTIONS.bits }, (_, b) => items.subarray(starts[b], starts[b + 1]));
        t.ok(buckets.every((members) => members.every((item, i) => i === 0 || item > (members[i - 1] as number))));
        const largest = Math.max(...buckets.map(({ length }) => length));
        // A hash that told nothing apart would fill one bucket; centred groups of vectors fill several.
        t.ok(largest < ITEMS / 4, `${modality.name}, ${form}: the largest of 64 buckets holds ${largest}`);
      }
      t.not(bytesOf(tables.slice(0, 1)), bytesOf(tables.slice(1, 2)), 'tables hash differently');
    }
  }
});

t.test('the same seed gives the same tables, another seed others', async (t) => {
  const collection = await twoModalities(t, 500);
  for (const modality of collection.modalities.values()) {
    const { tables } = buildTables(modality, 500, OPTIONS);
    t.equal(bytesOf(buildTables(modality, 500, OPTIONS).tables), bytesOf(tables));
    t.not(bytesOf(buildTables(modality, 500, { ...OPTIONS, seed: 6 }).tables), bytesOf(tables));
  }
});

t.test('vectors of a direction share a bucket whatever their length, opposite ones do not', async (t) => {
  const dims = 40;
  const random = seededRandom(4, 'directions');
  const direction = Float32Array.from({ length: dims }, () => uniform(random) - 0.5);
  // Zero, a direction and multiples of it, its opposite; sq8 codes round each value, hence powers of two.
  const factors = [0, 1, 0.5, 0.25, -1, -0.5, -0.25];
  const values = Float32Array.from({ length: factors.length * dims }, (_, i) => {
    return (factors[Math.floor(i / dims)] as number) * (direction[i % dims] as number);
  });
  const inputs = { visual: { path: denseFile(temporaryFolder(t), 'visual', values, dims), options: {} } };
  const collection = await collectionOf(t, inputs);
  const { tables } = buildTables(modalityOf(collection, 'visual'), factors.length, {
    ...OPTIONS,
    form: 'hyperplane',
    bits: 2,
    centre: false,
    tables: 16,
  });
  for (const table of tables) {
    const of = bucketsOf(table.starts, table.items);
    t.equal(of[1], of[2]);
    // Two signs of two projections: the opposite vector has both turned.
    t.equal((of[1] as number) ^ (of[4] as number), 3);
    t.equal(of[4], of[5]);
  }
});

t.test('zero vectors that are not centred all lie in bucket 0', async (t) => {
  const rows = sparseRows(60, 300, 6, 3);
  rows.values.fill(0, 0, 20 * 6);
  const collection = await collectionOf(t, { text: sparseFiles(temporaryFolder(t), 'text', rows, 6) });
  const { tables } = buildTables(modalityOf(collection, 'text'), 60, { ...OPTIONS, centre: false });
  for (const { starts, items } of tables) t.strictSame(bucketsOf(starts, items).slice(0, 20), new Array(20).fill(0));
});

t.test('features past those kept apart are hashed, and probing still finds the best items', async (t) => {
  const collection = await collectionOf(t, {
    text: sparseFiles(temporaryFolder(t), 'text', sparseRows(ITEMS, 5000, 6, 8), 6),
  });
  const modality = modalityOf(collection, 'text');
  const tables = buildTables(modality, ITEMS, OPTIONS);
  const few = recallOf(collection, modality, tables, 8);
  t.ok(few > chanceOf(OPTIONS.tables, 8, OPTIONS.bits), `recall ${few} is better than as many random buckets give`);
  t.equal(recallOf(collection, modality, tables, 64), 1);
});

t.test('recall rises with p and with L, and with every bucket it is that of exhaustive search', async (t) => {
  const collection = await twoModalities(t, ITEMS);
  for (const form of FORMS) {
    for (const modality of collection.modalities.values()) {
      const { tables, choices } = buildTables(modality, ITEMS, { ...OPTIONS, form, tables: 8 });
      const first = (count: number): LshTables => ({
        tables: tables.slice(0, count),
        choices: (query) => choices(query).slice(0, count),
      });
      // Buckets of more probes and of more tables hold those of fewer, so recall cannot fall, and over all it rises.
      const byProbes = [1, 4, 16, 64].map((p) => recallOf(collection, modality, first(4), p));
      rises(t, byProbes, `${form} ${modality.name}, p = 1, 4, 16, 64`);
      t.equal(byProbes.at(-1), 1, 'all buckets');
      const byTables = [1, 2, 4, 8].map((count) => recallOf(collection, modality, first(count), 2));
      rises(t, byTables, `${form} ${modality.name}, L = 1, 2, 4, 8`);
      t.ok((byProbes[1] as number) > chanceOf(4, 4, OPTIONS.bits), 'directed probes beat random ones');
    }
  }
});

t.test('with every bucket probed, the systems answer what an exhaustive round answers', async (t) => {
  const collection = await twoModalities(t, 1000);
  const random = seededRandom(3, 'labels of systems');
  const rocchio = { kind: 'rocchio', positiveWeight: 1, negativeWeight: 0.5 } as const;
  for (const [factory, change] of [
    [svmLsh, {}],
    [knnLsh, { model: rocchio }],
  ] as const) {
    const parameters = new Map(Object.entries({ tables: '2', buckets: '16', probes: '16', candidates: '80' }));
    const system = await factory.open(collection, parameters);
    t.match(system.parameters, { tables: 2, buckets: 16, probes: 16, candidates: 80, hash: 'cross-polytope' });
    for (let seed = 0; seed < 5; seed++) {
      const labels = randomLabels(random, 1000, 10, 40);
      const request = { ...labels, exclude: Uint32Array.of(3, 5, 8, 13), k: 25, seed };
      const exhaustive = { ...request, ...change, exhaustive: true, candidates: 80 };
      t.strictSame(await system.suggest(request), round(collection, requestOf(collection, exhaustive)).items);
    }
  }
});

t.test('an answer is never short: probing goes on past p until k items are found', async (t) => {
  const collection = await twoModalities(t, 300);
  const system = await svmLsh.open(collection, new Map(Object.entries({ tables: '1', buckets: '4096', probes: '1' })));
  const exclude = Uint32Array.from({ length: 200 }, (_, i) => i);
  const labels = { positive: Uint32Array.of(210, 220), negative: Uint32Array.of(230) };
  const items = await system.suggest({ ...labels, exclude, k: 90, seed: 1 });
  t.equal(new Set(items).size, 90);
  t.ok(items.every((item) => item >= 200 && ![210, 220, 230].includes(item)));
  t.equal((await system.suggest({ ...labels, exclude, k: 500, seed: 1 })).length, 97, 'every item that is left');
});

t.test('parameters out of range are refused by name', async (t) => {
  const collection = await twoModalities(t, 50);
  for (const [key, value, message] of [
    ['buckets', '1000', /buckets=1000: expected a power of two/],
    ['probes', '99999', /probes=99999: expected a number from 1 to 16384/],
    ['tables', '0', /tables=0: expected a number from 1/],
    ['hash', 'minhash', /hash=minhash: expected cross-polytope, hyperplane/],
    ['segments', '16', /svm-lsh: unknown parameter segments/],
    ['modality', 'sound', /modality=sound: expected \*, visual, text/],
  ] as const) {
    t.throws(() => svmLsh.open(collection, new Map([[key, value]])), { message });
  }
});

/** Mean share of the 50 best items that p probes find, over seeded SVM models. */
function recallOf(collection: Collection, modality: Modality, tables: LshTables, p: number): number {
  const search = lshSearch(modality, collection.items, tables, p);
  const random = seededRandom(7, 'labels of hyperplanes');
  let sum = 0;
  for (let plane = 0; plane < HYPERPLANES; plane++) {
    const labels = randomLabels(random, collection.items, 10, 50);
    const modalities = [{ name: modality.name, weight: 1 }];
    // The round leaves labelled items out, and so does the search.
    const request = requestOf(collection, { ...labels, k: 50, exhaustive: true, modalities });
    const truth = new Set(round(collection, request).items);
    const skip = Uint32Array.of(...labels.positive, ...labels.negative).sort();
    const found = search.search(trained(modality, { ...labels, seed: 0 }), { ...best(50), least: 0, skip });
    sum += found.filter((item) => truth.has(item)).length / truth.size;
  }
  return sum / HYPERPLANES;
}

/** The share of items in p random buckets of each of L tables, were buckets of one size. */
function chanceOf(tables: number, p: number, bits: number): number {
  return 1 - (1 - p / 2 ** bits) ** tables;
}

function rises(t: Test, values: readonly number[], what: string): void {
  for (let i = 1; i < values.length; i++)
    t.ok((values[i] as number) >= (values[i - 1] as number), `${what}: ${values}`);
  t.ok((values.at(-1) as number) > (values[0] as number), `${what}: ${values}`);
}

/** What a bucket costs by its number alone. */
function costOf(bucket: number, choices: readonly Choices[], bits: number): number {
  const masks = choices.map(({ codes }) => codes.reduce((mask, code) => mask | code, 0));
  if (masks.reduce((all, mask) => all | mask, 0) !== 2 ** bits - 1) throw new RangeError('parts leave bits out');
  return choices.reduce((sum, { codes, costs }, part) => {
    return sum + (costs[codes.indexOf(bucket & (masks[part] as number))] as number);
  }, 0);
}

/** Tables as text that is equal only when they are. */
function bytesOf(tables: LshTables['tables']): string {
  return tables.map(({ starts, items }) => `${starts};${items}`).join('\n');
}

/** The bucket of each item. */
function bucketsOf(starts: Uint32Array, items: Uint32Array): number[] {
  const buckets: number[] = [];
  for (let bucket = 0; bucket + 1 < starts.length; bucket++) {
    for (const item of items.subarray(starts[bucket], starts[bucket + 1])) buckets[item] = bucket;
  }
  return buckets;
}
