// Parquet's hybrid of runs and packed bits, which levels and places in a dictionary are written in.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE)

/** Levels behind their own length, and where they end. */
export function readSizedLevels(page: Uint8Array, at: number, highest: number, count: number): [Uint8Array, number] {
  const from = at + 4;
  const end = from + new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(at, true);
  if (end > page.length) throw new Error('levels that are longer than their page');
  return [readLevels(page, from, end, highest, count), end];
}

export function readLevels(bytes: Uint8Array, from: number, end: number, highest: number, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  readRuns(bytes, from, end, 32 - Math.clz32(highest), levels);
  for (let i = 0; i < count; i++) {
    if ((levels[i] as number) > highest) throw new Error(`level ${levels[i]}, at most ${highest} is possible`);
  }
  return levels;
}

/** Fills `out`, which starts as zeros, from the bytes up to `end`. Every turn takes a byte at least, so it ends. */
export function readRuns(
  bytes: Uint8Array,
  from: number,
  end: number,
  width: number,
  out: Uint8Array | Uint32Array,
): void {
  if (width === 0) return;
  if (width > 32) throw new Error(`numbers of ${width} bits`);
  let at = from;
  const next = (): number => {
    if (at >= end) throw new Error('runs that end early');
    return bytes[at++] as number;
  };
  for (let done = 0; done < out.length; ) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 28) throw new Error('a run with too long a header');
      const byte = next();
      header += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const count = Math.floor(header / 2);
    if (header % 2 === 0) {
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value += next() * 2 ** shift;
      const runEnd = Math.min(out.length, done + count);
      out.fill(value, done, runEnd);
      done = runEnd;
    } else {
      done = unpack(next, width, out, done, Math.min(out.length, done + 8 * count));
    }
  }
}

/** Packed from the lowest bit of each byte on; bits behind the last number are left where they are. */
function unpack(next: () => number, width: number, out: Uint8Array | Uint32Array, from: number, end: number): number {
  const range = 2 ** width;
  let held = 0;
  let bits = 0;
  for (let i = from; i < end; i++) {
    while (bits < width) {
      held += next() * 2 ** bits;
      bits += 8;
    }
    out[i] = held % range;
    held = Math.floor(held / range);
    bits -= width;
  }
  return end;
}
