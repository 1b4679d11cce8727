// The n-th greatest of many floats without sorting them: two counts over the halves of their bit patterns.

/** Of `values`, the `count`-th greatest (from 1, at most as many as there are). No value is NaN. */
export function greatest(values: Float32Array, count: number): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const wanted = Math.min(count, values.length);
  if (wanted === 0) return Number.POSITIVE_INFINITY;
  const high = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) {
    const half = keyOf(bits[i] as number) >>> 16;
    high[half] = (high[half] as number) + 1;
  }
  const [upper, above] = placeOf(high, wanted);
  const low = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) {
    const key = keyOf(bits[i] as number);
    if (key >>> 16 === upper) low[key & 0xffff] = (low[key & 0xffff] as number) + 1;
  }
  const [lower] = placeOf(low, wanted - above);
  return floatOf(((upper << 16) | lower) >>> 0);
}

/** The bin in which the n-th from above lies, and how many lie in the bins above it. */
function placeOf(counts: Uint32Array, n: number): readonly [bin: number, above: number] {
  let above = 0;
  let bin = counts.length - 1;
  while (above + (counts[bin] as number) < n) above += counts[bin--] as number;
  return [bin, above];
}

/** Bit patterns in the order of the values: negative ones are turned over. */
function keyOf(bits: number): number {
  return (bits < 0 ? ~bits : bits | 0x80000000) >>> 0;
}

function floatOf(key: number): number {
  const bits = new Uint32Array([key >= 0x80000000 ? key & 0x7fffffff : ~key >>> 0]);
  return new Float32Array(bits.buffer)[0] as number;
}
