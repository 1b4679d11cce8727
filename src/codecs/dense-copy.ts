// Dense rows of any codec copied to bytes in memory: for looking at a sample, not for keeping.

import type { ModalityManifest } from '../index/format.ts';
import { native } from '../native.ts';
import type { CodesHandle } from '../native-types.ts';
import type { Codec } from './codec.ts';

/** Decoded values held at a time. */
const PART_VALUES = 1 << 22;
/** Codes are 0 to this. */
const STEPS = 255;

/** Codec.copy of dense codes. */
export function copyDense({ dims }: ModalityManifest, count: number, rows: Parameters<Codec['copy']>[2]): CodesHandle {
  const least = new Float32Array(dims).fill(Number.POSITIVE_INFINITY);
  const greatest = new Float32Array(dims).fill(Number.NEGATIVE_INFINITY);
  const parts = function* (): Generator<{ first: number; values: Float32Array }> {
    const most = Math.max(1, Math.floor(PART_VALUES / dims));
    for (let first = 0; first < count; first += most) {
      yield { first, values: rows(first, Math.min(most, count - first)).values };
    }
  };
  for (const { values } of parts()) {
    for (let i = 0, d = 0; i < values.length; i++, d = d + 1 === dims ? 0 : d + 1) {
      const value = values[i] as number;
      if (value < (least[d] as number)) least[d] = value;
      if (value > (greatest[d] as number)) greatest[d] = value;
    }
  }
  // A dimension without any width has codes of 0 only; its step must be a number all the same.
  const step = greatest.map((most, d) => (most > (least[d] as number) ? (most - (least[d] as number)) / STEPS : 1));
  const codes = new Uint8Array(count * dims);
  for (const { first, values } of parts()) {
    for (let i = 0, d = 0, at = first * dims; i < values.length; i++, d = d + 1 === dims ? 0 : d + 1) {
      const code = Math.round(((values[i] as number) - (least[d] as number)) / (step[d] as number));
      codes[at++] = Math.min(STEPS, Math.max(0, code));
    }
  }
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  const blocks = new Uint8Array(native.sq8CodesBytes(count, dims));
  native.packSq8(codes, order, dims, blocks);
  return native.openSq8(count, least, step, native.memorySection(blocks));
}
