// Pictures that no vector can come of, each with its reason, and the flags of farsight embed at their limits.

import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EDGE, INPUT, OUTPUT } from '../../bench/embed/encoders.ts';
import { writeModel } from '../../bench/embed/onnx.ts';
import { embed } from '../../src/commands/embed.ts';
import { farsight } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { open, pixelsOf, write } from './pictures.ts';

const folder = temporaryFolder(t);
const pictures = join(folder, 'pictures');
/** The logarithm of the mean of each channel: infinity for one that is black. */
const model = writeModel(join(folder, 'logarithm.onnx'), {
  inputs: [INPUT],
  outputs: [{ ...OUTPUT, shape: ['pictures', 3] }],
  nodes: [
    { operator: 'GlobalAveragePool', inputs: ['pixels'], outputs: ['means'] },
    { operator: 'Log', inputs: ['means'], outputs: ['logarithms'] },
    { operator: 'Flatten', inputs: ['logarithms'], outputs: ['embedding'] },
  ],
});
const prepared = ['--resize', `${EDGE}x${EDGE}`, '--crop', 'none', '--mean', '0', '--std', '1'];
const opaque = Buffer.alloc(40 * 24, 255);
const seeThrough = await open(pixelsOf(1))
  .joinChannel(opaque, { raw: { width: 40, height: 24, channels: 1 } })
  .png()
  .toBuffer();
const plain = await open(pixelsOf(1)).png().toBuffer();

t.test('each picture without a vector is listed with its reason', async (t) => {
  await write(pictures, 'good.png', plain);
  await write(
    pictures,
    'black.png',
    await open(Buffer.alloc(40 * 24 * 3))
      .png()
      .toBuffer(),
  );
  await write(pictures, `${'long/'.repeat(210)}a.png`, plain);
  writeFileSync(Buffer.concat([Buffer.from(`${pictures}/`), Buffer.from([0xff]), Buffer.from('.png')]), plain);
  symlinkSync('nowhere.png', join(pictures, 'link.png'));
  await write(pictures, 'huge.png', Buffer.alloc(0));
  truncateSync(join(pictures, 'huge.png'), 2 ** 30 + 1);
  const out = join(folder, 'out');
  const run = farsight('embed', pictures, '--model', model, '--out', out, ...prepared);
  t.equal(run.code, 0, run.stderr);
  t.equal(readFileSync(join(out, 'keys.txt'), 'utf8'), 'good.png\n');
  const lines = readFileSync(join(out, 'unreadable.jsonl'), 'utf8').trimEnd().split('\n');
  const reasons = new Map(lines.map((line) => JSON.parse(line)).map(({ path, reason }) => [path, reason]));
  t.strictSame(
    reasons,
    new Map([
      ['black.png', 'the encoder answers with infinity or NaN'],
      ['huge.png', 'has 1073741825 bytes; at most 1073741824 are read'],
      ['link.png', 'cannot be read (ENOENT)'],
      [`${'long/'.repeat(210)}a.png`, 'its path has 1055 bytes; a key has at most 1024'],
      ['\ufffd.png', 'its name is not UTF-8'],
    ]),
  );
});

t.test('every flag may be given, and what it says twice changes nothing', async (t) => {
  const alpha = join(folder, 'alpha');
  await write(alpha, 'a.png', seeThrough);
  const vectors = (out: string) => readFileSync(join(folder, out, 'embeddings.npy'));
  const run = (out: string, ...flags: readonly string[]) =>
    farsight('embed', alpha, '--model', model, '--out', join(folder, out), ...prepared, ...flags);
  const usual = run('usual');
  t.equal(usual.code, 0, usual.stderr);
  const flags = ['--output', 'embedding', '--layout', 'nchw', '--interpolation', 'bilinear', '--background', 'none'];
  t.equal(run('flags', ...flags).code, 0);
  t.strictSame(vectors('flags'), vectors('usual'), 'an opaque picture has no background to see');
  t.equal(run('box', '--interpolation', 'box').code, 0);
  t.notSame(vectors('box'), vectors('usual'));
});

const required = ['--model', model, '--out', join(folder, 'refused')];
const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['a', 'b', ...required], /unexpected argument b; put a pattern in quotes/],
  [['a', '--model', model], /--out DIR is missing/],
  [['a', ...required, '--resize', '5000x16', '--crop', 'none'], /pictures of 5000x16: expected edges of at most 4096/],
  [['a', ...required, '--resize', '16x5000', '--crop', 'none'], /pictures of 16x5000: expected edges of at most 4096/],
  [['a', ...required, '--mean', '1,,2'], /--mean 1,,2: expected one number or three/],
  [['a', ...required, '--interpolation', 'nearest'], /--interpolation nearest: expected /],
  [['a', ...required, '--layout', 'chw'], /--layout chw: expected nchw, nhwc/],
];

for (const [args, message] of refusals) {
  t.test(`bad usage: ${message.source}`, async (t) => {
    await t.rejects(embed.run(args), { name: 'UsageError', message });
  });
}
