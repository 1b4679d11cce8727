// A build that is killed at any time leaves the old index or none, whole, and nothing the next build does not clear away.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';
import { leftovers, reset, stateOf, twoIndexes } from './two-indexes.ts';

const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;

for (const replaces of [true, false]) {
  const before = replaces ? 'the old index' : 'nothing';

  t.test(`killed at random times, a build leaves ${before} or the new index`, async (t) => {
    const { out, input, old, renewed } = await twoIndexes(t);
    await reset(out, replaces);
    const random = seededRandom(replaces ? 2 : 3, 'killing times');
    for (let i = 0; i < 10; i++) {
      const building = spawn(command, [...nodeArgs, child, input, out, '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
      const ended = once(building, 'exit');
      await once(building.stdout, 'data');
      await sleep(random.below(150));
      building.kill('SIGKILL');
      await ended;
      stateOf(t, out, replaces ? old : null, renewed);
      await reset(out, replaces);
      t.strictSame(leftovers(out), []);
    }
  });
}
