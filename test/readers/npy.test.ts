// Dense vectors from .npy: every type, order and header, and files that are not what they claim.

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { rowsFromColumns } from '../../index-builder/readers/arrays/columns.ts';
import { openArray } from '../../index-builder/readers/arrays/open-array.ts';
import { type NpyType, npyHeader, parseNpyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { InputError, type VectorReader } from '../../index-builder/readers/reader.ts';
import { collect } from './collect.ts';

t.test('rows arrive in order whatever the chunk size, and again on a second pass', async (t) => {
  const elements = Float32Array.from({ length: 7 * 3 }, (_, at) => at - 10.25);
  const reader = await open(t, encode('f4', [7, 3], elements));
  t.strictSame([reader.kind, reader.rows, reader.dims, reader.perRow, reader.chained], ['dense', 7, 3, 3, false]);
  for (const rowsPerChunk of [1, 2, 3, 7, 100]) {
    const chunks = (await collect(reader.chunks(rowsPerChunk))).map(({ firstRow, rows }) => [firstRow, rows]);
    t.equal(chunks.length, Math.ceil(7 / rowsPerChunk));
    t.ok(chunks.every(([first], at) => first === at * rowsPerChunk));
    t.strictSame(await allValues(reader, rowsPerChunk), [...elements]);
  }
  await t.rejects(() => collect(reader.chunks(0)), RangeError);
  t.match(reader.locate(5), /a\.npy row 5$/);
  t.match(reader.files, [/a\.npy$/]);
});

t.test('float16, uint8 and int8 become the floats they stand for', async (t) => {
  // Half precision by its definition: 1, -2, the largest, the smallest normal and subnormal, both zeros, infinity.
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0, 0x7c00);
  const floats = [1, -2, 65504, 2 ** -14, 2 ** -24, -0, 0, Number.POSITIVE_INFINITY];
  t.strictSame(await allValues(await open(t, encode('f2', [4, 2], halves)), 3), floats);
  t.ok(
    Number.isNaN((await allValues(await open(t, encode('f2', [1, 1], Uint16Array.of(0x7e01))), 1))[0]),
    'NaN is handed on',
  );
  t.strictSame(await allValues(await open(t, encode('u1', [1, 3], Uint8Array.of(0, 128, 255))), 1), [0, 128, 255]);
  t.strictSame(await allValues(await open(t, encode('i1', [3, 1], Int8Array.of(-128, 0, 127))), 2), [-128, 0, 127]);
});

t.test('either byte order and either order of rows and columns read as the same array', async (t) => {
  const [rows, columns] = [37, 19];
  const values = Float64Array.from({ length: rows * columns }, (_, at) => Math.fround(Math.sin(at) * 2 ** (at % 40)));
  for (const type of ['f2', 'f4', 'f8', 'i1', 'u1'] as const) {
    const stored = storedAs(type, values);
    const expected = await allValues(await open(t, encode(type, [rows, columns], stored)), rows);
    for (const bigEndian of [false, true]) {
      for (const columnOrder of [false, true]) {
        const bytes = arranged(type, rows, columns, stored, bigEndian, columnOrder);
        for (const rowsPerChunk of [1, 5, 37, 100]) {
          t.strictSame(
            await allValues(await open(t, bytes), rowsPerChunk),
            expected,
            `${type} ${bigEndian} ${columnOrder}`,
          );
        }
        const reader = await open(t, bytes);
        const rest = (await collect(reader.chunks(100, 30))).flatMap((chunk) => [...chunk.values]);
        t.strictSame(rest, expected.slice(30 * columns), 'from a row on');
      }
    }
  }
});

t.test('column order is turned in bands, without the array in memory', async (t) => {
  const [rows, columns, bandRows] = [1000, 33, 64];
  const stored = Float32Array.from({ length: rows * columns }, (_, at) => at);
  let largest = 0;
  const read = rowsFromColumns({ type: 'f4', rows, columns }, bandRows * columns * 4, (at, out) => {
    largest = Math.max(largest, out.length);
    out.set(new Uint8Array(stored.buffer, 4 * at, out.length));
  });
  const out = new Float32Array(7 * columns);
  for (const first of [0, 60, 990, 3]) {
    read(first, 7, out);
    t.strictSame(
      out,
      Float32Array.from(out, (_, at) => (at % columns) * rows + first + Math.floor(at / columns)),
    );
  }
  t.equal(largest, 4 * bandRows, 'a column is read for one band at a time');
});

t.test('float64 is rounded to nearest, and what float32 cannot hold is refused with its row', async (t) => {
  const reader = await open(t, encode('f8', [1, 3], Float64Array.of(0.1, 1 + 2 ** -25, 2 ** -160)));
  t.strictSame(await allValues(reader, 1), [Math.fround(0.1), 1, 0]);
  const large = await open(t, encode('f8', [2, 2], Float64Array.of(0, 1, 2, -1e300)));
  await t.rejects(() => allValues(large, 2), {
    name: 'InputError',
    message: /a\.npy row 1: has -1e\+300 in column 1; expected numbers that float32 can hold/,
  });
  const infinite = await open(t, encode('f8', [1, 1], Float64Array.of(Number.POSITIVE_INFINITY)));
  t.strictSame(await allValues(infinite, 1), [Number.POSITIVE_INFINITY], 'for the encoder to refuse');
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
      t.strictSame(
        await allValues(await open(t, Buffer.concat([header(text, version), data])), 1),
        [1, 2],
        `${version} ${text}`,
      );
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
    ['int32', shaped("'<i4'", 'False', '(1, 1)', 4), /has dtype <i4; expected float32, .*astype\(np\.float32\)/],
    ['no byte order', shaped("'|f4'", 'False', '(1, 1)', 4), /has dtype \|f4; expected float32/],
    ['long doubles', shaped("'<f16'", 'False', '(1, 1)', 16), /has dtype <f16; expected float32/],
    ['truncated columns', shaped("'>f8'", 'True', '(2, 2)', 31), /truncated: 31 bytes of data; expected 32 for 2 x 2/],
    ['objects', shaped("'|O'", 'False', '(1, 1)', 8), /has dtype \|O/],
    ['fields', shaped("[('a', '<f4'), ('b', '<i4')]", 'False', '(1, 1)', 8), /has dtype \[\('a'/],
    ['one dimension', shaped("'<f4'", 'False', '(3,)', 12), /has 1 dimensions, shape \(3,\).*reshape/],
    ['three dimensions', shaped("'<f4'", 'False', '(1, 1, 1)', 4), /has 3 dimensions, shape \(1, 1, 1\)/],
    ['no dimension', shaped("'<f4'", 'False', '()', 4), /has 0 dimensions/],
    ['no rows', shaped("'<f4'", 'False', '(0, 4)'), /has no rows/],
    ['no columns', shaped("'<f4'", 'False', '(4, 0)'), /rows of no values/],
    [
      'truncated data',
      whole.subarray(0, -1),
      /truncated: 15 bytes of data, which end in row 1; expected 16 for 2 x 2 float32/,
    ],
    ['trailing bytes', Buffer.concat([whole, Buffer.alloc(1)]), /trailing bytes: 17 bytes/],
    ['truncated header', whole.subarray(0, 40), /truncated in its header: 40 bytes/],
    ['version 4', patched(whole, 6, 4), /is \.npy version 4\.0/],
    ['version 1.1', patched(whole, 7, 1), /is \.npy version 1\.1/],
    ['a long header', header(' '.repeat(10_001), 2), /header of 10001 bytes; expected at most 10000/],
    ['a huge shape', shaped("'<f4'", 'False', '(9007199254740993, 1)'), /malformed header: too large a shape/],
    [
      'more than exists',
      shaped("'<f4'", 'False', '(9007199254740991, 4096)', 4),
      /truncated: 4 bytes of data, which end in row 0; /,
    ],
    ['an expression', shaped("'<f4'", 'False', '(1, 2*3)'), /malformed header/],
    ['a negative size', shaped("'<f4'", 'False', '(-1, 2)'), /malformed header: no size/],
    ['a number as shape', shaped("'<f4'", 'False', '(3)'), /a number where a tuple belongs/],
    ['a further key', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'x': 1}"), /the key 'x'/],
    ['a key twice', header("{'descr': '<f4', 'descr': '<f4'}"), /the key 'descr' twice/],
    ['a prototype key', header("{'__proto__': '<f4'}"), /the key '__proto__'/],
    ['a missing key', header("{'descr': '<f4', 'shape': (1, 1)}"), /no key 'fortran_order'/],
    ['text after it', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} x"), /after the dictionary/],
    ['an empty file', Buffer.alloc(0), /starts with nothing/],
    ['another format', Buffer.from('XX\x03\x04rest'), /starts with 58580304/],
    ['only the magic', whole.subarray(0, 8), /is not a \.npy file/],
  ];
  for (const [title, bytes, message] of cases) {
    await t.rejects(() => open(t, bytes), { name: 'InputError', message }, title);
    await t.rejects(
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
          const array = await openArray(path, new Map(), ['f4', 'f2', 'u1', 'i1']);
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
  const reader = await open(t, encode('f4', [4, 1], new Float32Array(4)));
  truncateSync(reader.files[0] as string, 130);
  await t.rejects(() => collect(reader.chunks(4)), { name: 'InputError', message: /ends at byte 130, 14 bytes early/ });
  reader.close();
  reader.close();
  await t.rejects(() => collect(reader.chunks(4)), /is closed/);
});

async function open(t: Test, bytes: Uint8Array): Promise<VectorReader> {
  const folder = t.testdir({ 'a.npy': Buffer.from(bytes) });
  const { reader } = await openReader(join(folder, 'a.npy'), new Map());
  t.teardown(() => reader.close());
  return reader;
}

async function allValues(reader: VectorReader, rowsPerChunk: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { values } of reader.chunks(rowsPerChunk)) all.push(...values);
  return all;
}

function encode(type: NpyType, shape: readonly number[], elements: NodeJS.ArrayBufferView): Uint8Array {
  return Buffer.concat([
    npyHeader(type, shape),
    Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength),
  ]);
}

function storedAs(type: NpyType, values: Float64Array): NodeJS.ArrayBufferView {
  if (type === 'f2') return Uint16Array.from(values, (_, at) => (at * 37) % 0x7c00);
  if (type === 'f4') return Float32Array.from(values);
  if (type === 'i1') return Int8Array.from(values, (_, at) => at);
  if (type === 'u1') return Uint8Array.from(values, (_, at) => at);
  return values;
}

/** The same array in another order of bytes and elements. */
function arranged(
  type: NpyType,
  rows: number,
  columns: number,
  stored: NodeJS.ArrayBufferView,
  bigEndian: boolean,
  columnOrder: boolean,
): Buffer {
  const size = Number(type.slice(1));
  const from = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const to = Buffer.alloc(from.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const element = Buffer.from(from.subarray((row * columns + column) * size).subarray(0, size));
      element.copy(to, (columnOrder ? column * rows + row : row * columns + column) * size);
    }
  }
  if (bigEndian && size === 2) to.swap16();
  if (bigEndian && size === 4) to.swap32();
  if (bigEndian && size === 8) to.swap64();
  const descr = `${size === 1 ? '|' : bigEndian ? '>' : '<'}${type}`;
  const order = columnOrder ? 'True' : 'False';
  return Buffer.concat([
    header(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${rows}, ${columns}), }\n`),
    to,
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
