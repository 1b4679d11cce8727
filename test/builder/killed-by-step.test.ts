// A build that is killed at any step leaves the old index or none, whole, and nothing the next build does not clear away.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';
import { build } from './collections.ts';
import { changesOf, inputs, KILLED, leftovers, reset, stateOf, twoIndexes } from './two-indexes.ts';

const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;

for (const replaces of [true, false]) {
  const before = replaces ? 'the old index' : 'nothing';

  t.test(`killed before a change of the file system, a build leaves ${before} or the new index`, async (t) => {
    const { folder, out, input, old, renewed } = await twoIndexes(t);
    await reset(out, replaces);
    const changes = await changesOf(folder, () => build(out, inputs(input), KILLED));
    await reset(out, replaces);
    // The last ones put the index in place; of those that write it, a seeded few.
    const random = seededRandom(1, 'killed changes');
    const last = Array.from({ length: 5 }, (_, i) => changes - i);
    const kills = [...new Set([1, ...Array.from({ length: 3 }, () => 3 + random.below(changes - 10)), ...last])];
    const states = new Set<string>();
    for (const killAt of kills) {
      const { signal } = spawnSync(command, [...nodeArgs, child, input, out, `${killAt}`], { stdio: 'ignore' });
      t.equal(signal, 'SIGKILL', `before change ${killAt} of ${changes}`);
      states.add(stateOf(t, out, replaces ? old : null, renewed));
      await reset(out, replaces);
      t.strictSame(leftovers(out), [], 'the next build clears away what the killed one left');
    }
    t.strictSame([...states].sort(), ['new', replaces ? 'old' : 'none'].sort(), 'both ends are met');
  });
}
