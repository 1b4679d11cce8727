// farsight suggest in all its options: what they change, and what is refused.

import t from 'tap';
import { suggest } from '../../src/commands/suggest.ts';
import { GOLDEN_INDEX } from '../index/golden-index.ts';
import { buildSmallIndex } from '../support.ts';
import { farsight } from './program.ts';

const plain = await buildSmallIndex(t, { items: 60 });
const labels = ['--positive', '1,2', '--negative', '3', '-k', '5'];

interface Round {
  readonly items: readonly { readonly id: number; readonly score: number; readonly source: string }[];
  readonly model: { readonly kind: string };
  readonly portable_model?: { readonly modalities: Readonly<Record<string, unknown>> };
  readonly seed: number;
}

function printed(...args: readonly string[]): string {
  const { code, stdout, stderr } = farsight('suggest', ...args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

function roundOf(...args: readonly string[]): Round {
  return JSON.parse(printed(plain, ...labels, '--json', ...args)) as Round;
}

t.test('each kind of model trains on the same labels, and is told', async (t) => {
  for (const [args, kind] of [
    [[], 'linear_svm'],
    [['--model', 'linear_svm'], 'linear_svm'],
    [['--model', 'rocchio'], 'rocchio'],
    [['--model', 'mlp'], 'mlp'],
    [['--model', 'mlp', '--hidden', ''], 'mlp'],
    [['--model', 'mlp', '--hidden', '4,3'], 'mlp'],
  ] as const) {
    const round = roundOf(...args);
    t.equal(round.model.kind, kind);
    t.equal(round.items.length, 5, kind);
    t.equal(round.portable_model, undefined, 'not asked for');
  }
});

t.test('the trained model comes with the round where it is asked for', async (t) => {
  const { portable_model: model } = roundOf('--return-model', '--seed', '3');
  t.strictSame(Object.keys(model?.modalities ?? {}), ['visual', 'text']);
});

t.test('lines hold the sampler of a mix, and the key where there are keys', async (t) => {
  const lines = (directory: string, ...args: readonly string[]) =>
    printed(directory, ...labels, ...args)
      .trimEnd()
      .split('\n');
  for (const line of lines(plain)) t.match(line, /^\d+\t-?[\d.]+$/);
  const mixed = lines(plain, '--mix', 'farthest=3,spread=2', '--diversity', '.9');
  t.equal(mixed.filter((line) => /^\d+\t-?[\d.]+\tspread$/.test(line)).length, 2);
  for (const line of lines(GOLDEN_INDEX)) t.match(line, /^(\d+)\t-?[\d.]+\tphoto\/\1$/);
});

t.test('what is excluded never comes, and without labels a round is random', async (t) => {
  const all = Array.from({ length: 50 }, (_, item) => item + 10);
  const text = printed(plain, '-k', '20', '--exclude', `${all}`, '--exhaustive', '--json');
  const { items, model } = JSON.parse(text) as Round;
  t.equal(model.kind, 'none');
  t.strictSame(items.map(({ id }) => id).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['--return-model'], /--return-model needs --json/],
  [['--hidden', '8'], /--hidden needs --model mlp/],
  [['--model', 'rocchio', '--hidden', '8'], /--hidden needs --model mlp/],
  [['--model', 'forest'], /--model forest: expected linear_svm, mlp or rocchio/],
  [['--model', 'mlp', '--hidden', '8,x'], /--hidden 8,x: expected at most \d numbers from 1 to \d+, or nothing/],
  [['--model', 'mlp', '--hidden', '8,8,8,8'], /--hidden 8,8,8,8: expected at most/],
  [['--model', 'mlp', '--hidden', '9999'], /--hidden 9999: expected at most/],
  [['--diversity', 'much'], /--diversity much: expected a number from 0 to 1/],
  [['--diversity', '0..5'], /--diversity 0\.\.5: expected a number from 0 to 1/],
  [['--mix', 'farthest'], /--mix farthest: 'farthest' is no share/],
  [['--exclude', '60'], /--exclude 60: '60' is no item; the index has items 0 to 59$/],
  [['--exclude', 'a-key'], /'a-key' is no item; the index has items 0 to 59$/],
];

for (const [args, message] of refusals) {
  t.test(`bad usage: ${args.join(' ')}`, async (t) => {
    await t.rejects(suggest.run([plain, ...args]), { name: 'UsageError', message });
  });
}
