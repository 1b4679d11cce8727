// Pages of Parquet byte by byte: the encodings of values and levels, and what is refused of a damaged page.

import type { Encoding, PageHeader, SchemaElement } from 'hyparquet';
import t from 'tap';
import { decodeDictionary, decodePage, type PageColumn } from '../../index-builder/readers/parquet-page.ts';

const int32 = column({ name: 'x', type: 'INT32' });
const boolean = column({ name: 'x', type: 'BOOLEAN' });
const nullable = { ...int32, maxDefinition: 1 };
const none = new Uint8Array(0);
const endless = Uint8Array.of(8, 255, 255, 255, 255, 255, 255);

t.test('numbers lie one after the other, and without nulls there are no levels', async (t) => {
  const bytes = int32s(5, -6, 7);
  const page = decodePage(bytes, first('PLAIN', 3, bytes), 'UNCOMPRESSED', int32, null, 3);
  t.strictSame([...page.values], [5, -6, 7]);
  t.strictSame([page.levels, page.definition, page.repetition], [3, null, null]);
});

t.test('truth values come in runs behind their length', async (t) => {
  // Runs: 2 times 1, then the bits 0, 1, 1 of a packed byte.
  const bytes = Uint8Array.of(4, 0, 0, 0, 2 << 1, 1, (1 << 1) | 1, 0b110);
  const page = decodePage(bytes, first('RLE', 5, bytes), 'UNCOMPRESSED', boolean, null, 5);
  t.strictSame([...page.values], [true, true, false, true, true]);
});

t.test('places in a dictionary of one value may take no bits at all', async (t) => {
  for (const bytes of [Uint8Array.of(0), none]) {
    const header = first('RLE_DICTIONARY', 3, bytes);
    t.strictSame([...decodePage(bytes, header, 'UNCOMPRESSED', int32, [9], 3).values], [9, 9, 9]);
  }
});

t.test('a page of nulls alone has levels and no values', async (t) => {
  // A run of 4 times level 0.
  const levels = Uint8Array.of(4 << 1, 0);
  for (const is_compressed of [true, false]) {
    const page = decodePage(levels, second('PLAIN', 4, levels, { is_compressed }), 'SNAPPY', nullable, null, 4);
    t.strictSame([page.levels, [...(page.definition ?? [])], [...page.values]], [4, [0, 0, 0, 0], []]);
  }
});

t.test('a page may be stored as it is in a column that is compressed', async (t) => {
  const bytes = Buffer.concat([Uint8Array.of(2 << 1, 1), int32s(3, 4)]);
  const header = second('PLAIN', 2, bytes, { is_compressed: false, definition_levels_byte_length: 2 });
  const page = decodePage(bytes, header, 'SNAPPY', nullable, null, 2);
  t.strictSame([[...page.values], page.definition], [[3, 4], null]);
});

const refusals: readonly [string, () => unknown, RegExp][] = [
  ['more values than the column has left', () => decode(int32s(1, 2), 'PLAIN', 2, 1), /a page of 2 values, at most 1 /],
  ['a header of no kind of page', () => read(none, { ...base(none), type: 'DATA_PAGE' }), /a page of -1 values/],
  [
    'a dictionary without its header',
    () => decodeDictionary(none, { ...base(none), type: 'DICTIONARY_PAGE' }, 'UNCOMPRESSED', int32),
    /a page of -1 values/,
  ],
  [
    'places without a dictionary',
    () => decode(Uint8Array.of(1, 2, 0), 'PLAIN_DICTIONARY', 1),
    /dictionary without one/,
  ],
  [
    'a place behind the dictionary',
    () => read(Uint8Array.of(8, 2, 7), first('RLE_DICTIONARY', 1, Uint8Array.of(8, 2, 7)), int32, [1, 2]),
    /value 7 of a dictionary of 2/,
  ],
  [
    'places of more bits than there are',
    () => read(Uint8Array.of(33, 2, 7), first('RLE_DICTIONARY', 1, Uint8Array.of(33, 2, 7)), int32, [1]),
    /numbers of 33 bits/,
  ],
  [
    'runs that end early',
    () => read(Uint8Array.of(9), first('RLE_DICTIONARY', 1, Uint8Array.of(9)), int32, [1]),
    /early/,
  ],
  [
    'a run whose header never ends',
    () => read(endless, first('RLE_DICTIONARY', 1, endless), int32, [1]),
    /a run with too long a header/,
  ],
  [
    'levels longer than a page of the first kind',
    () => read(int32s(100), first('PLAIN', 1, int32s(100)), nullable),
    /levels that are longer than their page/,
  ],
  [
    'levels longer than a page of the second kind',
    () => read(none, second('PLAIN', 1, none, { definition_levels_byte_length: 1 }), nullable),
    /levels that are longer than their page/,
  ],
  [
    'a level above the highest',
    () => read(Uint8Array.of(2, 3), second('PLAIN', 1, Uint8Array.of(2, 3)), { ...int32, maxDefinition: 2 }),
    /level 3, at most 2 is possible/,
  ],
  ['an encoding that is not known', () => decode(int32s(1), 'BIT_PACKED', 1), /the unknown encoding BIT_PACKED/],
  [
    'more differences than the page has room for',
    () => decode(Uint8Array.of(1), 'DELTA_BINARY_PACKED', 2 ** 20),
    /a page of 1048576 values, at most 8192 are possible/,
  ],
  ['a column without a type', () => read(none, first('PLAIN', 0, none), column({ name: 'x' })), /without a type/],
];

for (const [title, step, message] of refusals) {
  t.test(`refused: ${title}`, async (t) => {
    t.throws(step, { message });
  });
}

function column(element: SchemaElement): PageColumn {
  return { element, schemaPath: [], maxDefinition: 0, maxRepetition: 0 };
}

function base(bytes: Uint8Array): Omit<PageHeader, 'type'> {
  return { uncompressed_page_size: bytes.length, compressed_page_size: bytes.length };
}

/** The header of a page of the first version. */
function first(encoding: Encoding, num_values: number, bytes: Uint8Array): PageHeader {
  const levels = { definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as const;
  return { type: 'DATA_PAGE', ...base(bytes), data_page_header: { num_values, encoding, ...levels } };
}

/** The header of a page of the second version; all of it is definition levels unless something else is said. */
function second(
  encoding: Encoding,
  num_values: number,
  bytes: Uint8Array,
  other: Partial<NonNullable<PageHeader['data_page_header_v2']>> = {},
): PageHeader {
  const lengths = { definition_levels_byte_length: bytes.length, repetition_levels_byte_length: 0 };
  const counts = { num_values, num_nulls: 0, num_rows: num_values };
  return { type: 'DATA_PAGE_V2', ...base(bytes), data_page_header_v2: { encoding, ...counts, ...lengths, ...other } };
}

function read(bytes: Uint8Array, header: PageHeader, of: PageColumn = int32, dictionary: number[] | null = null) {
  return decodePage(bytes, header, 'UNCOMPRESSED', of, dictionary, 2 ** 24);
}

function decode(bytes: Uint8Array, encoding: Encoding, count: number, left = 2 ** 24) {
  return decodePage(bytes, first(encoding, count, bytes), 'UNCOMPRESSED', int32, null, left);
}

function int32s(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}
