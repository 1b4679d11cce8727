// An embedding run that is killed at any step leaves what stood there before, and goes on to the same bytes.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { seededRandom } from '../../src/random.ts';
import { farsight, plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { convolution, EDGE } from './encoders.ts';
import { writePictures } from './pictures.ts';

const child = fileURLToPath(new URL('killed-embed.js', import.meta.url));
const [command, nodeArgs] = plainNode;

t.test('killed before a change of the file system, a run is resumed to the same bytes by other threads', async (t) => {
  const { pictures, model, out } = await collection(t);
  const { changes } = finished(pictures, model, out, 1);
  const expected = contentsOf(out);
  // The last changes put the folder in place; of those before, a seeded few.
  const random = seededRandom(1, 'killed embeddings');
  const kills = [
    1,
    ...Array.from({ length: 3 }, () => 2 + random.below(changes - 6)),
    changes - 3,
    changes - 2,
    changes,
  ];
  const resumed = new Set<number>();
  for (const killAt of kills) {
    rmSync(out, { recursive: true });
    const { signal } = spawnSync(command, [...nodeArgs, child, pictures, model, out, `${killAt}`, '1'], {
      stdio: 'ignore',
    });
    t.equal(signal, 'SIGKILL', `before change ${killAt} of ${changes}`);
    if (existsSync(out)) t.strictSame(contentsOf(out), expected, 'whole, or not there');
    resumed.add(finished(pictures, model, out, 2).resumed);
    t.strictSame(contentsOf(out), expected, 'the same bytes');
    t.notOk(existsSync(`${out}.embedding`), 'nothing is left beside it');
  }
  t.ok(Math.max(...resumed) >= 6 && resumed.has(0), `some went on in the middle: ${[...resumed]}`);
});

t.test('what is resumed must be the same run', async (t) => {
  const { folder, pictures, model, out } = await collection(t);
  const { changes } = finished(pictures, model, out, 1);
  rmSync(out, { recursive: true });
  spawnSync(command, [...nodeArgs, child, pictures, model, out, `${changes - 8}`, '1'], { stdio: 'ignore' });
  const usual = ['--model', model, '--out', out, '--resize', `${EDGE}`, '--crop', `${EDGE}`, '--resume'];
  t.match(farsight('embed', pictures, ...usual, '--batch', '3'), { code: 1, stderr: /cannot resume, --batch changed/ });
  t.match(farsight('embed', pictures, ...usual, '--batch', '2', '--mean', '0'), {
    code: 1,
    stderr: /preprocessing changed/,
  });
  utimesSync(join(pictures, 'a/001.png'), 1, 1);
  t.match(farsight('embed', pictures, ...usual, '--batch', '2'), { code: 1, stderr: /the list of pictures changed/ });
  writeFileSync(join(folder, 'out.embedding/journal.json'), '{');
  t.match(farsight('embed', pictures, ...usual), {
    code: 1,
    stderr: /journal\.json: is not readable .* start again without --resume/,
  });
  t.match(farsight('embed', pictures, ...usual.slice(0, -1)), { code: 0, stdout: /9 pictures, 5 dimensions/ });
});

function finished(pictures: string, model: string, out: string, threads: number): { changes: number; resumed: number } {
  const { stdout, stderr } = spawnSync(command, [...nodeArgs, child, pictures, model, out, '0', `${threads}`], {
    encoding: 'utf8',
  });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(stderr);
  }
}

function contentsOf(out: string): Record<string, Buffer> {
  return Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name))]));
}

/** Eleven pictures, two of which cannot be read. */
async function collection(t: Test) {
  const folder = temporaryFolder(t);
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  await writePictures(pictures, 9);
  for (const name of ['a/003.png', 'b/001.png']) writeFileSync(join(pictures, name), 'no picture');
  return { folder, pictures, model: convolution(join(folder, 'encoder.onnx')), out: join(folder, 'out') };
}
