// farsight topics from texts to an index, and other texts under topics that were learned before.

import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openNpyArray } from '../../index-builder/readers/npy-array.ts';
import { farsight } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { TOPICS, texts, writeJsonLines } from './texts.ts';

const TEXTS = 1500;
const LEARNING = ['--topics', `${TOPICS}`, '--passes', '2', '--batch', '128', '--keep', '3'];

t.test('texts become shares of topics that an index is built from', async (t) => {
  const { folder, file, out } = collection(t);
  const run = farsight('topics', file, '--out', out, ...LEARNING, '--key', 'key', '--held-out', '0.1');
  t.equal(run.code, 0, run.stderr);
  t.match(
    run.stdout,
    /^.*out: 1500 texts, 1 without a known word, 100 words, 5 topics, in [\d.]+ s\nperplexity \d+\.\d on 1\d\d texts \(document completion\)\n--modality text=.*topic_scores\.npy,ids=.*topic_ids\.npy,dims=5\n$/,
  );
  const perplexity = Number(/perplexity ([\d.]+)/.exec(run.stdout)?.[1]);
  t.ok(perplexity > 20 && perplexity < 60, 'of a hundred words, each text has about twenty a topic to choose from');

  const scores = await rows(join(out, 'topic_scores.npy'));
  t.equal(scores.length, TEXTS);
  t.strictSame(scores[7], [0, 0, 0], 'nothing is said of a text without words');
  for (const row of scores.slice(0, 7)) {
    t.ok((row[0] as number) >= (row[1] as number) && row.reduce((sum, share) => sum + share, 0) <= 1 + 1e-6);
  }
  t.equal(readFileSync(join(out, 'keys.txt'), 'utf8').split('\n')[7], 'text 7');
  t.match(JSON.parse(readFileSync(join(out, 'topics.json'), 'utf8')), {
    kind: 'farsight-topics',
    topics: TOPICS,
    words: 100,
    texts: TEXTS,
  });
  const top = JSON.parse(readFileSync(join(out, 'top_words.json'), 'utf8'));
  t.equal(top.length, TOPICS);
  t.equal(top[0].words.length, 20);
  t.equal(readFileSync(join(out, 'vocabulary.txt'), 'utf8').split('\n').length, 101);

  const modality = run.stdout.trimEnd().split(' ').at(-1) as string;
  const index = farsight(
    'build',
    '--out',
    join(folder, 'index'),
    '--modality',
    modality,
    '--ids',
    join(out, 'keys.txt'),
  );
  t.equal(index.code, 0, index.stderr);
});

t.test('the same texts under the learned topics get the same shares, at any number of threads', async (t) => {
  const { folder, file, out } = collection(t);
  farsight('topics', file, '--out', out, ...LEARNING, '--threads', '1');
  const again = join(folder, 'again');
  farsight('topics', file, '--out', again, ...LEARNING, '--threads', '3');
  t.ok(readdirSync(out).length > 5);
  for (const name of readdirSync(out)) {
    // The record names the folder it was written to.
    if (name !== 'topics.json') t.strictSame(readFileSync(join(again, name)), readFileSync(join(out, name)), name);
  }
  const folded = join(folder, 'folded');
  t.match(farsight('topics', file, '--out', folded, '--model', out, '--keep', '3', '--json').code, 0);
  // The model on disk is in single precision, and so are the pseudo-counts of the texts.
  const expected = await rows(join(out, 'topic_scores.npy'));
  const found = await rows(join(folded, 'topic_scores.npy'));
  const worst = Math.max(
    ...found.flatMap((row, i) => row.map((share, j) => Math.abs(share - (expected[i]?.[j] as number)))),
  );
  t.ok(worst < 1e-3, `${worst}`);
  const dense = join(folder, 'dense');
  farsight('topics', file, '--out', dense, '--model', folded, '--dense');
  const all = await rows(join(dense, 'topics.npy'));
  t.equal(all[0]?.length, TOPICS);
  t.ok(Math.abs((all[0] as number[]).reduce((sum, share) => sum + share, 0) - 1) < 1e-5);
  t.notOk(existsSync(join(dense, 'topic_ids.npy')));
});

t.test('bad usage ends with 2 and unusable input with 1, and nothing is left behind', async (t) => {
  const { folder, file, out } = collection(t);
  mkdirSync(join(folder, 'taken'));
  writeFileSync(join(folder, 'taken/mine.txt'), 'x');
  writeFileSync(join(folder, 'empty.csv'), 'title\n');
  const model = join(folder, 'model');
  farsight('topics', file, '--out', model, ...LEARNING);
  const damaged = join(folder, 'damaged');
  farsight('topics', file, '--out', damaged, ...LEARNING);
  truncateSync(join(damaged, 'vocabulary.txt'), 10);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /FILE is missing/],
    [[file], 2, /--out DIR is missing/],
    [[file, '--out', out, '--topics', '1'], 2, /--topics 1: expected a whole number from 2/],
    [[file, '--out', out, '--held-out', '1'], 2, /--held-out 1: expected a number from 0 to 0\.9/],
    [[file, '--out', out, '--dense', '--keep', '2'], 2, /leave out --keep/],
    [[file, '--out', out, '--model', model, '--topics', '3'], 2, /--topics is of learning/],
    [
      [file, '--out', out, '--fields', 'name'],
      1,
      /line 1: has none of the fields name; it has key, title, tags; choose with --fields/,
    ],
    [[file, '--out', out, '--stop-words', join(folder, 'absent')], 1, /absent: cannot be read \(ENOENT\)/],
    [[file, '--out', out, '--min-count', '9999'], 1, /no word is in at least 9999/],
    [[join(folder, 'empty.csv'), '--out', out], 1, /empty\.csv: |no word is in/],
    [[file, '--out', join(folder, 'taken')], 1, /taken: exists and holds no topics/],
    [[file, '--out', out, '--model', join(folder, 'taken')], 1, /topics\.json: cannot be read \(ENOENT\)/],
    [[file, '--out', out, '--model', damaged], 1, /is no vocabulary|learn the topics again/],
  ];
  for (const [args, code, message] of cases) {
    const run = farsight('topics', ...args);
    t.match(run, { code, stdout: '', stderr: message }, message.source);
    t.equal(run.stderr.trim().split('\n').length, 1, 'one line');
  }
  t.strictSame(
    readdirSync(folder).filter((name) => name.endsWith('.learning') || name === 'out'),
    [],
  );
});

/** The eighth text has no words. */
function collection(t: Test) {
  const folder = temporaryFolder(t);
  const all = texts(TEXTS).map((words, i) => (i === 7 ? [] : words));
  return { folder, file: writeJsonLines(join(folder, 'texts.jsonl'), all), out: join(folder, 'out') };
}

async function rows(path: string): Promise<number[][]> {
  const array = await openNpyArray(path, ['f4']);
  const all = array.read(0, array.rows, array.allocate(array.rows)) as Float32Array;
  array.close();
  return Array.from({ length: array.rows }, (_, row) => [
    ...all.subarray(row * array.columns, (row + 1) * array.columns),
  ]);
}
