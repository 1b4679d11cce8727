// Encoders that do not fit: inputs and outputs of other types and shapes, and models that fail while they run.

import { join } from 'node:path';
import t from 'tap';
import { EDGE, INPUT, OUTPUT } from '../../bench/embed/encoders.ts';
import { type Model, type Value, writeModel } from '../../bench/embed/onnx.ts';
import { openEncoder } from '../../index-builder/embed/encoder.ts';
import { temporaryFolder } from '../support.ts';

const anyShape: Value = { ...OUTPUT, shape: ['rows', 'dims'] };

/** What is wrong, the model's nodes and what else is not as usual, and the message. */
const faults: readonly [title: string, model: Partial<Model>, message: RegExp][] = [
  [
    'integers for pixels',
    { inputs: [{ ...INPUT, type: 'int64' }], outputs: [{ ...INPUT, type: 'int64', name: 'embedding' }] },
    /x\.onnx: takes pixels \(int64, pictures x 3 x 16 x 16\); expected float32 or float16/,
  ],
  [
    'integers for vectors',
    {
      outputs: [{ name: 'embedding', type: 'int64', shape: [4] }],
      nodes: [{ operator: 'Shape', inputs: ['pixels'], outputs: ['embedding'] }],
    },
    /output embedding is int64; expected float32 or float16: choose another --output/,
  ],
  [
    'one row for all pictures',
    {
      outputs: [anyShape],
      nodes: [{ operator: 'Flatten', inputs: ['pixels'], outputs: ['embedding'], attributes: { axis: 0 } }],
    },
    /output embedding has shape 1 x 1536 for 2 pictures; choose another --output/,
  ],
  [
    'more dimensions than maps have',
    {
      outputs: [{ ...OUTPUT, shape: ['pictures', 3, EDGE, EDGE, 1] }],
      nodes: [{ operator: 'Unsqueeze', inputs: ['pixels', 'axes'], outputs: ['embedding'] }],
      constants: [{ name: 'axes', shape: [1], values: BigInt64Array.of(4n) }],
    },
    /output embedding has shape 2 x 3 x 16 x 16 x 1; expected pictures x dims, or --pool average/,
  ],
  [
    'a step that cannot be done',
    {
      outputs: [anyShape],
      nodes: [{ operator: 'Reshape', inputs: ['pixels', 'sizes'], outputs: ['embedding'] }],
      constants: [{ name: 'sizes', shape: [2], values: BigInt64Array.of(5n, 7n) }],
    },
    /x\.onnx: fails on an input of 2 x 3 x 16 x 16: ./,
  ],
];

for (const [title, changes, message] of faults) {
  t.test(`refused: ${title}`, async (t) => {
    const model = writeModel(join(temporaryFolder(t), 'x.onnx'), {
      inputs: [INPUT],
      outputs: [OUTPUT],
      nodes: [{ operator: 'Identity', inputs: ['pixels'], outputs: ['embedding'] }],
      ...changes,
    });
    const size = { width: EDGE, height: EDGE };
    const encoding = async () => {
      const encoder = await openEncoder({ model, size, batch: 2, threads: 1, pool: 'average' });
      try {
        await encoder.encode(new Float32Array(2 * 3 * EDGE * EDGE), 2);
      } finally {
        await encoder.close();
      }
    };
    await t.rejects(encoding(), { name: 'EmbedError', message });
  });
}
