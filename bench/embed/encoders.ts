// Encoders whose answers a test can work out: a convolution of stride 2 with known weights, its positive part, the mean
// over places.

import { seededRandom } from '../../src/random.ts';
import { type Model, type Value, writeModel } from './onnx.ts';

export const DIMS = 5;
export const EDGE = 16;
const KERNEL = 3;

const random = seededRandom(1, 'weights');
/** DIMS x 3 x KERNEL x KERNEL, whole quarters, so that sums of products with halves are exact. */
const WEIGHTS = Float32Array.from({ length: DIMS * 3 * KERNEL * KERNEL }, () => (random.below(17) - 8) / 4);

export const INPUT: Value = { name: 'pixels', shape: ['pictures', 3, EDGE, EDGE] };
export const OUTPUT: Value = { name: 'embedding', shape: ['pictures', DIMS] };

const CONVOLUTION: Model = {
  inputs: [INPUT],
  outputs: [OUTPUT],
  nodes: [
    { operator: 'Conv', inputs: ['pixels', 'weights'], outputs: ['maps'], attributes: { strides: [2, 2] } },
    { operator: 'Relu', inputs: ['maps'], outputs: ['positive'] },
    { operator: 'GlobalAveragePool', inputs: ['positive'], outputs: ['means'] },
    { operator: 'Flatten', inputs: ['means'], outputs: ['embedding'] },
  ],
  constants: [{ name: 'weights', shape: [DIMS, 3, KERNEL, KERNEL], values: WEIGHTS }],
};

export function convolution(path: string, changes: Partial<Model> = {}): string {
  return writeModel(path, { ...CONVOLUTION, ...changes });
}

/** What `convolution` answers for one picture, 3 x EDGE x EDGE. */
export function convolved(pixels: Float32Array): number[] {
  const places = Math.floor((EDGE - KERNEL) / 2) + 1;
  return Array.from({ length: DIMS }, (_, dim) => {
    let mean = 0;
    for (let y = 0; y < places; y++) {
      for (let x = 0; x < places; x++) mean += Math.max(0, at(pixels, dim, 2 * x, 2 * y)) / places ** 2;
    }
    return mean;
  });
}

function at(pixels: Float32Array, dim: number, left: number, top: number): number {
  let sum = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < KERNEL; y++) {
      for (let x = 0; x < KERNEL; x++) {
        const weight = WEIGHTS[((dim * 3 + channel) * KERNEL + y) * KERNEL + x] as number;
        sum += weight * (pixels[(channel * EDGE + top + y) * EDGE + left + x] as number);
      }
    }
  }
  return sum;
}

/** A copy of the input as it is, named `embedding`; `shape` is what the model says of it. */
export function identity(path: string, input: Value, shape: readonly (number | string)[]): string {
  return writeModel(path, {
    inputs: [input],
    outputs: [{ name: 'embedding', shape, ...(input.type === undefined ? {} : { type: input.type }) }],
    nodes: [{ operator: 'Identity', inputs: ['pixels'], outputs: ['embedding'] }],
  });
}
