// Algorithm IRIS as a protocol: what a session trains on, what it comes to, and the systems that play it.

import t from 'tap';
import { iris } from '../../bench/actors/iris.ts';
import type { Actor, Session } from '../../bench/actors/protocol.ts';
import { inProcess } from '../../bench/baselines/round-system.ts';
import { spreadMixes } from '../../bench/baselines/spread-mixes.ts';
import type { System, SystemFactory } from '../../bench/baselines/system.ts';
import { budgetAblations, sweepAblations } from '../../bench/iris/ablations.ts';
import { classActorsOf, LEAST_ITEMS } from '../../bench/iris/class-sample.ts';
import { sweep } from '../../src/sweep.ts';
import { everyItem, requestOf, twoModalities } from '../data.ts';

const ITEMS = 600;
const collection = await twoModalities(t, ITEMS);
const setting = { collection, space: collection, rounds: 3, k: 20, seed: 0 };
const factories = spreadMixes.map((system) => inProcess(system));
const [spreadAlone, , spreadRand, spreadGrid] = factories as [
  SystemFactory,
  SystemFactory,
  SystemFactory,
  SystemFactory,
];

// What lies near item 7: a class that the vectors know something of.
const spread = await spreadAlone.open(collection, new Map());
const near = await spread.suggest({ ...empty(), positive: Uint32Array.of(7), k: 59 });
const relevant = new Set([7, ...near]);
const actor: Actor = {
  name: 'near 7',
  relevant: relevant.size,
  isRelevant: (item) => relevant.has(item),
  starts: [{ seed: 1, positive: Uint32Array.of(7, near[3] as number), negative: new Uint32Array(0) }],
};
const start = actor.starts[0] as Actor['starts'][number];

t.test(
  'a session measures discovery, efficiency and their mean by definition, before and after the sweep',
  async (t) => {
    for (const negatives of ['latest', 'all'] as const) {
      const plan = iris.plan(new Map(Object.entries({ seeds: '2', alpha: '1', negatives })));
      const session = plan.play(actor, setting)(start);
      const labelled = new Set<number>(start.positive);
      const wrong: number[][] = [];
      for (const items of [everyItem(collection).subarray(100, 130), near.subarray(10, 20), Uint32Array.of(1, 2)]) {
        await session.answer(items);
        for (const item of items) labelled.add(item);
        wrong.push([...items].filter((item) => !relevant.has(item)));
        t.strictSame(session.negative, negatives === 'all' ? wrong.flat() : wrong.at(-1));
      }
      const found = [...labelled].filter((item) => relevant.has(item));
      t.strictSame([...session.positive].sort(), found.sort());
      const measures = (await session.measures?.()) ?? {};
      t.equal(measures['discovery_rate'], found.length / relevant.size);
      t.equal(measures['labelling_efficiency'], found.length / labelled.size);
      t.equal(measures['composite'], Math.sqrt((found.length / relevant.size) * (found.length / labelled.size)));
      const labels = { positive: Uint32Array.from(session.positive), negative: Uint32Array.from(session.negative) };
      const swept = sweep(collection, { ...requestOf(collection, { ...labels, seed: start.seed }), alpha: 1 });
      for (const item of swept?.items ?? []) labelled.add(item);
      const after = [...labelled].filter((item) => relevant.has(item)).length;
      t.equal(measures['swept_labelled'], labelled.size);
      t.equal(measures['swept_discovery_rate'], after / relevant.size);
      t.equal(measures['swept_labelling_efficiency'], after / labelled.size);
      t.ok(after > found.length, 'the sweep finds more');
    }
  },
);

t.test(
  'each system plays the same session twice, suggests unseen items only, and splits a round as it says',
  async (t) => {
    const plan = iris.plan(new Map([['seeds', '2']]));
    for (const factory of factories) {
      const own = Object.entries(plan.system).filter(([key]) => factory.keys.includes(key));
      const [first, second] = await Promise.all([0, 1].map(() => factory.open(collection, new Map(own))));
      const played = await play(plan.play(actor, setting)(start), first as System);
      t.strictSame(await play(plan.play(actor, setting)(start), second as System), played, factory.name);
      t.equal(new Set(played.flat()).size, played.flat().length, 'no item twice');
      t.notOk(played.flat().some((item) => start.positive.includes(item)));
      t.ok(played.every((items) => items.length === setting.k));
    }
  },
);

t.test('spread alone goes on around the seeds: in the end they are the nearest of all', async (t) => {
  const system = await spreadAlone.open(collection, new Map(Object.entries({ from: 'seeds', count: '1' })));
  const seen = new Set([7]);
  const labels = { ...empty(), positive: Uint32Array.of(7, 300), negative: Uint32Array.of(9) };
  for (let round = 0; round < 3; round++) {
    for (const item of await system.suggest({ ...labels, exclude: Uint32Array.from(seen), k: 15 })) seen.add(item);
  }
  const exclude = Uint32Array.of(300, 9);
  const nearest = await spread.suggest({ ...empty(), positive: Uint32Array.of(7), exclude, k: 45 });
  t.strictSame(
    [...seen].sort((a, b) => a - b),
    [7, ...nearest].sort((a, b) => a - b),
  );
});

t.test('classes are drawn among those that are large enough, and their seeds are members', async (t) => {
  const group = (first: number, length: number) => Uint32Array.from({ length }, (_, i) => first + i);
  const groups = [group(1000, 400), group(0, LEAST_ITEMS), group(5000, LEAST_ITEMS - 1), group(2000, 150)];
  const actors = classActorsOf(groups, 20);
  t.strictSame(
    actors.map(({ name, relevant }) => ({ name, relevant })),
    [LEAST_ITEMS, 400, 150].map((relevant, i) => ({ name: `class ${i}`, relevant })),
  );
  t.strictSame(classActorsOf(groups, 2).length, 2);
  for (const { starts, isRelevant } of actors) {
    for (const { positive, negative } of starts) {
      t.equal(new Set(positive).size, 50);
      t.ok(positive.every(isRelevant));
      t.equal(negative.length, 0);
    }
    t.equal(new Set(starts.map(({ positive }) => positive.join())).size, starts.length, 'draws differ');
  }
  t.strictSame(classActorsOf(groups, 20)[1]?.starts, actors[1]?.starts);
});

t.test('the ablations are systems of the harness that share an epoch as they say', async (t) => {
  for (const { system, a, b, parameters } of [...budgetAblations(50), ...sweepAblations(50)]) {
    if (system === 'manual') continue;
    const choice = spreadMixes.find(({ name }) => name === system)?.choose(new Map(Object.entries(parameters)));
    const { spread, farthest, random, grid } = choice?.options(a + b).mix ?? {};
    t.strictSame([spread, farthest, (random ?? 0) + (grid ?? 0)], [a, 0, b], system);
  }
  const names = [...budgetAblations(50), ...sweepAblations(50)].map((ablation) => JSON.stringify(ablation));
  t.equal(new Set(names).size, names.length, 'none twice');
});

t.test('parameters that do not fit are refused by name', async (t) => {
  t.throws(() => iris.plan(new Map([['epochs', '5']])), /iris: unknown parameter epochs; known are seeds, alpha/);
  t.throws(() => iris.plan(new Map([['seeds', '0']])), /seeds=0: expected a number from 1/);
  t.throws(() => spreadAlone.open(collection, new Map([['alpha', '2']])), /spread: unknown parameter alpha/);
  t.throws(() => spreadRand.open(collection, new Map([['alpha', 'x']])), /alpha=x: expected a number/);
  t.throws(
    () => spreadGrid.open(collection, new Map([['components', '9']])),
    /components=9: expected a number from 1 to 6/,
  );
});

function empty() {
  return { positive: new Uint32Array(0), negative: new Uint32Array(0), exclude: new Uint32Array(0), seed: 0 };
}

async function play(session: Session, system: System): Promise<number[][]> {
  const seen = new Set(session.positive);
  const rounds: number[][] = [];
  for (let round = 0; round < setting.rounds; round++) {
    const items = await system.suggest({
      positive: Uint32Array.from(session.positive),
      negative: Uint32Array.from(session.negative),
      exclude: Uint32Array.from(seen),
      k: setting.k,
      seed: round,
    });
    rounds.push([...items]);
    for (const item of items) seen.add(item);
    await session.answer(items);
  }
  return rounds;
}
