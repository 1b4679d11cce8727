// farsight embed from pictures to an index: what it writes is checked against plain arithmetic over decoded pixels.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { convolution, convolved, DIMS, EDGE } from '../../bench/embed/encoders.ts';
import { openNpyArray } from '../../index-builder/readers/npy-array.ts';
import { bin, farsight, plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';
import { open, pixelsOf, write, writePictures } from './pictures.ts';

/** The 16 x 16 pixels in the middle of 40 x 24, untouched by resizing: --resize 40x24 --crop 16. */
const LEFT = 12;
const TOP = 4;
const PREPARED = ['--resize', '40x24', '--crop', `${EDGE}`, '--mean', '0.5', '--std', '0.25,0.5,1'];
const DEVIATION = [0.25, 0.5, 1];

t.test(
  'pictures become the vectors that the encoder gives by plain arithmetic, in the order of their names',
  async (t) => {
    const { folder, pictures, model, out } = await collection(t, 7);
    const { code, stdout, stderr } = farsight(
      'embed',
      pictures,
      '--model',
      model,
      '--out',
      out,
      ...PREPARED,
      '--batch',
      '3',
    );
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.match(stdout, /out: 7 pictures, 5 dimensions, in [\d.]+ s\n$/);
    const keys = ['a/001.png', 'a/002.png', 'a/004.png', 'a/005.png', 'b/000.png', 'b/003.png', 'b/006.png'];
    t.strictSame(lines(join(out, 'keys.txt')), keys);
    t.strictSame(
      lines(join(out, 'thumbnails.txt')),
      keys.map((key) => `../pictures/${key}`),
    );
    t.strictSame(readFileSync(join(out, 'unreadable.jsonl'), 'utf8'), '');
    const rows = await vectors(out);
    keys.forEach((key, row) => {
      closeTo(t, rows[row] as number[], convolved(prepared(pixelsOf(Number.parseInt(key.slice(2), 10)))), key);
    });

    const index = farsight(
      ...['build', '--out', join(folder, 'index'), '--modality', `visual=${join(out, 'embeddings.npy')}`],
      ...['--ids', join(out, 'keys.txt'), '--thumbnails', join(out, 'thumbnails.txt')],
    );
    t.equal(index.code, 0, index.stderr);
    const found = farsight('suggest', join(folder, 'index'), '--positive', 'b/003.png', '-k', '2');
    t.match(found.stdout, /^\d+\t-?\d\.\d+\t[ab]\/00\d\.png$/m);
  },
);

t.test('every kind of picture is upright RGB of eight bits, and its own vector', async (t) => {
  const { pictures, model, out } = await collection(t, 0);
  const pixels = pixelsOf(1);
  const grey = await open(pixels).greyscale().raw().toBuffer();
  const greyAsRgb = Buffer.from(Uint8Array.from(pixels, (_, at) => grey[Math.floor(at / 3)] as number));
  const turned = await open(pixels)
    .rotate(270)
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const opaque = Buffer.from(Uint8Array.from({ length: pixels.length / 3 }, (_, at) => (at % 5 === 0 ? 0 : 255)));
  const overBlue = Buffer.from(pixels.map((level, at) => (at % 15 < 3 ? (at % 3 === 2 ? 255 : 0) : level)));
  const raw = { raw: { width: 40, height: 24, channels: 1 } } as const;
  const kinds: Readonly<Record<string, readonly [Promise<Buffer> | Buffer, Buffer, number]>> = {
    'alpha.png': [open(pixels).joinChannel(opaque, raw).png().toBuffer(), overBlue, 0],
    'animated.gif': [animation(), Buffer.alloc(pixels.length), 0],
    'depth.png': [open(pixels).toColourspace('rgb16').png().toBuffer(), pixels, 0],
    'grey.png': [open(pixels).greyscale().png().toBuffer(), greyAsRgb, 0],
    'grey16.png': [open(pixels).greyscale().toColourspace('grey16').png().toBuffer(), greyAsRgb, 0],
    'lossless.webp': [open(pixels).webp({ lossless: true }).toBuffer(), pixels, 0],
    // Levels of a JPEG of full quality are off by rounding alone: 2 of 255, scaled by the deviations.
    'photo.JPG': [open(pixels).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(), pixels, 2],
    'plain.tiff': [open(pixels).tiff({ compression: 'lzw' }).toBuffer(), pixels, 0],
    'turned.jpg': [turned, pixels, 2],
  };
  for (const [name, [bytes]] of Object.entries(kinds)) await write(pictures, name, await bytes);
  const { code, stderr } = farsight(
    'embed',
    pictures,
    '--model',
    model,
    '--out',
    out,
    ...PREPARED,
    '--background',
    '0000ff',
  );
  t.strictSame({ code, stderr }, { code: 0, stderr: '' });
  t.strictSame(lines(join(out, 'keys.txt')), Object.keys(kinds).sort());
  const rows = await vectors(out);
  Object.keys(kinds)
    .sort()
    .forEach((name, row) => {
      const [, expected, levels] = kinds[name] as (typeof kinds)[string];
      closeTo(t, rows[row] as number[], convolved(prepared(expected)), name, levels);
    });
});

t.test('pictures that cannot be read are listed with the reason, and the others are as without them', async (t) => {
  const { folder, pictures, model, out } = await collection(t, 4);
  farsight('embed', pictures, '--model', model, '--out', join(folder, 'before'), ...PREPARED);
  const whole = readFileSync(join(pictures, 'a/001.png'));
  await write(pictures, 'a/000-cut.png', whole.subarray(0, whole.length / 2));
  await write(pictures, 'b/empty.jpg', Buffer.alloc(0));
  await write(pictures, 'b/text.gif', Buffer.from('no picture'));
  await write(pictures, 'c/line\nbreak.png', whole);
  await write(pictures, 'notes.txt', Buffer.from('no picture, and not named like one'));
  await write(pictures, '.hidden.png', whole);
  const run = farsight('embed', pictures, '--model', model, '--out', out, ...PREPARED, '--batch', '2', '--json');
  t.equal(run.code, 0);
  t.match(run.stderr, /^farsight embed: 4 pictures cannot be read and were skipped: .*unreadable\.jsonl\n$/);
  t.match(JSON.parse(run.stdout), { pictures: 8, embedded: 4, unreadable: 4, dims: DIMS, output: 'embedding' });
  t.match(
    lines(join(out, 'unreadable.jsonl')).map((line) => JSON.parse(line)),
    [
      { path: 'a/000-cut.png', reason: /./ },
      { path: 'b/empty.jpg', reason: 'is empty' },
      { path: 'b/text.gif', reason: /unsupported image format/ },
      { path: 'c/line\nbreak.png', reason: 'its name holds a line break' },
    ],
  );
  t.strictSame(readFileSync(join(out, 'keys.txt')), readFileSync(join(folder, 'before/keys.txt')));
  t.strictSame(await vectors(out), await vectors(join(folder, 'before')));
});

t.test('a pattern takes what it matches, and threads change no byte', async (t) => {
  const { folder, pictures, model, out } = await collection(t, 9);
  const pattern = join(pictures, 'a', '00?.png');
  t.equal(farsight('embed', pattern, '--model', model, '--out', out, ...PREPARED, '--threads', '1').code, 0);
  t.strictSame(lines(join(out, 'keys.txt')), ['001.png', '002.png', '004.png', '005.png', '007.png', '008.png']);
  const other = join(folder, 'other');
  farsight('embed', pattern, '--model', model, '--out', other, ...PREPARED, '--threads', '3');
  for (const name of readdirSync(out))
    t.strictSame(readFileSync(join(other, name)), readFileSync(join(out, name)), name);
});

t.test('bad usage ends with 2 and unusable input with 1, with what to do', async (t) => {
  const { folder, pictures, model, out } = await collection(t, 1);
  const config = join(folder, 'preprocessor_config.json');
  writeFileSync(config, '{"size": 16}');
  mkdirSync(join(folder, 'none'));
  mkdirSync(join(folder, 'unreadable'));
  writeFileSync(join(folder, 'unreadable/a.png'), 'x');
  mkdirSync(join(folder, 'taken'));
  writeFileSync(join(folder, 'taken/mine.txt'), 'x');
  const usual = ['--model', model, '--out', out, ...PREPARED];
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /DIR is missing/],
    [[pictures, '--out', out], 2, /--model ENCODER\.onnx is missing/],
    [[pictures, ...usual, '--resize', '0'], 2, /--resize 0: expected pixels/],
    [[pictures, ...usual, '--crop', 'none', '--resize', '9'], 2, /--resize 9 without a crop/],
    [[pictures, ...usual, '--std', '0'], 2, /--std 0: expected one number or three/],
    [[pictures, ...usual, '--background', 'red'], 2, /--background red/],
    [
      [pictures, ...usual, '--preprocessor', join(folder, 'absent')],
      2,
      /--preprocessor .*absent: cannot be read \(ENOENT\)/,
    ],
    [[pictures, '--model', model, '--out', out, '--preprocessor', config], 1, /resample is missing/],
    [
      [pictures, ...usual, '--crop', '15'],
      1,
      /takes pixels \(float32, pictures x 3 x 16 x 16\), but .* change --resize/,
    ],
    [[join(folder, 'none'), ...usual], 1, /none: holds no pictures/],
    [[join(folder, 'absent*'), ...usual], 1, /matches nothing/],
    [[join(folder, 'unreadable'), ...usual], 1, /none of 1 pictures can be read; the first: .*a\.png/],
    [[pictures, ...usual, '--out', join(folder, 'taken')], 1, /taken: exists and holds no embeddings/],
    [[pictures, ...usual, '--model', config], 1, /preprocessor_config\.json: is no model that can be loaded/],
  ];
  for (const [args, code, message] of cases) {
    const run = farsight('embed', ...args);
    t.match(run, { code, stdout: '', stderr: message }, message.source);
    t.equal(run.stderr.trim().split('\n').length, 1, 'one line');
  }
  t.strictSame(
    readdirSync(folder).filter((name) => name.includes('embedding')),
    [],
    'nothing is left behind',
  );
});

t.test('without its packages the command says which to install', async (t) => {
  const { pictures, model, out } = await collection(t, 1);
  for (const name of ['sharp', 'onnxruntime-node']) {
    const hook = `export function resolve(name, context, next) {
      if (name === '${name}') throw new Error("Cannot find package '${name}'");
      return next(name, context);
    }`;
    const asUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hook))});`;
    const words = ['--import', asUrl(register), bin, 'embed', pictures, '--model', model, '--out', out, ...PREPARED];
    const run = spawnSync(plainNode[0], [...plainNode[1], ...words], { encoding: 'utf8' });
    t.equal(run.status, 1);
    t.match(
      run.stderr,
      new RegExp(`^farsight embed: ${name}, .* cannot be loaded \\(.*\\); run: .*npm install .*${name}`),
    );
  }
});

async function collection(t: Test, count: number) {
  const folder = temporaryFolder(t);
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  await writePictures(pictures, count);
  return { folder, pictures, model: convolution(join(folder, 'encoder.onnx')), out: join(folder, 'out') };
}

/** A black frame before a white one. */
function animation(): Promise<Buffer> {
  const frames = Buffer.concat([Buffer.alloc(40 * 24 * 3), Buffer.alloc(40 * 24 * 3, 255)]);
  return sharp(frames, { raw: { width: 40, height: 48, channels: 3, pageHeight: 24 } })
    .gif({ delay: [9, 9] })
    .toBuffer();
}

/** The tensor of 40 x 24 pixels, as PREPARED has it. */
function prepared(pixels: Buffer): Float32Array {
  return Float32Array.from({ length: 3 * EDGE * EDGE }, (_, at) => {
    const channel = Math.floor(at / EDGE ** 2);
    const y = TOP + (Math.floor(at / EDGE) % EDGE);
    const x = LEFT + (at % EDGE);
    return ((pixels[(y * 40 + x) * 3 + channel] as number) / 255 - 0.5) / (DEVIATION[channel] as number);
  });
}

/**
 * A vector is a mean of sums of 27 products with weights up to 2 and inputs up to 2, in single precision: each of 28
 * roundings adds at most 2^-24 of a sum of at most 108. A level off by one moves an input by 1 / 255 / deviation, and
 * the sum by at most 9 weights of 2 per channel times that.
 */
function closeTo(t: Test, found: readonly number[], expected: readonly number[], name: string, levels = 0): void {
  const perLevel = DEVIATION.reduce((sum, deviation) => sum + (9 * 2) / 255 / deviation, 0);
  const bound = 28 * 108 * 2 ** -24 + levels * perLevel;
  const worst = Math.max(...expected.map((value, dim) => Math.abs(value - (found[dim] as number))));
  t.ok(found.length === expected.length && worst <= bound, `${name}: ${worst} of ${bound}`);
}

async function vectors(out: string): Promise<number[][]> {
  const array = await openNpyArray(join(out, 'embeddings.npy'), ['f4']);
  const all = array.read(0, array.rows, array.allocate(array.rows)) as Float32Array;
  array.close();
  return Array.from({ length: array.rows }, (_, row) => [
    ...all.subarray(row * array.columns, (row + 1) * array.columns),
  ]);
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}
