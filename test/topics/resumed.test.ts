// A run of topics that is resumed: rows under a model go on too, and another run is refused.

import { appendFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { killed, killedAndResumed, lived } from '../builder/killed-runs.ts';
import { farsight } from '../cli/program.ts';
import { manyTexts, TOPICS } from './texts.ts';

const file = fileURLToPath(new URL('killed-topics.js', import.meta.url));

t.test('rows of other texts under a model are resumed to the same bytes', async (t) => {
  const { folder, path, out } = manyTexts(t);
  const model = join(folder, 'model');
  lived({ file, args: [path, model, ''], out: model }, 1);
  const resumed = killedAndResumed<string>(t, { file, args: [path, out, model], out }, 4);
  for (const stage of ['number words', 'write topics']) t.ok(resumed.includes(stage), `${stage}: ${resumed}`);
});

t.test('what is resumed must be the same run', async (t) => {
  const { folder, path, out } = manyTexts(t);
  const program = { file, args: [path, out, ''], out };
  const { changes } = lived(program, 1);
  rmSync(out, { recursive: true });
  killed(program, changes - 20);
  const usual = ['topics', path, '--out', out, '--key', 'key', '--topics', `${TOPICS}`, '--passes', '1', '--resume'];
  const same = [...usual, '--keep', '3'];
  for (const [args, changed] of [
    [usual, '--keep'],
    [[...same, '--fields', 'tags'], '--fields'],
    [[...same, '--min-count', '6'], 'the choice of words'],
    [[...same, '--seed', '1'], 'the settings of learning'],
  ] as const) {
    t.match(farsight(...args), {
      code: 1,
      stderr: new RegExp(`cannot resume, ${changed} changed; .* without --resume`),
    });
  }
  truncateSync(join(folder, 'out.learning/learned.f64'), 64);
  t.match(farsight(...same), { code: 1, stderr: /learned\.f64: has 8 numbers; start again without --resume/ });
  appendFileSync(path, '{"key":"x","title":"w1"}\n');
  t.match(farsight(...same), { code: 1, stderr: /cannot resume, the file of texts changed/ });
  t.match(farsight(...same.filter((word) => word !== '--resume')), { code: 0, stdout: /9001 texts/ });
});
