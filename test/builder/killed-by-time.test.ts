// A build that is killed at any time leaves the old index or none, whole, and nothing the next build does not clear away;
// resumed, it ends with the bytes of one that was not killed.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';
import { filesOf, leftovers, reset, stateOf, twoIndexes } from './two-indexes.ts';

const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;
const KILLS = 10;

for (const replaces of [true, false]) {
  const before = replaces ? 'the old index' : 'nothing';

  t.test(`killed at random times, a build leaves ${before} or the new index`, async (t) => {
    const { out, input, old, renewed } = await twoIndexes(t);
    await reset(out, replaces);
    const building = (how: 'anew' | 'resume') => {
      const process = spawn(command, [...nodeArgs, child, input, out, '0', how], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return { process, begun: once(process.stdout, 'data'), ended: once(process, 'exit') };
    };
    // One that is left alone says how long the others have, natively computed stages included.
    const whole = building('anew');
    await whole.begun;
    const started = performance.now();
    t.strictSame(await whole.ended, [0, null]);
    const took = Math.ceil(performance.now() - started);
    const expected = filesOf(out);
    await reset(out, replaces);

    const random = seededRandom(replaces ? 2 : 3, 'killing times');
    for (let i = 0; i < KILLS; i++) {
      const { process, begun, ended } = building('anew');
      await begun;
      const after = random.below(took);
      await sleep(after);
      process.kill('SIGKILL');
      await ended;
      stateOf(t, out, replaces ? old : null, renewed);
      if (i % 2 === 1) {
        const { status } = spawnSync(command, [...nodeArgs, child, input, out, '0', 'resume'], { stdio: 'ignore' });
        t.equal(status, 0, `resumed when killed after ${after} of ${took} ms`);
        t.strictSame(filesOf(out), expected, 'the bytes of a build that was not killed');
        t.strictSame(leftovers(out), []);
      }
      await reset(out, replaces);
      t.strictSame(leftovers(out), []);
    }
  });
}
