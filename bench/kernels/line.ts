// A row of the kernel bench, and what its parts share.

import type { LinearModel } from '../../src/models/model.ts';
import { seededRandom } from '../../src/random.ts';
import { normals } from '../datasets/synthetic.ts';
import { type Contestant, compare } from '../measure.ts';

/** Nanoseconds per unit of one kernel on one instruction set, and of the JavaScript loop beside it. */
export interface Line {
  readonly kernel: string;
  readonly unit: string;
  readonly ns: number;
  /** Bytes a unit reads, for bandwidth; 0 where that says nothing. */
  readonly bytes: number;
  readonly javascriptNs: number | null;
}

/** Where what is read lies: `bytes` of it, of which each call reads the next `window`. */
export interface Place {
  readonly name: string;
  readonly bytes: number;
  readonly window: number;
  readonly calls: number;
}

export const SEED = 7;
/** Stays in a core's second-level cache. */
export const IN_CACHE: Place = { name: 'in cache', bytes: 256 * 1024, window: 256 * 1024, calls: 80 };
/** More than the caches of current servers hold, read a part a call: a part is read again when all others have been. */
export const FROM_MEMORY: Place = { name: 'from memory', bytes: 384 * 2 ** 20, window: 32 * 2 ** 20, calls: 1 };
const REPETITIONS = 12;

/** The least nanoseconds of CPU time a call of each contestant, in turns over inputs 0 … inputs - 1. */
export function cpuNs(
  contestants: readonly Contestant[],
  inputs: number,
  repetitions: number = REPETITIONS,
): readonly number[] {
  return compare(contestants, { inputs, repetitions }).map(({ leastCpu }) => leastCpu * 1e6);
}

export function randomModel(dims: number): LinearModel {
  const normal = normals(seededRandom(SEED, 'weights'));
  return { weights: Float32Array.from({ length: dims }, normal), bias: -0.25 };
}

export function ascending(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}
