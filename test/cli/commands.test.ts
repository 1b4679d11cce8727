// The command line: help, exit codes and messages.

import { join } from 'node:path';
import t from 'tap';
import { build } from '../../src/commands/build.ts';
import type { Command } from '../../src/commands/command.ts';
import { generate } from '../../src/commands/generate.ts';
import { inspect } from '../../src/commands/inspect.ts';
import { quickstart } from '../../src/commands/quickstart.ts';
import { serve } from '../../src/commands/serve.ts';
import { suggest } from '../../src/commands/suggest.ts';
import { verify } from '../../src/commands/verify.ts';
import { readManifest } from '../../src/index/open.ts';
import { denseFile } from '../data.ts';
import { GOLDEN_INDEX } from '../index/golden-index.ts';
import { temporaryFolder } from '../support.ts';
import { farsight } from './program.ts';

t.test('help names every command, and every command has its own', async (t) => {
  const overview = farsight('--help');
  t.match(overview, { code: 0, stderr: '' });
  for (const command of [
    'build',
    'verify',
    'inspect',
    'serve',
    'suggest',
    'simulate',
    'tune',
    'generate',
    'embed',
    'topics',
    'quickstart',
  ]) {
    t.match(overview.stdout, new RegExp(`^  ${command} `, 'm'));
    const help = farsight(command, '--help');
    t.match(help, { code: 0, stderr: '', stdout: new RegExp(`^farsight ${command}`) });
  }
  t.match(farsight(), { code: 2, stdout: overview.stdout });
  t.match(farsight('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\S*\n$/ });
});

t.test('bad usage ends with 2 and one line that says what to do', async (t) => {
  const usages: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['serf'], /^farsight unknown command serf; farsight --help lists them\n$/],
    [['verify'], /^farsight verify: DIR is missing: name the index directory\n$/],
    [['inspect', 'index', '--jason'], /^farsight inspect: Unknown option '--jason'/],
    [['build', '--out', 'index', '--modality', 'a'], /^farsight build: --modality a: has no path; expected NAME=PATH/],
    [['serve'], /^farsight serve: no collection to serve: give --collection NAME=DIR/],
  ];
  for (const [args, message] of usages) {
    const { code, stdout, stderr } = farsight(...args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
    t.match(stderr, /^farsight [^\n]+\n$/, 'one line');
    t.equal(stdout, '');
  }
});

const building = ['--out', 'index', '--modality', 'a=b'];
const refusals: readonly (readonly [command: Command, args: readonly string[], message: RegExp])[] = [
  [verify, ['index', 'another'], /unexpected argument another/],
  [inspect, ['--json=yes', 'index'], /does not take an argument/],
  [build, [], /--out DIR is missing/],
  [build, ['--out', 'index'], /--modality NAME=PATH is missing: give at least one/],
  [build, ['--out', 'index', '--modality', 'a=b,colour=red'], /has the unknown key 'colour'; known are/],
  [build, [...building, '--assign', 'best'], /--assign best: expected exact, tree, hnsw/],
  [build, [...building, '--seed=-1'], /--seed -1: expected a whole number from 0/],
  [build, [...building, '--refine', '101'], /--refine 101: expected a whole number from 0 to 100/],
  [build, [...building, '--threads', '0'], /--threads 0: expected a whole number from 1 to 256/],
  [build, [...building, '--cluster-size', '1'], /--cluster-size 1: expected a whole number from 2/],
  [build, [...building, 'stray'], /unexpected argument stray/],
  [generate, [], /the kind of collection: expected yfcc/],
  [generate, ['imagenet'], /imagenet: expected yfcc/],
  [generate, ['yfcc', 'stray'], /unexpected argument stray/],
  [generate, ['yfcc', '--items', '20000'], /--out DIR is missing/],
  [generate, ['yfcc', '--out', 'yfcc'], /--items N is missing/],
  [generate, ['yfcc', '--out', 'yfcc', '--items', '19999'], /--items 19999: expected a whole number from 20000/],
  [generate, ['yfcc', '--out', 'yfcc', '--items', '1e6'], /--items 1e6: expected a whole number from 20000/],
  [generate, ['yfcc', '--out', 'yfcc', '--items', '20000', '--threads', '0'], /--threads 0: expected a whole number/],
  [serve, ['stray'], /unexpected argument stray/],
  [quickstart, ['stray'], /unexpected argument stray/],
  [suggest, [GOLDEN_INDEX, '--positive', '1', '--negative', '2,1'], /item 1 is both positive and negative/],
  [suggest, [GOLDEN_INDEX, '--positive', '240'], /--positive 240: '240' is no item; the index has items 0 to 239/],
  [suggest, [GOLDEN_INDEX, '--negative', 'photo/240'], /--negative photo\/240: 'photo\/240' is no item/],
  [suggest, [GOLDEN_INDEX, '--positive', '1,,2'], /--positive 1,,2: '' is no item/],
  [
    suggest,
    [GOLDEN_INDEX, '--mix', 'farthest=24'],
    /--mix farthest=24: the shares add up to 24; they must be k, which is 25/,
  ],
  [suggest, [GOLDEN_INDEX, '--mix', 'nearest=25'], /'nearest=25' is no share; expected SAMPLER=N of farthest, spread/],
  [suggest, [GOLDEN_INDEX, '--diversity', '1.1'], /--diversity 1.1: expected a number from 0 to 1/],
  [suggest, ['nowhere', '-k', '0'], /--k 0: expected a whole number from 1 to 10000/],
];

for (const [command, args, message] of refusals) {
  t.test(`bad usage: ${args.join(' ') || 'no arguments'}`, async (t) => {
    await t.rejects(command.run(args), { name: 'UsageError', message });
  });
}

t.test('options that do not fit the input are bad usage, and input that cannot be read is not', async (t) => {
  const folder = temporaryFolder(t);
  const dense = denseFile(folder, 'dense', Float32Array.of(1, 2, 3, 4, 5, 6), 3);
  const out = join(folder, 'index');
  const refused: readonly (readonly [modalities: readonly string[], message: RegExp])[] = [
    [[`a=${dense},codec=pq`], /codec=pq: unknown codec/],
    [[`a=${dense},normalize=yes`], /normalize=yes: expected true or false/],
    [[`a=${dense},stored_bits=8`], /does not use stored_bits/],
    [[`a=${dense}`, `a=${dense}`], /--modality a: named twice/],
  ];
  for (const [modalities, message] of refused) {
    const flags = modalities.flatMap((modality) => ['--modality', modality]);
    await t.rejects(build.run(['--out', out, ...flags]), { name: 'UsageError', message });
  }
  await t.rejects(build.run(['--out', out, '--modality', `a=${dense}.missing`]), { name: 'InputError' });
});

t.test('a size limit that is given is kept in the index', async (t) => {
  const folder = temporaryFolder(t);
  const dense = denseFile(folder, 'dense', Float32Array.of(1, 2, 3, 4, 5, 6), 3);
  const out = join(folder, 'index');
  t.equal(await build.run(['--out', out, '--modality', `a=${dense}`, '--size-limit', '7']), 0);
  t.equal(readManifest(out).build.size_limit, 7);
});

t.test('a failure ends with 1 and one line that names the file and the remedy', async (t) => {
  const folder = temporaryFolder(t);
  const nowhere = join(folder, 'nowhere');
  const failures: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [
      ['verify', nowhere],
      /^farsight verify: manifest: .*nowhere\/manifest\.json: cannot be read \(ENOENT\); .*build\n$/,
    ],
    [
      ['inspect', nowhere],
      /^farsight inspect: .*nowhere\/manifest\.json: cannot be read .* make one with farsight build/,
    ],
    [['suggest', nowhere], /^farsight suggest: .*nowhere\/manifest\.json: cannot be read/],
    [['serve', '--collection', `a=${nowhere}`, '--port', '0'], /^farsight serve: .*nowhere\/manifest\.json: cannot be/],
    [['build', '--out', nowhere, '--modality', `a=${nowhere}.npy`], /^farsight build: .*nowhere\.npy/],
  ];
  for (const [args, message] of failures) {
    const { code, stdout, stderr } = farsight(...args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, message);
    t.match(stderr, /^farsight [^\n]+\n$/, 'one line');
    t.equal(stdout, '');
  }
});
