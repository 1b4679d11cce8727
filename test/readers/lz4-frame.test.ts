// LZ4 frames byte by byte: what a frame may hold, and what is refused of a damaged one.

import t from 'tap';
import { decodeLz4Frame } from '../../index-builder/readers/lz4-frame.ts';

const VERSION = 0x40;
const BLOCK_CHECKSUMS = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY = 0x01;
const STORED = 0x80000000;

/** A block of a frame, with its word: the bytes and whether they are stored. */
type Block = readonly [bytes: Uint8Array, stored: boolean];

t.test('stored and compressed blocks follow one another, with and without checksums and a content size', async (t) => {
  const blocks: readonly Block[] = [
    [Buffer.from('abcd'), true],
    // One literal, then a match of four bytes from two back.
    [Buffer.from([0x10, 0x65, 0x02, 0x00]), false],
    // 15 and 255 and 0 literals: 270 of them.
    [Buffer.concat([Buffer.from([0xf0, 0xff, 0x00]), Buffer.alloc(270, 'z')]), false],
  ];
  const expected = `abcdedede${'z'.repeat(270)}`;
  for (const flags of [0, BLOCK_CHECKSUMS, CONTENT_SIZE, BLOCK_CHECKSUMS | CONTENT_SIZE]) {
    const found = decodeLz4Frame(frame(VERSION | flags, blocks));
    t.equal(Buffer.from(found).toString(), expected, `flags ${flags}`);
  }
});

t.test('a match far back is copied whole, one that overlaps itself repeats', async (t) => {
  const text = '0123456789abcdef';
  // A match of 4 + 4 bytes from 16 back, then one literal and a match of 19 + 6 from one back.
  const block = Buffer.concat([
    Buffer.from([0xf4, 0x01]),
    Buffer.from(text),
    Buffer.from([0x10, 0x00, 0x1f, 0x78, 0x01, 0x00, 0x06]),
  ]);
  const found = Buffer.from(decodeLz4Frame(frame(VERSION, [[block, false]]))).toString();
  t.equal(found, `${text}01234567${'x'.repeat(26)}`);
});

const refusals: readonly [string, Uint8Array, RegExp][] = [
  ['no frame', Buffer.alloc(16), /no LZ4 frame/],
  ['another version', frame(0, []), /version 0 of LZ4 frames/],
  ['a dictionary', frame(VERSION | DICTIONARY, []), /with a dictionary/],
  ['a block behind the end', frame(VERSION, [[Buffer.from('abcd'), true]]).subarray(0, 13), /block that ends early/],
  [
    'a stored block of more than the format allows',
    frame(VERSION, [[Buffer.alloc(2 ** 22 + 1), true]]),
    /block of 4194305/,
  ],
  ['a length without its last byte', frame(VERSION, [[Buffer.from([0xf0, 0xff]), false]]), /length that ends early/],
  ['literals behind the end', frame(VERSION, [[Buffer.from([0x20, 0x61]), false]]), /literals out of range/],
  ['a match from before the start', frame(VERSION, [[Buffer.from([0x10, 0x61, 2, 0]), false]]), /match out of range/],
  ['a match from nowhere', frame(VERSION, [[Buffer.from([0x10, 0x61, 0, 0]), false]]), /match out of range/],
  ['half of the place of a match', frame(VERSION, [[Buffer.from([0x10, 0x61, 1]), false]]), /match out of range/],
];

for (const [title, bytes, message] of refusals) {
  t.test(`refused: ${title}`, async (t) => {
    t.throws(() => decodeLz4Frame(bytes), { message });
  });
}

/** Magic, descriptor, blocks, end mark; checksums are zeros, which nobody looks at. */
function frame(flags: number, blocks: readonly Block[]): Uint8Array {
  const parts = blocks.flatMap(([bytes, stored]) => [
    uint32(bytes.length + (stored ? STORED : 0)),
    bytes,
    Buffer.alloc(flags & BLOCK_CHECKSUMS ? 4 : 0),
  ]);
  const size = Buffer.alloc(flags & CONTENT_SIZE ? 8 : 0);
  return Buffer.concat([uint32(0x184d2204), Buffer.from([flags, 0x40]), size, Buffer.alloc(1), ...parts, uint32(0)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
