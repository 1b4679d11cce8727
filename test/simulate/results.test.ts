// What a simulation reports, against sums done by hand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Tally } from '../../bench/actors/tally.ts';
import { temporaryFolder } from '../support.ts';
import { play, RELEVANT, START, tinyActors, tinyIndex, tinyTopics } from './tiny.ts';

t.test('precision and recall of each round are those counted by hand', async (t) => {
  // 8 relevant, 2 of them known: 4 of 6 are suggested first, then the last 2 beside 2 others, then none is left.
  const result = await play(await tinyIndex(t), tinyActors(t), { systems: ['exquisitor', 'blackthorn', 'knn-ecp'] });
  t.equal(result.runs.length, 3);
  for (const run of result.runs) {
    t.strictSame(
      run.rounds.map(({ round, precision, recall }) => ({ round, precision, recall })),
      [
        { round: 1, precision: 1, recall: 4 / RELEVANT },
        { round: 2, precision: 0.5, recall: 6 / RELEVANT },
        { round: 3, precision: 0, recall: 6 / RELEVANT },
      ],
      run.system,
    );
    t.equal(run.precision, 0.5);
    t.equal(run.recall, 0.75);
    t.equal(run.sessions, 1);
    const { mean, p50, p95, p99, max } = run.latency_ms;
    t.ok(mean > 0 && p50 <= p95 && p95 <= p99 && p99 <= max);
    t.ok((run.rss_bytes as number) > 1e7 && (run.rss_max_bytes as number) >= (run.rss_bytes as number) / 2);
    t.ok(run.open_ms >= 0);
  }
  t.equal(result.kind, 'farsight-simulation');
  t.equal(result.over, 'process');
  t.strictSame(result.actors, { file: 'actors.json', count: 1, seed: 1 });
});

t.test('found@n counts the sessions in which a relevant item was suggested by round n', async (t) => {
  const index = await tinyIndex(t);
  // The first start is beside the relevant items; the second knows axis 1 only and is suggested more of it.
  const result = await play(index, tinyTopics(t), { protocol: 'lsc', rounds: 20 });
  const [run] = result.runs;
  t.equal(run?.sessions, 2);
  t.equal(run?.rounds[0]?.precision, 3 / 4 / 2, 'three relevant items of four, in one of two sessions');
  t.equal(run?.rounds[0]?.recall, 0.5);
  t.strictSame(Object.keys(run?.found ?? {}), ['10', '20'], 'found@50 needs fifty rounds');
  t.ok((run?.found?.['10'] as number) >= 0.5);
});

t.test('the error of a mean is that of independent actors, not of their sessions', async (t) => {
  const tally = new Tally();
  const round = (relevant: number) => [{ suggested: 4, relevant, latencyMs: 1 }];
  // Actors' means .25 and .75: s = .3536, over the root of two actors .25.
  for (const relevant of [0, 2]) tally.add('a', 8, round(relevant), { score: 1 });
  for (const relevant of [2, 4]) tally.add('b', 8, round(relevant), { score: 3 });
  const summary = tally.summary([1]);
  t.equal(summary.precision, 0.5);
  t.equal(summary.precision_se, 0.25);
  t.equal(summary.found?.['1'], 0.75);
  t.strictSame(summary.measures, { score: { mean: 2, se: 1 } });
  const one = new Tally();
  for (const relevant of [0, 4]) one.add('a', 8, round(relevant), {});
  t.equal(one.summary([]).precision_se, 0.5, 'with one actor, of the sessions: s = .7071 over the root of two');
});

t.test('equal seeds write equal transcripts, another seed other negatives', async (t) => {
  const index = await tinyIndex(t);
  const actors = tinyActors(t);
  const folder = temporaryFolder(t);
  const transcript = async (name: string, seed: number): Promise<string> => {
    const save = join(folder, name);
    await play(index, actors, { save, seed, systems: ['exquisitor,clusters=2:4', 'blackthorn'] });
    return readFileSync(save, 'utf8');
  };
  const first = await transcript('a', 0);
  t.equal(await transcript('b', 0), first);
  t.not(await transcript('c', 1), first);

  const [header, ...rounds] = first
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.strictSame(
    header.runs.map(({ system, parameters }: { system: string; parameters: { clusters?: number } }) => [
      system,
      parameters.clusters,
    ]),
    [
      ['exquisitor', 2],
      ['exquisitor', 4],
      ['blackthorn', undefined],
    ],
  );
  t.equal(rounds.length, 9, 'three systems, three rounds');
  t.strictSame(rounds[0].positive, START.positive);
  t.strictSame(rounds[0].negative, START.negative);
  for (const run of [0, 1, 2]) {
    const own = rounds.filter((round) => round.run === run);
    t.strictSame(own[1].negative, rounds[1].negative, 'negatives are preset: the same for every system');
    t.equal(new Set(own.flatMap(({ negative }) => negative)).size, 204, '4 and 2 times 100, none twice');
    t.ok(
      own.flatMap(({ negative }) => negative).every((item) => item >= RELEVANT),
      'the actor is truthful',
    );
    t.equal(new Set(own.flatMap(({ suggested }) => suggested)).size, 12, 'nothing is suggested twice');
  }
});

t.test('without negatives enough for its rounds a session is refused', async (t) => {
  const played = play(await tinyIndex(t), tinyActors(t), { rounds: 10 });
  await t.rejects(played, { message: /axis 0: 900 further negatives are needed and 588 .* fewer --rounds/ });
});
