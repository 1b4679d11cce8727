// An embedding run that is killed at any step leaves what stood there before, and goes on to the same bytes.

import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { convolution, EDGE } from '../../bench/embed/encoders.ts';
import { killed, killedAndResumed, lived } from '../builder/killed-runs.ts';
import { farsight } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { writePictures } from './pictures.ts';

const file = fileURLToPath(new URL('killed-embed.js', import.meta.url));

t.test('killed before a change of the file system, a run is resumed to the same bytes by other threads', async (t) => {
  const { pictures, model, out } = await collection(t);
  const resumed = killedAndResumed<number>(t, { file, args: [pictures, model, out], out }, 3);
  t.ok(Math.max(...resumed) >= 6 && resumed.includes(0), `some went on in the middle: ${resumed}`);
});

t.test('what is resumed must be the same run', async (t) => {
  const { folder, pictures, model, out } = await collection(t);
  const program = { file, args: [pictures, model, out], out };
  const { changes } = lived(program, 1);
  rmSync(out, { recursive: true });
  killed(program, changes - 8);
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

/** Eleven pictures, two of which cannot be read. */
async function collection(t: Test) {
  const folder = temporaryFolder(t);
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  await writePictures(pictures, 9);
  for (const name of ['a/003.png', 'b/001.png']) writeFileSync(join(pictures, name), 'no picture');
  return { folder, pictures, model: convolution(join(folder, 'encoder.onnx')), out: join(folder, 'out') };
}
