// Algorithm IRIS on real classes, with the ablations of the paper: SpreadS alone, SpreadS beside uniform draws, RandS and
// GridS, manual labelling, over seed budgets of 1 to 50; zeta and N of GridS and alpha of RandS at one budget.
//   node dist/bench/iris.bench.js [caltech97|tate|lsc41k]… [classes=50] [starts=5] [rounds=5] [seeds=1:2:5:10:50] [a=50]
//     [sweep=5] [sweep_starts=1] [alpha=3] [negatives=latest|all]
// A start is a draw of seeds, with random draws of its own. One result a collection, in the form of farsight simulate, which
// figures.js draws and tabulates, with the differences of the mixes tested in pairs over the classes.

import { iris } from './actors/iris.ts';
import type { Stage } from './actors/playing.ts';
import type { Actor, Start } from './actors/protocol.ts';
import { type RunResult, type Simulation, simulate } from './actors/simulate.ts';
import { systems } from './baselines/registry.ts';
import { caltech97, type Dataset, describe, groupsOf, indexOf, lsc41k, tate } from './datasets/collections.ts';
import { type Ablation, budgetAblations, sweepAblations } from './iris/ablations.ts';
import { classActorsOf, LEAST_ITEMS } from './iris/class-sample.ts';
import { type ByClass, type Difference, differencesOf } from './iris/differences.ts';
import { printTable, writeRun } from './measure.ts';

const datasets: Readonly<Record<string, Dataset>> = { caltech97, tate, lsc41k };

const words = process.argv.slice(2);
const option = (name: string, standard: string): string =>
  words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? standard;
const rounds = Number(option('rounds', '5'));
const starts = Number(option('starts', '5'));
const sweepStarts = Number(option('sweep_starts', '1'));
const spreadItems = Number(option('a', '50'));
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
  const actors = classActorsOf(groupsOf(dataset), Number(option('classes', '50')));
  const runs: RunResult[] = [];
  const differences: Difference[] = [];
  const settings = {
    classes: actors.map(({ name }) => name),
    starts,
    sweepStarts,
    rounds,
    alpha: Number(alpha),
    negatives,
  };
  for (const seeds of budgets) {
    const stage = { name, collection, space: collection, actors: actorSet(actors, seeds) };
    const played = new Map<Ablation, ByClass>();
    const games = [
      ...byEpoch(budgetAblations(spreadItems)).map((ablations) => ({ ablations, starts })),
      ...(seeds === sweepBudget ? [{ ablations: sweepAblations(spreadItems), starts: sweepStarts }] : []),
    ];
    for (const { ablations, starts } of games) {
      const result = await playGame(stage, ablations, starts, seeds, played);
      runs.push(...result.runs.map((run, i) => ({ ...run, parameters: parametersOf(run, ablations[i], seeds) })));
      if (ablations !== games.at(-1)?.ablations) continue;
      differences.push(...differencesOf(played, seeds));
      // After every budget, so that what was played stays when a later one takes too long.
      const { protocol_parameters: _, k: __, ...head } = result;
      writeRun('iris', { ...head, settings, differences, runs }, subjectOf(name));
    }
    process.stderr.write(`${name}: ${seeds} seeds, ${Math.round(performance.now() / 1000)} s\n`);
  }
  const title = `${describe(dataset)}; ${actors.length} classes of at least ${LEAST_ITEMS} items, ${starts} starts, ${rounds} epochs, alpha ${alpha}, negatives ${negatives}`;
  printTable(title, runs.map(rowOf));
}

/** What is not as usual is named, so that such a run does not take another's place. */
function subjectOf(name: string): string {
  const some = words.some((word) => word.startsWith('seeds='));
  return [name, ...(spreadItems === 50 ? [] : [`a${spreadItems}`]), ...(some ? ['seeds', ...budgets] : [])].join('-');
}

/** Plays ablations that have as many labels an epoch, in turns; adds what every class came to. */
function playGame(
  stage: Stage,
  ablations: readonly Ablation[],
  starts: number,
  seeds: number,
  played: Map<Ablation, ByClass>,
): Promise<Simulation> {
  const plan = iris.plan(new Map(Object.entries({ seeds: `${seeds}`, alpha, negatives })));
  const classes = ablations.map((): ByClass => new Map());
  ablations.forEach((ablation, i) => void played.set(ablation, classes[i] as ByClass));
  return simulate(
    [stage],
    ablations.map((ablation) => entryOf(ablation, plan.system)),
    {
      protocol: 'iris',
      plan,
      rounds,
      k: labelsOf(ablations[0] as Ablation),
      seed: 0,
      starts,
      over: 'process',
      transcript: null,
      signal: new AbortController().signal,
      onProgress: () => {},
      onSession: (run, { name }, _rounds, measures) => {
        const own = classes[run] as ByClass;
        own.set(name, [...(own.get(name) ?? []), measures]);
      },
    },
  );
}

/** Those with as many labels an epoch play in turns: what a thread keeps of one session serves them all. */
function byEpoch(ablations: readonly Ablation[]): readonly (readonly Ablation[])[] {
  const labels = [...new Set(ablations.map(labelsOf))];
  return labels.map((count) => ablations.filter((ablation) => labelsOf(ablation) === count));
}

function labelsOf({ a, b }: Ablation): number {
  return a + b;
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
function parametersOf(
  { parameters }: RunResult,
  ablation: Ablation | undefined,
  seeds: number,
): RunResult['parameters'] {
  const { system, a, b } = ablation as Ablation;
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
