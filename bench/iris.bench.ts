// Algorithm IRIS on real classes, with the ablations of the paper: SpreadS alone, SpreadS beside uniform draws, RandS and
// GridS, manual labelling, over seed budgets of 1 to 50; zeta and N of GridS and alpha of RandS at one budget.
//   node dist/bench/iris.bench.js [caltech97|tate|lsc41k]… [classes=20] [starts=3] [rounds=5] [seeds=1:2:5:10:50]
//     [sweep=5] [alpha=3] [negatives=latest|all]
// One result a collection, in the form of farsight simulate, which figures.js draws.

import { iris } from './actors/iris.ts';
import type { Actor, Start } from './actors/protocol.ts';
import { type RunResult, simulate } from './actors/simulate.ts';
import { systems } from './baselines/registry.ts';
import { caltech97, type Dataset, describe, groupsOf, indexOf, lsc41k, tate } from './datasets/collections.ts';
import { type Ablation, budgetAblations, sweepAblations } from './iris/ablations.ts';
import { classActorsOf, LEAST_ITEMS } from './iris/class-sample.ts';
import { printTable, writeRun } from './measure.ts';

const datasets: Readonly<Record<string, Dataset>> = { caltech97, tate, lsc41k };

const words = process.argv.slice(2);
const option = (name: string, standard: string): string =>
  words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? standard;
const rounds = Number(option('rounds', '5'));
const starts = Number(option('starts', '3'));
const alpha = option('alpha', '3');
const negatives = option('negatives', 'latest');
const budgets = option('seeds', '1:2:5:10:50').split(':').map(Number);
const sweepBudget = Number(option('sweep', '5'));

const named = words.filter((word) => !word.includes('='));
for (const name of named.length === 0 ? Object.keys(datasets) : named) await runDataset(name);

/** Plays every ablation at every budget, and the sweeps at theirs; prints a table and writes the result. */
async function runDataset(name: string): Promise<void> {
  const dataset = datasets[name];
  if (dataset === undefined) throw new RangeError(`${name}: known are ${Object.keys(datasets).join(', ')}`);
  const { collection } = await indexOf(dataset);
  const actors = classActorsOf(groupsOf(dataset), Number(option('classes', '20')));
  const runs: RunResult[] = [];
  for (const seeds of budgets) {
    const plan = iris.plan(new Map(Object.entries({ seeds: `${seeds}`, alpha, negatives })));
    const chosen = [...budgetAblations(), ...(seeds === sweepBudget ? sweepAblations() : [])];
    for (const ablation of chosen) {
      const stage = { name, collection, space: collection, actors: actorSet(actors, seeds) };
      const result = await simulate([stage], [entryOf(ablation, plan.system)], {
        protocol: 'iris',
        plan,
        rounds,
        k: ablation.a + ablation.b,
        seed: 0,
        starts,
        over: 'process',
        transcript: null,
        signal: new AbortController().signal,
        onProgress: () => {},
      });
      runs.push(...result.runs.map((run) => ({ ...run, parameters: parametersOf(run, ablation, seeds) })));
      // After each run, so that what was played stays when a later one takes too long.
      const { protocol_parameters: _, k: __, ...head } = result;
      const settings = { classes: actors.map((actor) => actor.name), starts, rounds, alpha: Number(alpha), negatives };
      writeRun('iris', { ...head, settings, runs }, name);
    }
    process.stderr.write(`${name}: ${seeds} seeds, ${Math.round(performance.now() / 1000)} s\n`);
  }
  const title = `${describe(dataset)}; ${actors.length} classes of at least ${LEAST_ITEMS} items, ${starts} starts, ${rounds} epochs, alpha ${alpha}, negatives ${negatives}`;
  printTable(title, runs.map(rowOf));
}

/** The same classes with the first `seeds` items of each start: longer budgets extend shorter ones. */
function actorSet(actors: readonly Actor[], seeds: number) {
  const cut = (start: Start): Start => ({ ...start, positive: start.positive.slice(0, seeds) });
  return { file: 'classes', seed: 0, actors: actors.map((actor) => ({ ...actor, starts: actor.starts.map(cut) })) };
}

function entryOf({ system, parameters }: Ablation, standard: Readonly<Record<string, string>>) {
  const factory = systems.find((known) => known.name === system);
  if (factory === undefined) throw new RangeError(`no system ${system}`);
  const fitting = Object.entries(standard).filter(([key]) => factory.keys.includes(key));
  return { factory, parameters: new Map([...fitting, ...Object.entries(parameters)]) };
}

/** What tells runs apart: the budget, a, b and what an ablation varies. */
function parametersOf({ parameters }: RunResult, { system, a, b }: Ablation, seeds: number): RunResult['parameters'] {
  const { alpha: threshold, zeta, segments } = parameters;
  return {
    seeds,
    a,
    b,
    ...(system === 'spread+rand' && threshold !== undefined ? { alpha: threshold } : {}),
    ...(system === 'spread+grid' && zeta !== undefined && segments !== undefined ? { zeta, segments } : {}),
  };
}

/** Mean and standard error over classes. */
function rowOf({ system, parameters, measures = {} }: RunResult): Record<string, string> {
  const { seeds, a, b, ...varied } = parameters;
  const cell = (key: string): string => {
    const measured = measures[key];
    return measured === undefined ? '' : `${measured.mean.toFixed(3)} ± ${measured.se.toFixed(3)}`;
  };
  const setting = Object.entries(varied).map(([key, value]) => `${key}=${value}`);
  return {
    seeds: `${seeds}`,
    system,
    'a + b': `${a} + ${b}`,
    setting: setting.join(' '),
    L_e: cell('labelling_efficiency'),
    d_r: cell('discovery_rate'),
    composite: cell('composite'),
    labelled: (measures.labelled?.mean ?? 0).toFixed(0),
    'swept L_e': cell('swept_labelling_efficiency'),
    'swept d_r': cell('swept_discovery_rate'),
    'swept composite': cell('swept_composite'),
    'swept labelled': (measures.swept_labelled?.mean ?? 0).toFixed(0),
  };
}
