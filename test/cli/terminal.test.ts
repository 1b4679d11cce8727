// Progress on a terminal: one line that is written over, and gone when the result is printed.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { uniformValues, writeVectors } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { bin, farsight, plainNode } from './program.ts';

t.test('progress is one line that is cleared before the result, and lines of their own elsewhere', async (t) => {
  const folder = temporaryFolder(t);
  const vectors = writeVectors(join(folder, 'v.npy'), 32, uniformValues(1, 32 * 30_000));
  const args = [
    'build',
    '--out',
    join(folder, 'index'),
    '--modality',
    `a=${vectors}`,
    '--threads',
    '1',
    '--refine',
    '3',
  ];
  const [command, nodeArgs] = plainNode;
  const quoted = [command, ...nodeArgs, bin, ...args].map((word) => `'${word}'`).join(' ');
  // script(1) of util-linux runs a command on a terminal of its own, and gives what that shows.
  const run = spawnSync('script', ['-q', '-e', '-c', quoted, '/dev/null'], { encoding: 'utf8' });
  t.equal(run.status, 0, `${run.error?.message ?? run.stdout}`);
  // Ten reports a second of a build of a second or so.
  const lines = run.stdout.split('\r\u001b[K');
  t.ok(lines.length > 2, 'the line of progress is written anew');
  t.match(lines[1], /^a: [a-z ]+: \d+ of \d+ \w+/);
  t.match(lines.at(-1), /index: 30000 items, generation [0-9a-f]{16}, in [\d.]+ s\r\n$/);
  t.notMatch(farsight(...args).stderr, '\u001b');
});
