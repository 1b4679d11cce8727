// Algorithm IRIS on real classes: discovery rate, labelling efficiency and their geometric mean for SpreadS alone, beside
// uniform draws, RandS and GridS, over seed budgets 1 to 50, as the paper's tables have them.
//   node dist/bench/iris.bench.js [caltech97|tate|lsc41k]… [classes=N] [starts=N] [rounds=N] [k=N] [seeds=1:2:5]
//     [alpha=A] [negatives=latest|all] [SYSTEM:key=value]…

import { sampleAscending, seededRandom } from '../src/random.ts';
import { iris } from './actors/iris.ts';
import type { Actor, Setting, Start } from './actors/protocol.ts';
import { inProcess } from './baselines/round-system.ts';
import { spreadMixes } from './baselines/spread-mixes.ts';
import type { SystemFactory } from './baselines/system.ts';
import { caltech97, type Dataset, describe, groupsOf, indexOf, lsc41k, tate } from './datasets/collections.ts';
import { printTable, writeRun } from './measure.ts';

const datasets: Readonly<Record<string, { readonly dataset: Dataset; readonly k: number; readonly alpha: number }>> = {
  // Suggestions an epoch in proportion to the classes: some 80, 1,000 and 500 items.
  caltech97: { dataset: caltech97, k: 20, alpha: 3 },
  tate: { dataset: tate, k: 100, alpha: 3 },
  lsc41k: { dataset: lsc41k, k: 100, alpha: 3 },
};
const factories: readonly SystemFactory[] = spreadMixes.map(inProcess);
/** Fewer items could not give the largest budget of seeds and leave something to find. */
const LEAST_ITEMS = 100;

const words = process.argv.slice(2);
const option = (name: string, standard: string): string =>
  words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? standard;
const named = words.filter((word) => word in datasets);
const results = [];
for (const name of named.length === 0 ? Object.keys(datasets) : named) {
  results.push(...(await runDataset(name)));
}
process.stdout.write(`${writeRun('iris', { results })}\n`);

/** Rows of one collection: one per seed budget and system. */
async function runDataset(name: string) {
  const entry = datasets[name];
  if (entry === undefined) throw new RangeError(`${name}: known are ${Object.keys(datasets).join(', ')}`);
  const { dataset } = entry;
  const { collection } = await indexOf(dataset);
  const k = Number(option('k', `${entry.k}`));
  const rounds = Number(option('rounds', '5'));
  const alpha = option('alpha', `${entry.alpha}`);
  const negatives = option('negatives', 'latest');
  const actors = classes(dataset, Number(option('classes', '20')));
  const rows = [];
  for (const seeds of option('seeds', '1:2:5:10:50').split(':').map(Number)) {
    const plan = iris.plan(
      new Map([
        ['seeds', `${seeds}`],
        ['alpha', alpha],
        ['negatives', negatives],
      ]),
    );
    for (const factory of factories) {
      const given = Object.entries(plan.system).filter(([key]) => factory.keys.includes(key));
      const own = words
        .filter((word) => word.startsWith(`${factory.name}:`))
        .map((word) => word.split(/[:=]/).slice(1));
      const system = await factory.open(collection, new Map([...given, ...(own as [string, string][])]));
      const measures = [];
      for (const actor of actors) {
        const setting: Setting = { collection, space: collection, rounds, k, seed: 0 };
        const begin = plan.play(actor, setting);
        for (const start of startsOf(actor, seeds, Number(option('starts', '3')))) {
          measures.push(await play(begin(start), actor, system.suggest, setting, start));
        }
      }
      rows.push({ collection: name, seeds, system: factory.name, ...summary(measures) });
    }
  }
  const title = `${describe(dataset)}; ${actors.length} classes, ${rounds} epochs of ${k}, alpha ${alpha}, negatives ${negatives}`;
  printTable(title, rows);
  return rows.map((row) => ({ ...row, k, rounds, alpha, negatives, classes: actors.length }));
}

type SessionOf = ReturnType<ReturnType<ReturnType<typeof iris.plan>['play']>>;
type Suggest = Awaited<ReturnType<SystemFactory['open']>>['suggest'];

async function play(session: SessionOf, actor: Actor, suggest: Suggest, setting: Setting, start: Start) {
  const seen = new Set(start.positive);
  const seeds = seededRandom(start.seed, `rounds of ${actor.name}`);
  for (let round = 0; round < setting.rounds; round++) {
    const items = await suggest({
      positive: Uint32Array.from(session.positive),
      negative: Uint32Array.from(session.negative),
      exclude: Uint32Array.from(seen),
      k: setting.k,
      seed: seeds.below(2 ** 32),
    });
    for (const item of items) seen.add(item);
    await session.answer(items);
  }
  return (await session.measures?.()) ?? {};
}

/** Classes drawn at random among those that are large enough. */
function classes(dataset: Dataset, count: number): readonly Actor[] {
  const groups = groupsOf(dataset)
    .filter(({ length }) => length >= LEAST_ITEMS)
    .sort((a, b) => (a[0] as number) - (b[0] as number));
  return [...sampleAscending(seededRandom(1, 'classes'), count, groups.length)].map((g) => {
    const members = new Set(groups[g]);
    return {
      name: `class ${g}`,
      relevant: members.size,
      isRelevant: (item) => members.has(item),
      starts: startsIn(members),
    };
  });
}

/** One start per draw of seeds; longer budgets extend shorter ones. */
function startsIn(members: ReadonlySet<number>): readonly Start[] {
  const items = [...members];
  return Array.from({ length: 5 }, (_, draw) => {
    const random = seededRandom(draw, `seeds of ${items[0]}`);
    const left = [...items];
    const positive = Array.from({ length: Math.min(50, left.length) }, () => {
      const at = random.below(left.length);
      const item = left[at] as number;
      left[at] = left.at(-1) as number;
      left.pop();
      return item;
    });
    return { seed: draw, positive: Uint32Array.from(positive), negative: new Uint32Array(0) };
  });
}

function startsOf(actor: Actor, seeds: number, count: number): readonly Start[] {
  return actor.starts.slice(0, count).map((start) => ({ ...start, positive: start.positive.slice(0, seeds) }));
}

/** Means over sessions; the deviation is that of one session. */
function summary(measures: readonly Readonly<Record<string, number>>[]): Record<string, string> {
  const mean = (key: string): number => measures.reduce((sum, row) => sum + (row[key] ?? 0), 0) / measures.length;
  const deviation = (key: string): number => {
    const middle = mean(key);
    const squares = measures.reduce((sum, row) => sum + ((row[key] ?? 0) - middle) ** 2, 0);
    return Math.sqrt(squares / Math.max(1, measures.length - 1));
  };
  const columns: readonly (readonly [string, string])[] = [
    ['labelling_efficiency', 'L_e'],
    ['discovery_rate', 'd_r'],
    ['composite', 'composite'],
    ['labelled', 'labelled'],
    ['swept_labelling_efficiency', 'swept L_e'],
    ['swept_discovery_rate', 'swept d_r'],
    ['swept_composite', 'swept composite'],
    ['swept_labelled', 'swept labelled'],
  ];
  const cells = columns.map(([key, title]) => [title, mean(key).toFixed(key.endsWith('labelled') ? 0 : 3)]);
  cells.push(['± composite', deviation('composite').toFixed(3)], ['± swept', deviation('swept_composite').toFixed(3)]);
  return Object.fromEntries(cells);
}
