// Which mix finds most: farthest only, spread only, IRIS's mixes, ours, by relevant items found in 10 and 20 rounds of 25.
// Half of the classes choose, the other half reports, with a paired test over actors against the first system named.
//   node dist/bench/mix.bench.js [lsc41k|made|caltech97|tate]… [half=choosing|reporting|all] [starts=N] [actors=N] [seeds=5]
//     [SYSTEM[,key=value]…]…
// lsc41k plays the lsc protocol on its topics, made the same on drawn ones (seed=7) over its pictures; the others play
// truthful sessions from a few seeds of a class, in which every suggestion is labelled and every label stays.

import { join } from 'node:path';
import type { Collection } from '../src/index/open.ts';
import { findByName, parseNamed } from './actors/naming.ts';
import { openProtocol, openStages } from './actors/opening.ts';
import { playSession } from './actors/playing.ts';
import type { PlayedRound } from './actors/tally.ts';
import { systems } from './baselines/registry.ts';
import { caltech97, type Dataset, dataFolder, indexOf, lsc41k, tate } from './datasets/collections.ts';
import { writeTopics } from './datasets/made-topics.ts';
import { mean, printTable, writeRun } from './measure.ts';
import { pairedTest } from './tuning/paired.ts';
import { halvesOf } from './tuning/sessions.ts';

interface Game {
  readonly dataset: Dataset;
  /** A file of the shared data, or one that is made over the vectors as they came. */
  readonly labels: string | ((space: Collection) => string);
  readonly protocol: (seeds: number) => string;
  readonly starts: number;
  /** Actors that play, of those there are: the first of a seeded order. */
  readonly actors: number;
}

/** Many topics with few starts say more than the reverse: sessions of one topic are alike. */
const MADE_STARTS = 5;

const truthful = (seeds: number): string => `iris,seeds=${seeds},negatives=all`;
const games: Readonly<Record<string, Game>> = {
  lsc41k: { dataset: lsc41k, labels: 'lsc41k/topics.json', protocol: () => 'lsc', starts: 20, actors: 12 },
  made: {
    dataset: lsc41k,
    labels: (space) => writeTopics(space, 192, MADE_STARTS, Number(option('seed', '7'))),
    protocol: () => 'lsc',
    starts: MADE_STARTS,
    actors: 192,
  },
  caltech97: { dataset: caltech97, labels: 'caltech97/labels.npy', protocol: truthful, starts: 1, actors: 40 },
  tate: { dataset: tate, labels: 'tate/subject_indptr.npy', protocol: truthful, starts: 1, actors: 24 },
};

const ROUNDS = 20;
const K = 25;
/** Where the counts are taken. */
const AFTER = [10, 20];

/** SpreadS around the latest positives: around all of them a round costs as many scans as there are. */
const AROUND = 'from=latest,count=10';
/**
 * Farthest only (Exquisitor), with which the others are compared; the default round; what gives a fifth of it to another
 * sampler; SpreadS alone and IRIS's mixes.
 */
const STANDARD = [
  'mix,diversity=1',
  'mix',
  `mix,farthest=4,spread=1,${AROUND}`,
  'mix,farthest=4,random=1',
  'mix,farthest=4,grid=1',
  `mix,farthest=0,spread=1,diversity=1,${AROUND}`,
  `mix,farthest=0,spread=1,random=1,diversity=1,${AROUND}`,
  `mix,farthest=0,spread=1,grid=1,diversity=1,${AROUND}`,
];

/** What a protocol sets of SpreadS is the paper's; a mix says itself. */
const OWN = ['from', 'count', 'alpha', 'c'];

const words = process.argv.slice(2);
const option = (name: string, standard: string): string =>
  words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? standard;
const half = option('half', 'reporting') as 'choosing' | 'reporting' | 'all';
const names = words.filter((word) => word in games);
const given = words.filter((word) => /^(mix|exquisitor|blackthorn|spread|knn-ecp)/.test(word));
const texts = given.length === 0 ? STANDARD : given;

const folder = dataFolder();
if (folder === null) process.stdout.write('the shared data is not here (../shared/data or FARSIGHT_DATA)\n');
else for (const name of names.length === 0 ? Object.keys(games) : names) await play(name, games[name] as Game, folder);

async function play(name: string, game: Game, folder: string): Promise<void> {
  const seeds = Number(option('seeds', '5'));
  const starts = Number(option('starts', `${game.starts}`));
  const { plan } = openProtocol(game.protocol(seeds));
  const unscaled = game.dataset === lsc41k ? await indexOf(lsc41k, { keys: { normalize: 'false' } }) : null;
  const raw = unscaled === null ? [] : [unscaled.directory];
  const { directory, collection: unit } = await indexOf(game.dataset);
  const { labels } = game;
  const file = typeof labels === 'string' ? join(folder, labels) : labels(unscaled?.collection ?? unit);
  const [stage] = openStages(
    { directories: [directory], actors: [file], spaces: raw, seed: 0 },
    { ...plan.start, count: starts },
  );
  if (stage === undefined) throw new RangeError('a directory makes a stage');
  const { collection, space } = stage;
  const setting = { collection, space, rounds: ROUNDS, k: K, seed: 0 };
  const { choosing, reporting } = halvesOf(file, stage.actors.actors, 1, 0);
  const most = Math.ceil(Number(option('actors', `${game.actors}`)) / 2);
  const chosen = new Set(
    [
      ...(half === 'reporting' ? [] : choosing.slice(0, most)),
      ...(half === 'choosing' ? [] : reporting.slice(0, most)),
    ].map(({ actor }) => actor),
  );
  const rows = [];
  let first: readonly ActorCounts[] | null = null;
  for (const text of texts) {
    const [named] = parseNamed(text);
    if (named === undefined) throw new RangeError(`${text}: name a system`);
    const factory = findByName(systems, named.name);
    const fitting = Object.entries(plan.system).filter(([key]) => factory.keys.includes(key) && !OWN.includes(key));
    const system = await factory.open(collection, new Map([...fitting, ...named.parameters]));
    const counts: ActorCounts[] = [];
    for (const actor of chosen) {
      const begin = plan.play(actor, setting);
      const sessions: (readonly PlayedRound[])[] = [];
      for (const start of actor.starts.slice(0, starts)) {
        const signal = new AbortController().signal;
        sessions.push(await playSession(system, actor, start, begin(start), setting, null, signal));
      }
      counts.push(countsOf(actor.name, sessions));
    }
    first ??= counts;
    rows.push({ system: text, ...summary(counts, first) });
    // After each system, so that what was played stays when a later one takes too long.
    const run = { collection: name, half, actors: [...chosen].map(({ name }) => name), starts, seeds, k: K, rows };
    process.stderr.write(`${text}: ${writeRun('mix', run, `${name}-${half}`)}\n`);
  }
  printTable(`${name}: ${game.protocol(seeds)}, ${chosen.size} actors ${half}, ${starts} starts, k=${K}`, rows);
}

interface ActorCounts {
  readonly actor: string;
  /** By round of AFTER: relevant items found, and the share of sessions that found one, means over sessions. */
  readonly positives: readonly number[];
  readonly found: readonly number[];
}

function countsOf(actor: string, sessions: readonly (readonly PlayedRound[])[]): ActorCounts {
  const until = (rounds: readonly PlayedRound[], n: number): number =>
    rounds.slice(0, n).reduce((sum, { relevant }) => sum + relevant, 0);
  return {
    actor,
    positives: AFTER.map((n) => mean(sessions.map((rounds) => until(rounds, n)))),
    found: AFTER.map((n) => mean(sessions.map((rounds) => (until(rounds, n) > 0 ? 1 : 0)))),
  };
}

function summary(counts: readonly ActorCounts[], first: readonly ActorCounts[]): Record<string, string> {
  const cells: Record<string, string> = {};
  for (const [i, n] of AFTER.entries()) {
    for (const [key, digits] of [
      ['found', 3],
      ['positives', 2],
    ] as const) {
      const values = counts.map((row) => row[key][i] as number);
      cells[`${key}@${n}`] = mean(values).toFixed(digits);
      if (counts === first) continue;
      const test = pairedTest(
        values.map((value, a) => value - ((first[a] as ActorCounts)[key][i] as number)),
        0,
      );
      cells[`${key}@${n} difference`] =
        `${test.mean.toFixed(digits)} ± ${test.se.toFixed(digits)} p=${test.p.toPrecision(2)}`;
    }
  }
  return cells;
}
