// Normal numbers by the hundred million: 16 bits of a xorshift generator choose a quantile. What is wanted here is speed,
// and no tail beyond four standard deviations.

import type { Random } from '../../src/random.ts';

const QUANTILES = 2 ** 16;

export interface NormalDraws {
  /** Fills `values` with independent standard normal numbers. */
  fill(values: Float32Array): void;
  /** A number in [0, 1) in steps of 2^-32. */
  uniform(): number;
}

/** Draws of their own for every `random`, which they take four numbers of. */
export function normalDraws(random: Random): NormalDraws {
  const quantiles = normalQuantiles();
  const draws = new Draws(random);
  return {
    fill(values) {
      for (let i = 0; i + 1 < values.length; i += 2) {
        const drawn = draws.next();
        values[i] = quantiles[drawn >>> 16] as number;
        values[i + 1] = quantiles[drawn & 0xffff] as number;
      }
      if (values.length % 2 === 1) values[values.length - 1] = quantiles[draws.next() >>> 16] as number;
    },
    uniform: () => (draws.next() >>> 0) / 2 ** 32,
  };
}

/** xorshift128 (Marsaglia, 2003): 32 bits a draw without the divisions of `below`, of which a row would take hundreds. */
class Draws {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  constructor(random: Random) {
    this.#x = random.below(2 ** 32) | 1;
    this.#y = random.below(2 ** 32);
    this.#z = random.below(2 ** 32);
    this.#w = random.below(2 ** 32);
  }

  next(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w ^= (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w;
  }
}

let known: Float32Array | null = null;

/** The (i + 1/2) / 65536 quantiles of the standard normal distribution, by adding up its density. */
function normalQuantiles(): Float32Array {
  if (known !== null) return known;
  const quantiles = new Float32Array(QUANTILES);
  const step = 2e-5;
  let below = 0;
  for (let i = 0, z = -6; i < QUANTILES; z += step) {
    below += (Math.exp((-z * z) / 2) * step) / Math.sqrt(2 * Math.PI);
    while (i < QUANTILES && below >= (i + 0.5) / QUANTILES - 1e-9) quantiles[i++] = z + step / 2;
  }
  known = quantiles;
  return quantiles;
}
