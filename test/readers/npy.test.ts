// Dense vectors from .npy: every type, order and header, and files that are not what they claim.

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type NpyType, npyHeader, openNpyArray, parseNpyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { InputError, type VectorReader } from '../../index-builder/readers/reader.ts';

t.test('rows arrive in order whatever the chunk size, and again on a second pass', async (t) => {
  const elements = Float32Array.from({ length: 7 * 3 }, (_, at) => at - 10.25);
  const reader = open(t, encode('f4', [7, 3], elements));
  t.strictSame([reader.kind, reader.rows, reader.dims, reader.perRow, reader.chained], ['dense', 7, 3, 3, false]);
  for (const rowsPerChunk of [1, 2, 3, 7, 100]) {
    const chunks = [...reader.chunks(rowsPerChunk)].map(({ firstRow, rows }) => [firstRow, rows]);
    t.equal(chunks.length, Math.ceil(7 / rowsPerChunk));
    t.ok(chunks.every(([first], at) => first === at * rowsPerChunk));
    t.strictSame(allValues(reader, rowsPerChunk), [...elements]);
  }
  t.throws(() => [...reader.chunks(0)], RangeError);
  t.match(reader.locate(5), /a\.npy row 5$/);
  t.match(reader.files, [/a\.npy$/]);
});

t.test('float16, uint8 and int8 become the floats they stand for', async (t) => {
  // Half precision by its definition: 1, -2, the largest, the smallest normal and subnormal, both zeros, infinity.
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0, 0x7c00);
  const floats = [1, -2, 65504, 2 ** -14, 2 ** -24, -0, 0, Number.POSITIVE_INFINITY];
  t.strictSame(allValues(open(t, encode('f2', [4, 2], halves)), 3), floats);
  t.ok(Number.isNaN(allValues(open(t, encode('f2', [1, 1], Uint16Array.of(0x7e01))), 1)[0]), 'NaN is handed on');
  t.strictSame(allValues(open(t, encode('u1', [1, 3], Uint8Array.of(0, 128, 255))), 1), [0, 128, 255]);
  t.strictSame(allValues(open(t, encode('i1', [3, 1], Int8Array.of(-128, 0, 127))), 2), [-128, 0, 127]);
});

t.test('headers of versions 1 to 3, of any key order and alignment, are read', async (t) => {
  const data = Buffer.from(Float32Array.of(1, 2).buffer);
  const texts = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n",
    "{'shape':(1L,2L,),'descr':\"<f4\",'fortran_order':False}",
    " { 'fortran_order' : False , 'shape' : ( 1 , 2 ) , 'descr' : '<f4' , } \n",
  ];
  for (const text of texts) {
    for (const version of [1, 2, 3]) {
      t.strictSame(allValues(open(t, Buffer.concat([header(text, version), data])), 1), [1, 2], `${version} ${text}`);
    }
  }
});

t.test('what cannot be used is refused with what it is and what to do', async (t) => {
  const shaped = (descr: string, order: string, shape: string, bytes = 0) =>
    Buffer.concat([
      header(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`),
      Buffer.alloc(bytes),
    ]);
  const whole = encode('f4', [2, 2], Float32Array.of(1, 2, 3, 4));
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ['big-endian', shaped("'>f4'", 'False', '(1, 1)', 4), /is big-endian \(dtype '>f4'\); .*newbyteorder/],
    ['Fortran order', shaped("'<f4'", 'True', '(2, 2)', 16), /Fortran.*np\.ascontiguousarray/],
    ['float64', shaped("'<f8'", 'False', '(1, 1)', 8), /has dtype <f8; expected float32, .*astype\(np\.float32\)/],
    ['objects', shaped("'|O'", 'False', '(1, 1)', 8), /has dtype \|O/],
    ['fields', shaped("[('a', '<f4'), ('b', '<i4')]", 'False', '(1, 1)', 8), /has dtype \[\('a'/],
    ['one dimension', shaped("'<f4'", 'False', '(3,)', 12), /has 1 dimensions, shape \(3,\).*reshape/],
    ['three dimensions', shaped("'<f4'", 'False', '(1, 1, 1)', 4), /has 3 dimensions, shape \(1, 1, 1\)/],
    ['no dimension', shaped("'<f4'", 'False', '()', 4), /has 0 dimensions/],
    ['no rows', shaped("'<f4'", 'False', '(0, 4)'), /has no rows/],
    ['no columns', shaped("'<f4'", 'False', '(4, 0)'), /rows of no values/],
    ['truncated data', whole.subarray(0, -1), /truncated: 15 bytes of data; expected 16 for 2 x 2 float32/],
    ['trailing bytes', Buffer.concat([whole, Buffer.alloc(1)]), /trailing bytes: 17 bytes/],
    ['truncated header', whole.subarray(0, 40), /truncated in its header: 40 bytes/],
    ['version 4', patched(whole, 6, 4), /is \.npy version 4\.0/],
    ['version 1.1', patched(whole, 7, 1), /is \.npy version 1\.1/],
    ['a long header', header(' '.repeat(10_001), 2), /header of 10001 bytes; expected at most 10000/],
    ['a huge shape', shaped("'<f4'", 'False', '(9007199254740993, 1)'), /malformed header: too large a shape/],
    ['more than exists', shaped("'<f4'", 'False', '(9007199254740991, 4096)', 4), /truncated: 4 bytes/],
    ['an expression', shaped("'<f4'", 'False', '(1, 2*3)'), /malformed header/],
    ['a negative size', shaped("'<f4'", 'False', '(-1, 2)'), /malformed header: no size/],
    ['a number as shape', shaped("'<f4'", 'False', '(3)'), /a number where a tuple belongs/],
    ['a further key', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'x': 1}"), /the key 'x'/],
    ['a key twice', header("{'descr': '<f4', 'descr': '<f4'}"), /the key 'descr' twice/],
    ['a prototype key', header("{'__proto__': '<f4'}"), /the key '__proto__'/],
    ['a missing key', header("{'descr': '<f4', 'shape': (1, 1)}"), /no key 'fortran_order'/],
    ['text after it', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} x"), /after the dictionary/],
    ['an empty file', Buffer.alloc(0), /starts with nothing/],
    ['another format', Buffer.from('PK\x03\x04rest'), /starts with 504b0304/],
    ['only the magic', whole.subarray(0, 8), /is not a \.npy file/],
  ];
  for (const [title, bytes, message] of cases) {
    t.throws(() => open(t, bytes), { name: 'InputError', message }, title);
    t.throws(
      () => open(t, bytes),
      { message: /a\.npy: [^;]+; [^;]+; [^;]+/ },
      `${title}: file, fault, expectation, remedy`,
    );
  }
});

t.test('any damage to a header is either refused by name or harmless', async (t) => {
  const valid = "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 34), }  \n";
  const alphabet = '{}()[]\'":,<>|=fiuFT0123456789L \n\\\0\xff';
  const random = xorshift(0x5eed);
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = [...valid];
    for (let edits = random(4) + 1; edits > 0; edits--) {
      const at = random(bytes.length);
      const fresh = alphabet[random(alphabet.length)] as string;
      const kind = random(3);
      if (kind === 0) bytes[at] = fresh;
      else bytes.splice(at, kind === 1 ? random(5) : 0, ...(kind === 1 ? [] : [fresh]));
    }
    try {
      const { shape } = parseNpyHeader('fuzz', bytes.join(''));
      if (shape.every((size) => Number.isSafeInteger(size) && size >= 0)) accepted++;
      else t.fail(`accepted ${JSON.stringify(bytes.join(''))}`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  t.ok(accepted > 0 && accepted < 20_000, `${accepted} of 20,000 were harmless`);
});

t.test(
  'a flipped byte anywhere before the data never reads as anything but an error or an array that fits',
  async (t) => {
    const whole = encode('f4', [2, 2], Float32Array.of(1, 2, 3, 4));
    const path = join(t.testdir(), 'a.npy');
    for (let at = 0; at < whole.length - 16; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        writeFileSync(path, patched(whole, at, (whole[at] as number) ^ flip));
        try {
          const array = openNpyArray(path, ['f4', 'f2', 'u1', 'i1']);
          if (array.rows * array.columns > 16) t.fail(`byte ${at} ^ ${flip}`);
          array.close();
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
        }
      }
    }
  },
);

t.test('a file that shrinks while it is read is an error, and so is reading after close', async (t) => {
  const reader = open(t, encode('f4', [4, 1], new Float32Array(4)));
  truncateSync(reader.files[0] as string, 130);
  t.throws(() => [...reader.chunks(4)], { name: 'InputError', message: /ends at byte 130, 14 bytes early/ });
  reader.close();
  reader.close();
  t.throws(() => [...reader.chunks(4)], /is closed/);
});

function open(t: Test, bytes: Uint8Array): VectorReader {
  const folder = t.testdir({ 'a.npy': Buffer.from(bytes) });
  const { reader } = openReader(join(folder, 'a.npy'), new Map());
  t.teardown(() => reader.close());
  return reader;
}

function allValues(reader: VectorReader, rowsPerChunk: number): number[] {
  const all: number[] = [];
  for (const { values } of reader.chunks(rowsPerChunk)) all.push(...values);
  return all;
}

function encode(type: NpyType, shape: readonly number[], elements: NodeJS.ArrayBufferView): Uint8Array {
  return Buffer.concat([
    npyHeader(type, shape),
    Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength),
  ]);
}

/** A whole header around a literal that npyHeader would not write. */
function header(text: string, version = 1): Buffer {
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}

function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

/** Whole numbers below a bound, from a seed. */
function xorshift(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
