// The parts of a search by themselves: drawn settings, rungs, the paired test and the system that settings describe.

import t from 'tap';
import { mix } from '../../bench/baselines/mix.ts';
import { betterHalf, ranked, rungsFor } from '../../bench/tuning/halving.ts';
import { metrics } from '../../bench/tuning/metric.ts';
import { pairedTest } from '../../bench/tuning/paired.ts';
import { drawSettings, SPACE, settingText, spaceOf } from '../../bench/tuning/space.ts';
import { SAMPLERS } from '../../src/samplers/sampler.ts';

t.test('settings differ, are seeded, name what takes effect only, and the system takes each', async (t) => {
  const settings = drawSettings(SPACE, 200, 7);
  t.equal(settings.length, 200);
  t.equal(settings[0]?.size, 0, 'the first is the defaults');
  t.equal(new Set(settings.map(settingText)).size, 200);
  t.strictSame(drawSettings(SPACE, 200, 7), settings);
  t.strictSame(drawSettings(SPACE, 50, 7), settings.slice(0, 50), 'more settings begin with the same');
  t.notSame(drawSettings(SPACE, 200, 8), settings);
  for (const setting of settings.slice(1)) {
    const { parameters, options } = mix.choose(setting);
    const { mix: shares, model } = options(25);
    for (const [key, value] of setting) t.equal(`${parameters[key]}`, value, `${settingText(setting)}: ${key}`);
    t.equal(model.kind, setting.get('model'));
    if (shares !== null)
      t.equal(
        SAMPLERS.reduce((sum, name) => sum + shares[name], 0),
        25,
      );
    t.equal(setting.has('zeta'), setting.has('grid'));
    t.equal(setting.has('alpha'), setting.has('random'));
    t.equal(setting.has('c'), setting.get('model') !== 'rocchio');
    t.equal(setting.has('hidden'), setting.get('model') === 'mlp');
    t.equal(setting.has('loss'), setting.get('model') === 'linear_svm');
  }
  t.strictSame(new Set(settings.slice(1).map((setting) => setting.get('model'))), new Set(SPACE['model']));
});

t.test('the hidden layers of a network are numbers with + between them', async (t) => {
  const modelOf = (hidden: string) => mix.choose(new Map(Object.entries({ model: 'mlp', hidden }))).options(9).model;
  t.strictSame(modelOf('0'), { kind: 'mlp', hidden: [], c: 10 });
  t.strictSame(modelOf('256'), { kind: 'mlp', hidden: [256], c: 10 });
  t.strictSame(modelOf('32+16'), { kind: 'mlp', hidden: [32, 16], c: 10 });
  for (const wrong of ['257', '8+8+8', '8+0', '+8', '1e1', '']) {
    t.throws(() => modelOf(wrong), {
      name: 'ParameterError',
      message: /hidden=.*: expected 0, for no layer, or up to 2/,
    });
  }
});

t.test('values that are set are the only ones, and a small space is soon exhausted', async (t) => {
  const sets = ['model=linear_svm', 'loss=hinge', 'positive_weight=1', 'diversity=1', 'c=1:10', 'clusters=64'];
  const mixes = ['farthest=2', 'spread=0', 'random=2', 'grid=0', 'alpha=3'];
  const texts = drawSettings(spaceOf([...sets, ...mixes]), 10, 0).map(settingText);
  const rest = 'loss=hinge,positive_weight=1,farthest=1,random=1,alpha=3,diversity=1,clusters=64';
  t.strictSame([...texts].sort(), ['mix', `mix,model=linear_svm,c=1,${rest}`, `mix,model=linear_svm,c=10,${rest}`]);
  t.match(
    drawSettings(spaceOf(['farthest=0', 'spread=0', 'random=0', 'grid=0']), 2, 0).map(settingText)[1],
    /farthest=1/,
    'a mix of nothing is farthest',
  );
});

t.test('the mix shares k out in proportion, by largest remainders', async (t) => {
  const sharesOf = (text: string, k: number) =>
    mix.choose(new Map(text.split(',').map((pair) => pair.split('=') as [string, string]))).options(k).mix;
  t.strictSame(sharesOf('spread=1,random=1', 25), { farthest: 9, spread: 8, random: 8, grid: 0 });
  t.strictSame(sharesOf('farthest=0,spread=1,grid=2', 10), { farthest: 0, spread: 3, random: 0, grid: 7 });
  t.strictSame(sharesOf('farthest=4,grid=1', 2), { farthest: 2, spread: 0, random: 0, grid: 0 });
  t.equal(sharesOf('farthest=3', 25), null, 'farthest alone needs no mix');
  t.throws(() => sharesOf('farthest=0', 25), { name: 'ParameterError', message: /all parts are 0/ });
});

t.test('every rung has an equal part of the budget, and fewer settings play more', async (t) => {
  t.strictSame(rungsFor(32, 2000, 10_000), [
    { settings: 32, sessions: 10 },
    { settings: 17, sessions: 19 },
    { settings: 9, sessions: 37 },
    { settings: 5, sessions: 66 },
    { settings: 3, sessions: 111 },
    { settings: 2, sessions: 166 },
  ]);
  t.strictSame(rungsFor(4, 1000, 20), [
    { settings: 4, sessions: 20 },
    { settings: 3, sessions: 20 },
    { settings: 2, sessions: 20 },
  ]);
  t.strictSame(rungsFor(3, 1, 20), [
    { settings: 3, sessions: 1 },
    { settings: 2, sessions: 1 },
  ]);
  t.strictSame(rungsFor(1, 100, 20), [], 'the defaults alone have nobody to beat');
  const scores = new Map([
    [0, 0.1],
    [1, 0.5],
    [2, 0.7],
    [3, 0.5],
    [4, 0.2],
  ]);
  t.strictSame(ranked(scores), [2, 1, 3, 4, 0]);
  t.strictSame(betterHalf(scores), [0, 2, 1], 'the defaults stay, the earlier of equals comes first');
});

t.test('the paired test counts signs exactly for few actors and by drawing for many', async (t) => {
  t.match(pairedTest([1, 1, 1], 0), { actors: 3, mean: 1, se: 0, better: 3, worse: 0, p: 2 / 8 });
  t.match(pairedTest([0.5, -0.5], 0), { mean: 0, better: 1, worse: 1, p: 1 });
  t.match(pairedTest([0, 0, 0], 0), { mean: 0, better: 0, worse: 0, p: 1 });
  // All sign combinations of 3, 2 and 1: sums of 6, 4, 2, 0 and their negatives; four of eight are as far out as 4.
  t.equal(pairedTest([3, 2, -1], 0).p, 4 / 8);
  t.ok(Math.abs(pairedTest([1, 2, 3], 0).se - 1 / Math.sqrt(3)) < 1e-12);
  // Twenty signs with a sum of 8 or more, or -8 or less: 2 P(X >= 14) of the binomial distribution = 0.11532.
  const twenty = Array.from({ length: 20 }, (_, i) => (i < 14 ? 1 : -1));
  const { p } = pairedTest(twenty, 1);
  // Five standard errors of a share of 100,000 draws.
  t.ok(Math.abs(p - 0.11532) < 5 * Math.sqrt((0.11532 * 0.88468) / 100_000), `${p}`);
  t.equal(pairedTest(twenty, 1).p, p, 'seeded');
  t.ok(pairedTest(new Array(20).fill(1), 0).p < 1e-4);
});

t.test('a session without rounds is worth nothing', async (t) => {
  t.equal(metrics.precision([], {}), 0);
  t.equal(metrics.found([], {}), 0);
  const rounds = [
    { suggested: 4, relevant: 0, latencyMs: 1 },
    { suggested: 2, relevant: 1, latencyMs: 1 },
  ];
  t.equal(metrics.precision(rounds, {}), 0.25);
  t.equal(metrics.found(rounds, {}), 1);
  t.equal(metrics.composite(rounds, { composite: 0.3 }), 0.3);
});
