// LZ4 frames, which Arrow files are compressed with by default; checksums are passed over.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md

const MAGIC = 0x184d2204;

/** A byte of a block stands for at most so many of content. */
const LARGEST_RATIO = 255;
/** Of content, by the format. */
const LARGEST_BLOCK_BYTES = 2 ** 22;
const FIRST_BYTES = 2 ** 16;

export function decodeLz4Frame(input: Uint8Array): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) throw new Error(`version ${flags >> 6} of LZ4 frames`);
  const blockChecksums = (flags & 0x10) !== 0;
  if ((flags & 0x01) !== 0) throw new Error('an LZ4 frame with a dictionary');
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8);
  let out = new Uint8Array(FIRST_BYTES);
  let filled = 0;
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    const size = word & 0x7fffffff;
    if (size === 0) return out.subarray(0, filled);
    if (at + size > input.length) throw new Error('an LZ4 block that ends early');
    const block = input.subarray(at, at + size);
    const most = Math.min(filled + LARGEST_RATIO * size, filled + LARGEST_BLOCK_BYTES);
    if (most > out.length) {
      const larger = new Uint8Array(Math.max(most, 2 * out.length));
      larger.set(out.subarray(0, filled));
      out = larger;
    }
    if (word >= 0x80000000) {
      if (size > LARGEST_BLOCK_BYTES) throw new Error(`an LZ4 block of ${size} bytes`);
      out.set(block, filled);
      filled += size;
    } else {
      filled = decodeBlock(block, out, filled);
    }
    at += size + (blockChecksums ? 4 : 0);
  }
}

/** Appends a block, which may refer to what is before it; returns the new end. */
function decodeBlock(block: Uint8Array, out: Uint8Array, from: number): number {
  let at = 0;
  let end = from;
  const length = (nibble: number): number => {
    let total = nibble;
    if (nibble === 15) {
      let byte: number;
      do {
        if (at >= block.length) throw new Error('an LZ4 length that ends early');
        byte = block[at++] as number;
        total += byte;
      } while (byte === 255);
    }
    return total;
  };
  while (at < block.length) {
    const token = block[at++] as number;
    const literals = length(token >> 4);
    if (at + literals > block.length || end + literals > out.length) throw new Error('LZ4 literals out of range');
    out.set(block.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at >= block.length) break;
    // NaN where the block ends in it.
    const offset = (block[at] as number) + (block[at + 1] as number) * 256;
    at += 2;
    const matched = length(token & 15) + 4;
    if (!(offset > 0 && offset <= end) || end + matched > out.length) throw new Error('an LZ4 match out of range');
    if (offset >= matched) {
      out.copyWithin(end, end - offset, end - offset + matched);
      end += matched;
    } else {
      for (const stop = end + matched; end < stop; end++) out[end] = out[end - offset] as number;
    }
  }
  return end;
}
