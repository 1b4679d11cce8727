// farsight tune over a small collection whose classes overlap: what is chosen, kept, gone on from and reported.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runSimulation } from '../../bench/actors/run.ts';
import { type Tuned, type TuningRequest, tune } from '../../bench/tuning/tune.ts';
import { openIndex } from '../../src/index/open.ts';
import { build, groupedValues, writeLines, writeVectors } from '../builder/collections.ts';
import { farsight } from '../cli/program.ts';
import { startTestServer, temporaryFolder } from '../support.ts';

const ITEMS = 700;
const DIMS = 6;
const CLASSES = 7;

const folder = temporaryFolder(t);
const directory = join(folder, 'index');
const vectors = writeVectors(join(folder, 'a.npy'), DIMS, groupedValues(1, ITEMS, DIMS, CLASSES, 0.5));
await build(directory, { a: [vectors, { codec: 'sq8' }] });
/** Row i is of group i % CLASSES, so classes can be told from one another, but not without mistakes. */
const actors = writeLines(join(folder, 'classes.csv'), [
  'label',
  ...Array.from({ length: ITEMS }, (_, item) => `class ${item % CLASSES}`),
]);

function search(change: Partial<TuningRequest> = {}): Promise<Tuned> {
  return tune({
    directory,
    actors,
    raw: null,
    protocol: 'imagenet',
    metric: 'precision',
    settings: 6,
    budget: 60,
    rounds: 3,
    k: 10,
    starts: 3,
    seed: 2,
    sets: [],
    out: null,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...change,
  });
}

t.test('half of the actors choose, the others report, and the best of the last rung wins', async (t) => {
  const { choosing, reporting, scores, reported, result } = await search();
  t.equal(new Set([...choosing, ...reporting]).size, CLASSES);
  t.equal(choosing.length, 4);
  t.strictSame(
    result.rungs.map(({ settings }) => settings),
    [6, 4, 3, 2],
  );
  const { sessions } = result.rungs.at(-1) as { sessions: number };
  const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const last = Object.entries(scores).filter(([, own]) => own.length === sessions);
  t.equal(last.length, 2, 'the defaults and one other');
  t.ok('mix' in Object.fromEntries(last), 'the defaults take part to the end');
  const best = Math.max(...last.map(([, own]) => meanOf(own)));
  t.equal(meanOf(scores[result.best.system] as number[]), best);
  t.ok(Object.keys(reported).includes('mix') && Object.keys(reported).includes(result.best.system));
  t.equal(result.reporting.sessions, 9, 'three starts of three actors');
  t.ok(Math.abs(result.reporting.best - result.reporting.defaults - result.reporting.difference.mean) < 1e-12);
});

t.test('a setting scores what farsight simulate measures of it', async (t) => {
  // A budget that lets both settings play every session.
  const sets = ['model=rocchio', 'negative_weight=1', 'positive_weight=1', 'diversity=0.95'];
  const plain = ['farthest=2', 'spread=1', 'random=0', 'grid=0', 'from=latest', 'count=5'];
  const { scores, reported, result } = await search({ settings: 2, budget: 1000, sets: [...sets, ...plain] });
  t.strictSame(Object.keys(scores), [
    'mix',
    'mix,model=rocchio,positive_weight=1,negative_weight=1,farthest=2,spread=1,from=latest,count=5,diversity=0.95',
  ]);
  const played = await runSimulation({
    directories: [directory],
    actors: [actors],
    spaces: [],
    systems: Object.keys(scores),
    url: null,
    collection: null,
    protocol: 'imagenet',
    starts: 3,
    rounds: 3,
    k: 10,
    seed: 2,
    save: null,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const precisions = Object.keys(scores).map((system) => {
    const all = [...(scores[system] as number[]), ...(reported[system] ?? [])];
    return { sessions: all.length, precision: all.reduce((a, b) => a + b, 0) / all.length };
  });
  for (const [run, { sessions, precision }] of precisions.entries()) {
    const complete = sessions === 3 * CLASSES;
    t.ok(complete || run > 0, 'the defaults play everything');
    if (complete) t.ok(Math.abs(precision - (played.runs[run]?.precision as number)) < 1e-12, `run ${run}`);
  }
  t.ok(result.reporting.difference.p >= 0.25, 'three actors cannot show more');
});

t.test('interrupted, it keeps every session and goes on to the same bytes', async (t) => {
  const whole = join(folder, 'whole.json');
  let total = 0;
  await search({ out: whole, onProgress: () => void total++ });
  const bytes = readFileSync(whole, 'utf8');
  const out = join(folder, 'interrupted.json');
  let played = 0;
  for (let runs = 0; played < total && runs < 20; runs++) {
    const interrupt = new AbortController();
    const before = played;
    const running = search({
      out,
      signal: interrupt.signal,
      onProgress: () => {
        played++;
        if (played === before + 11) interrupt.abort(new Error('stopped by the test'));
      },
    });
    if (total - before > 11) await t.rejects(running, { message: 'stopped by the test' });
    else await running;
  }
  t.equal(played, total, 'no session twice');
  t.equal(readFileSync(out, 'utf8'), bytes);
  await search({ out, onProgress: () => t.fail('a finished search plays nothing') });
  t.equal(readFileSync(out, 'utf8'), bytes);
});

t.test('a file of another search, or of something else, is left alone', async (t) => {
  const out = join(folder, 'other.json');
  await search({ out, settings: 2, budget: 4 });
  const bytes = readFileSync(out, 'utf8');
  const refuse = (change: Partial<TuningRequest>, message: RegExp) =>
    t.rejects(search({ out, settings: 2, budget: 4, ...change }), { name: 'ActorError', message });
  await refuse({ seed: 3 }, /other\.json: is of another search, .*; name another --out or remove it/);
  await refuse({ metric: 'found' }, /metric was precision and is found/);
  await refuse({ sets: ['c=1'] }, /space was another and is another/);
  t.equal(readFileSync(out, 'utf8'), bytes);
  writeFileSync(out, '{}');
  await refuse({}, /is no result of farsight tune/);
  writeFileSync(out, bytes.slice(0, 100));
  await refuse({}, /cannot be read/);
});

t.test('the best settings are a body that the server takes, and answers alike', async (t) => {
  const sets = ['farthest=1', 'spread=1', 'grid=1', 'random=1', 'diversity=0.9', 'model=linear_svm', 'c=30'];
  const { result } = await search({ settings: 3, budget: 6, sets });
  const server = await startTestServer(t, { collections: { small: directory } });
  const labels = { positive: [0, 7, 14], negative: [1, 2, 3] };
  const { status, body } = await server.suggest<{ items: object[] }>({ labels, ...result.best.suggest });
  t.equal(status, 200);
  t.equal(body.items.length, 10);
});

t.test('IRIS is tuned by its composite, and what the protocol sets holds', async (t) => {
  const iris = { protocol: 'iris,seeds=3', metric: 'composite', rounds: 2, settings: 3, budget: 6 } as const;
  const { result, scores } = await search(iris);
  for (const score of Object.values(scores).flat()) t.ok(score > 0 && score <= 1);
  t.equal(result.ranking.length, 3);
  await t.rejects(search({ metric: 'composite' }), {
    name: 'ParameterError',
    message: /--metric composite: this protocol does not measure it; take --protocol iris/,
  });
});

t.test('as a program it prints tables, a body and JSON, and refuses what does not fit', async (t) => {
  const words = [directory, '--protocol', 'imagenet', '--actors', actors, '--rounds', '2', '--starts', '1'];
  const small = ['--settings', '3', '--budget', '6'];
  const { code, stdout, stderr } = farsight('tune', ...words, ...small);
  t.equal(code, 0, stderr);
  t.match(stdout, /imagenet on index: mean precision of 4 actors to choose by/);
  t.match(stdout, /mean precision of 3 other actors, 3 sessions/);
  t.match(stdout, /difference -?\d\.\d{4} ± \d\.\d{4}: \d actors better, \d worse, p = [\d.]+ \(paired, sign flips\)/);
  t.match(stdout, /--system mix/);
  const json = JSON.parse(farsight('tune', ...words, ...small, '--json').stdout);
  t.match(json, { kind: 'farsight-tuning', search: { generation: openIndex(directory).generation } });
  await refusals(t, words);
});

async function refusals(t: Test, words: readonly string[]): Promise<void> {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[directory], /--protocol NAME is missing/],
    [[directory, '--protocol', 'lsc'], /--actors FILE is missing/],
    [[...words, '--metric', 'speed'], /--metric speed: expected found, composite, precision/],
    [[...words, '--set', 'colour=red'], /mix: unknown parameter colour; known are/],
    [[...words, '--set', 'zeta=2'], /zeta=2: expected a number from 0 to 1/],
    [[...words, '--set', 'zeta'], /--set zeta: expected KEY=VALUE/],
    [[...words.slice(0, 2), 'lsc', '--actors', actors, '--set', 'zeta=2'], /zeta=2: expected a number from 0 to 1/],
    [[...words.slice(0, 2), 'iris', '--actors', actors, '--set', 'c=x', '--out', join(folder, 'o')], /c=x: expected a/],
    [[...words, '--settings', '0'], /--settings 0: expected a whole number from 1/],
    [[...words.slice(0, 2), 'imagnet', '--actors', actors], /imagnet: no such name/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = farsight('tune', ...args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
  }
  const three = writeLines(join(folder, 'three.csv'), [
    'label',
    ...Array.from({ length: ITEMS }, (_, item) => `class ${item % 3}`),
  ]);
  const few = farsight('tune', directory, '--protocol', 'imagenet', '--actors', three);
  t.equal(few.code, 1);
  t.match(few.stderr, /three\.csv: has 3 actors that can play; half choose and half report, so 4 are needed/);
}
