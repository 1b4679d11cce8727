// Seeded randomness: the only source of chance below the server. The sequence is part of the contract (the same seed
// gives the same index and the same round), so a change here is a change of results.

export interface Random {
  /** A whole number in [0, limit), limit from 1 to 2^32, uniform. */
  below(limit: number): number;
}

/**
 * xoshiro128** (Blackman and Vigna, 2018) over a seed from 0 to 2^53 - 1 and a stream name, so that independent uses of
 * one seed draw independently.
 */
export function seededRandom(seed: number, stream: string): Random {
  // splitmix32 fills the state from both halves of the seed and the bytes of the name.
  let mix = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) + 1, 0x9e3779b9);
  const next = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  for (const byte of new TextEncoder().encode(stream)) mix = next() ^ byte;
  let a = next();
  let b = next();
  let c = next();
  let d = next() | 1;
  const draw = (): number => {
    const fives = Math.imul(b, 5);
    const result = Math.imul((fives << 7) | (fives >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return {
    below(limit) {
      // Rejection keeps it uniform: draws above the last whole multiple of limit are thrown away.
      const ceiling = 2 ** 32 - (2 ** 32 % limit);
      let drawn = draw();
      while (drawn >= ceiling) drawn = draw();
      return drawn % limit;
    },
  };
}

/** Up to here every number is looked at; above, only those that are drawn. */
const SMALL_TOTAL = 2 ** 20;

/** `count` distinct numbers below `total`, ascending, uniform over all such sets. */
export function sampleAscending(random: Random, count: number, total: number): Uint32Array {
  if (count >= total) return ascending(total);
  return total <= SMALL_TOTAL ? sampleBySelection(random, count, total) : sampleByDrawing(random, count, total);
}

/** Knuth, TAOCP 2, algorithm S. */
function sampleBySelection(random: Random, count: number, total: number): Uint32Array {
  const sample = new Uint32Array(count);
  let taken = 0;
  for (let i = 0; taken < sample.length; i++) {
    if (random.below(total - i) < sample.length - taken) sample[taken++] = i;
  }
  return sample;
}

/** Draws until `count` different numbers came, or those to leave out where that is fewer; a bit for each number. */
function sampleByDrawing(random: Random, count: number, total: number): Uint32Array {
  const inverted = count > total / 2;
  const drawn = new Uint32Array(Math.ceil(total / 32));
  for (let left = inverted ? total - count : count; left > 0; ) {
    const number = random.below(total);
    const bit = 1 << (number & 31);
    if (((drawn[number >>> 5] as number) & bit) !== 0) continue;
    drawn[number >>> 5] = (drawn[number >>> 5] as number) | bit;
    left--;
  }
  const sample = new Uint32Array(count);
  for (let number = 0, taken = 0; taken < count; number++) {
    // Nothing in the whole word.
    if (!inverted && (number & 31) === 0) while (drawn[number >>> 5] === 0) number += 32;
    const set = ((drawn[number >>> 5] as number) & (1 << (number & 31))) !== 0;
    if (set !== inverted) sample[taken++] = number;
  }
  return sample;
}

function ascending(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

/** 0 … count - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const other = order[j] as number;
    order[j] = order[i] as number;
    order[i] = other;
  }
  return order;
}

/** `count` distinct numbers below `total` outside `skip` (distinct), or all there are, in drawn order. */
export function sampleOutside(random: Random, count: number, total: number, skip: Uint32Array): Uint32Array {
  const taken = new Set(skip);
  const available = total - taken.size;
  const drawn = new Uint32Array(Math.min(count, available));
  if (2 * (taken.size + drawn.length) <= total) {
    // At least every other number is free to the end, so a draw takes two tries on average at most.
    for (let i = 0; i < drawn.length; ) {
      const number = random.below(total);
      if (taken.has(number)) continue;
      taken.add(number);
      drawn[i++] = number;
    }
    return drawn;
  }
  // A shuffle of what is left, as far as it is needed.
  const rest = new Uint32Array(available);
  for (let number = 0, i = 0; i < available; number++) if (!taken.has(number)) rest[i++] = number;
  for (let i = 0; i < drawn.length; i++) {
    const j = i + random.below(available - i);
    drawn[i] = rest[j] as number;
    rest[j] = rest[i] as number;
  }
  return drawn;
}
