// A generated collection goes through the program: built without further keys, verified, asked for suggestions.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { farsight } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';

t.test('generated folders build as they are, and the index knows their traits', async (t) => {
  const folder = temporaryFolder(t);
  const [out, index] = [join(folder, 'yfcc'), join(folder, 'index')];
  const generated = farsight('generate', 'yfcc', '--items', '20000', '--out', out, '--seed', '3', '--json');
  t.match(generated, { code: 0 });
  const statistics = JSON.parse(generated.stdout);
  t.strictSame(statistics, JSON.parse(readFileSync(join(out, 'statistics.json'), 'utf8')));

  const flags = ['visual', 'text'].flatMap((name) => ['--modality', `${name}=${join(out, name)}`]);
  t.match(farsight('build', '--out', index, ...flags), { code: 0, stdout: /20000 items/ });
  t.match(farsight('verify', index, '--deep'), { code: 0, stdout: /all good/ });
  const { modalities } = JSON.parse(farsight('inspect', index, '--json').stdout);
  t.match(modalities, [
    { name: 'visual', dims: 1000, statistics: { zero_vectors: 0 } },
    { name: 'text', dims: 100, statistics: { zero_vectors: Math.round(statistics.text.empty_share * 20_000) } },
  ]);

  const { actors } = JSON.parse(readFileSync(join(out, 'actors.json'), 'utf8'));
  const [{ positive, negative }] = actors[0].starts;
  const suggested = farsight('suggest', index, '--positive', `${positive}`, '--negative', `${negative}`, '--json');
  t.match(suggested, { code: 0 });
  t.equal(JSON.parse(suggested.stdout).items.length, 25);
});
