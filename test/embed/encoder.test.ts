// Encoders of other forms: channels last, half precision, fixed batches, feature maps and tokens, several outputs.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { convolution, convolved, DIMS, EDGE, INPUT, identity, OUTPUT } from '../../bench/embed/encoders.ts';
import { writeModel } from '../../bench/embed/onnx.ts';
import { type EncoderOptions, openEncoder } from '../../index-builder/embed/encoder.ts';
import { fromHalf, toHalf } from '../../index-builder/embed/tensor.ts';
import { seededRandom } from '../../src/random.ts';
import { temporaryFolder } from '../support.ts';

const VALUES = 3 * EDGE * EDGE;
const random = seededRandom(2, 'pixels');
/** Four pictures of quarters. */
const pixels = Float32Array.from({ length: 4 * VALUES }, () => (random.below(9) - 4) / 4);

t.test('a model with a fixed batch answers for fewer pictures as one with a free batch does', async (t) => {
  const folder = temporaryFolder(t);
  const free = await encoded(t, convolution(join(folder, 'free.onnx')), 3);
  const fixed = convolution(join(folder, 'fixed.onnx'), { inputs: [{ ...INPUT, shape: [4, 3, EDGE, EDGE] }] });
  const encoder = await opened(t, fixed);
  t.equal(encoder.batch, 4, 'whatever --batch says');
  t.strictSame(await encoder.encode(pixels.slice(), 3), free);
  t.strictSame(free.dims, DIMS);
  for (let row = 0; row < 3; row++) {
    const expected = convolved(pixels.subarray(row * VALUES, (row + 1) * VALUES));
    expected.forEach((value, dim) => {
      t.ok(Math.abs(value - (free.vectors[row * DIMS + dim] as number)) < 28 * 108 * 2 ** -24);
    });
  }
});

t.test('half precision goes in and comes out; channels last are told by the shape', async (t) => {
  const folder = temporaryFolder(t);
  const half = identity(join(folder, 'half.onnx'), { name: 'pixels', type: 'float16', shape: ['n', EDGE, EDGE, 3] }, [
    'n',
    EDGE,
    EDGE,
    3,
  ]);
  const encoder = await opened(t, half, { pool: 'average' });
  t.equal(encoder.layout, 'nhwc');
  const { dims, vectors } = await encoder.encode(pixels.slice(), 2);
  t.equal(dims, 3);
  const halves = fromHalf(toHalf(pixels));
  for (let row = 0; row < 2; row++) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let place = 0; place < EDGE * EDGE; place++) sum += halves[row * VALUES + place * 3 + channel] as number;
      t.equal(vectors[row * 3 + channel], Math.fround(sum / EDGE ** 2));
    }
  }
});

t.test('feature maps and tokens become vectors only when that is asked for', async (t) => {
  const folder = temporaryFolder(t);
  const maps = identity(join(folder, 'maps.onnx'), INPUT, ['n', 3, EDGE, EDGE]);
  await t.rejects((await opened(t, maps)).encode(pixels.slice(), 2), {
    message: /output embedding has shape 2 x 3 x 16 x 16; expected pictures x dims, or --pool average/,
  });
  await t.rejects((await opened(t, maps, { pool: 'first' })).encode(pixels.slice(), 2), { message: /--pool average/ });
  const averaged = await encoded(t, maps, 2, { pool: 'average' });
  const mean = (values: Float32Array): number =>
    Math.fround(values.reduce((sum, value) => sum + value, 0) / values.length);
  t.equal(averaged.vectors[4], mean(pixels.subarray(VALUES + EDGE ** 2, VALUES + 2 * EDGE ** 2)));

  // Flattening from the third axis on makes (n·3) x 256 of the maps; unsqueezed it is one picture's tokens.
  const tokens = writeModel(join(folder, 'tokens.onnx'), {
    inputs: [{ ...INPUT, shape: [1, 3, EDGE, EDGE] }],
    outputs: [{ name: 'tokens', shape: [1, 3, EDGE ** 2] }],
    nodes: [
      { operator: 'Flatten', inputs: ['pixels'], outputs: ['flat'], attributes: { axis: 2 } },
      { operator: 'Unsqueeze', inputs: ['flat', 'axes'], outputs: ['tokens'] },
    ],
    constants: [{ name: 'axes', shape: [1], values: BigInt64Array.of(0n) }],
  });
  t.strictSame((await encoded(t, tokens, 1, { pool: 'first' })).vectors, pixels.slice(0, EDGE ** 2));
  const [first] = (await encoded(t, tokens, 1, { pool: 'average' })).vectors;
  const columns = [0, 1, 2].map((token) => pixels[token * EDGE ** 2] as number);
  t.equal(first, Math.fround(columns.reduce((sum, value) => sum + value, 0) / 3));
});

t.test('outputs and inputs that could mean several things are refused with their names', async (t) => {
  const folder = temporaryFolder(t);
  const nodes = [
    { operator: 'GlobalAveragePool', inputs: ['pixels'], outputs: ['means'] },
    { operator: 'Flatten', inputs: ['means'], outputs: ['embedding'] },
    { operator: 'Flatten', inputs: ['pixels'], outputs: ['flat'] },
  ];
  const outputs = [
    { ...OUTPUT, shape: ['n', 3] },
    { name: 'flat', shape: ['n', VALUES] },
  ];
  const two = writeModel(join(folder, 'two.onnx'), { inputs: [INPUT], outputs, nodes });
  await t.rejects(opened(t, two), {
    message: /two\.onnx: has outputs embedding \(float32, n x 3\), flat .*; choose one with --output/,
  });
  await t.rejects(opened(t, two, { output: 'none' }), { message: /has no output none; it has embedding/ });
  t.strictSame((await encoded(t, two, 1, { output: 'flat' })).vectors, pixels.slice(0, VALUES));

  const free = identity(join(folder, 'free.onnx'), { name: 'pixels', shape: ['n', 'a', 'b', 'c'] }, [
    'n',
    'a',
    'b',
    'c',
  ]);
  await t.rejects(opened(t, free), { message: /give --layout nchw or nhwc/ });
  t.equal((await opened(t, free, { layout: 'nhwc' })).layout, 'nhwc');
  const flat = identity(join(folder, 'flat.onnx'), { name: 'pixels', shape: ['n', VALUES] }, ['n', VALUES]);
  await t.rejects(opened(t, flat), { message: /expected one input of 4 dimensions: export the image encoder alone/ });
});

async function opened(t: Test, model: string, changes: Partial<EncoderOptions> = {}) {
  const encoder = await openEncoder({
    model,
    size: { width: EDGE, height: EDGE },
    batch: 2,
    threads: 1,
    pool: 'none',
    ...changes,
  });
  t.teardown(() => encoder.close());
  return encoder;
}

async function encoded(t: Test, model: string, count: number, changes: Partial<EncoderOptions> = {}) {
  return (await opened(t, model, changes)).encode(pixels.slice(), count);
}
