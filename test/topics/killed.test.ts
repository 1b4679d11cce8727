// A run of topics that is killed at any step leaves what stood there before, and goes on to the same bytes.

import { fileURLToPath } from 'node:url';
import t from 'tap';
import { killedAndResumed } from '../builder/killed-runs.ts';
import { manyTexts } from './texts.ts';

const file = fileURLToPath(new URL('killed-topics.js', import.meta.url));

t.test(
  'killed before a change of the file system, learning is resumed to the same bytes by other threads',
  async (t) => {
    const { path, out } = manyTexts(t);
    const resumed = killedAndResumed<string>(t, { file, args: [path, out, ''], out }, 8);
    for (const stage of ['count words', 'learn topics', 'write topics', 'finished']) {
      t.ok(resumed.includes(stage), `some went on with ${stage}: ${resumed}`);
    }
  },
);
