// Whole Parquet files in encodings, types and nestings that other writers use, and files whose footer is wrong.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnMetaData, ParquetType, SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import t from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { openRows } from '../../index-builder/readers/parquet-rows.ts';
import type { DenseChunk, SparseChunk } from '../../index-builder/readers/reader.ts';
import { temporaryFolder } from '../support.ts';
import { collect } from './collect.ts';

const folder = temporaryFolder(t);
const path = join(folder, 'x.parquet');
const ROWS = 40;
const rows = Array.from({ length: ROWS }, (_, row) => row);

type Data = Parameters<ParquetWriter['write']>[0]['columnData'];

t.test('every encoding of values is read', async (t) => {
  const text = rows.map((row) => `number ${row >> 1}`);
  const integers = rows.map((row) => 3 * row - 50);
  const required = (name: string, type: ParquetType, other: Partial<SchemaElement> = {}): SchemaElement => ({
    name,
    type,
    repetition_type: 'REQUIRED',
    ...other,
  });
  write(
    [
      required('delta', 'INT32'),
      required('wide', 'INT64'),
      required('lengths', 'BYTE_ARRAY', { converted_type: 'UTF8' }),
      required('prefixes', 'BYTE_ARRAY', { converted_type: 'UTF8' }),
      required('truth', 'BOOLEAN'),
      required('split', 'DOUBLE'),
      required('some', 'INT32', { repetition_type: 'OPTIONAL' }),
    ],
    [
      { name: 'delta', data: integers, encoding: 'DELTA_BINARY_PACKED' },
      { name: 'wide', data: integers.map((value) => BigInt(value) * 2n ** 40n), encoding: 'DELTA_BINARY_PACKED' },
      { name: 'lengths', data: text, encoding: 'DELTA_LENGTH_BYTE_ARRAY' },
      { name: 'prefixes', data: text, encoding: 'DELTA_BYTE_ARRAY' },
      { name: 'truth', data: rows.map((row) => row % 3 === 0), encoding: 'RLE' },
      { name: 'split', data: rows.map((row) => (row === 7 ? Number.NaN : row / 8)), encoding: 'BYTE_STREAM_SPLIT' },
      { name: 'some', data: rows.map((row) => (row % 4 === 0 ? null : row)) },
    ],
  );
  const table = openRows(path);
  const found = (await collect(table.rows())).map(({ values }) => values);
  table.close();
  t.strictSame(
    found,
    rows.map((row) => ({
      delta: 3 * row - 50,
      wide: (3 * row - 50) * 2 ** 40,
      lengths: `number ${row >> 1}`,
      prefixes: `number ${row >> 1}`,
      truth: row % 3 === 0,
      split: row === 7 ? null : row / 8,
      some: row % 4 === 0 ? null : row,
    })),
  );
});

t.test('ids of a sparse pair are lists of integers of any width', async (t) => {
  const scores = join(folder, 'scores.npy');
  writeFileSync(
    scores,
    Buffer.concat([npyHeader('f4', [ROWS, 2]), new Uint8Array(new Float32Array(2 * ROWS).fill(1).buffer)]),
  );
  const ids = rows.map((row) => [row, row + 60]);
  const types: readonly Partial<SchemaElement>[] = [
    { type: 'INT32' },
    { type: 'INT64' },
    { type: 'INT32', converted_type: 'UINT_16' },
    { type: 'INT32', converted_type: 'INT_8' },
    { type: 'INT32', logical_type: { type: 'INTEGER', bitWidth: 8, isSigned: false } },
    { type: 'INT64', logical_type: { type: 'INTEGER', bitWidth: 64, isSigned: false } },
  ];
  for (const type of types) {
    const wide = type.type === 'INT64';
    write(listOf(type), [{ name: 'ids', data: wide ? ids.map((row) => row.map(BigInt)) : ids }]);
    const { reader } = await openReader(scores, new Map([['ids', path]]));
    const [chunk] = await collect(reader.chunks(ROWS));
    t.strictSame([...(chunk as SparseChunk).ids], ids.flat(), JSON.stringify(type));
    reader.close();
  }
});

t.test('what is no list of plain numbers is refused by what it is', async (t) => {
  const types: readonly [Partial<SchemaElement>, RegExp][] = [
    [{ type: 'INT32', converted_type: 'DATE' }, /has lists of date; expected float32/],
    [{ type: 'INT32', logical_type: { type: 'TIME', unit: 'MILLIS', isAdjustedToUTC: true } }, /has lists of time; /],
    [{ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2 }, /has lists of fixed_len_byte_array; /],
  ];
  for (const [type, message] of types) {
    const bytes = type.type === 'FIXED_LEN_BYTE_ARRAY';
    write(listOf(type), [{ name: 'ids', data: rows.map((row) => (bytes ? [Uint8Array.of(row, 1)] : [row])) }]);
    await t.rejects(openReader(path, new Map([['column', 'ids']])), { name: 'InputError', message });
  }
});

t.test('columns of columns are refused as vectors and as metadata, by name', async (t) => {
  for (const children of [1, 2]) {
    const inner = ['a', 'b'].slice(0, children);
    write(
      [
        { name: 's', repetition_type: 'REQUIRED', num_children: children },
        ...inner.map((name): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' })),
      ],
      [{ name: 's', data: rows.map((row) => Object.fromEntries(inner.map((name) => [name, row]))) }],
    );
    await t.rejects(openReader(path, new Map([['column', 's']])), /column 's': is nested; expected a list of numbers/);
    await t.rejects(collect(openRows(path).rows()), /x\.parquet: has the nested column 's'; .*flatten or leave out/);
  }
});

t.test('a first row that is null or empty is refused as such', async (t) => {
  for (const first of [null, []]) {
    write(listOf({ type: 'FLOAT' }, 'OPTIONAL'), [{ name: 'ids', data: [first, [1, 2]] }]);
    await t.rejects(openReader(path, new Map()), /row 0: column 'ids' is null or empty, or has a null/);
  }
});

/** What is wrong with the footer, how it comes so, and what the reader of vectors says. */
const footers: readonly [string, (writer: ParquetWriter) => void, RegExp][] = [
  ['fewer rows than lists', (writer) => setRows(writer, 39), /column 'ids': has more than 39 rows of data; /],
  ['more rows than lists', (writer) => setRows(writer, 41), /has 40 lists in the row group from row 0 on; expected 41/],
  ['rows below 0', (writer) => setRows(writer, -1), /cannot be read as Parquet: row groups of -1 rows/],
  [
    'no values',
    (writer) => change(writer, { num_values: 0n }),
    /column 'ids': has no values; expected a list in every/,
  ],
  [
    'data behind the end',
    (writer) => change(writer, { total_compressed_size: 2n ** 40n }),
    /row group 0: is said to be bytes 4 to 1099511627780; expected it within the \d+ bytes of the file/,
  ],
  [
    'a row group without columns',
    (writer) => {
      for (const group of writer.row_groups) group.columns = [];
    },
    /cannot be read as Parquet: the row group does not have the column/,
  ],
  [
    'data in another file',
    (writer) => {
      for (const chunk of writer.row_groups[0]?.columns ?? []) chunk.file_path = 'part-0.parquet';
    },
    /cannot be read as Parquet: its data is in another file, part-0\.parquet/,
  ],
];

for (const [title, spoil, message] of footers) {
  t.test(`refused: a footer with ${title}`, async (t) => {
    write(listOf({ type: 'FLOAT' }), [{ name: 'ids', data: rows.map((row) => [row, 1]) }], spoil);
    await t.rejects(
      async () => {
        const { reader } = await openReader(path, new Map());
        try {
          await collect(reader.chunks(7));
        } finally {
          reader.close();
        }
      },
      { name: 'InputError', message },
    );
  });
}

t.test('a row group that has other rows than its columns is refused as metadata too', async (t) => {
  const schema: SchemaElement[] = [{ name: 'n', type: 'INT32', repetition_type: 'REQUIRED' }];
  write(schema, [{ name: 'n', data: rows }], (writer) => setRows(writer, 50));
  await t.rejects(collect(openRows(path).rows()), /column 'n', row group 0: has 40 values; expected 50; copy or write/);
});

t.test('vectors may begin in any row group', async (t) => {
  write(listOf({ type: 'FLOAT' }), [{ name: 'ids', data: rows.map((row) => [row, 1 - row]) }], () => {}, 16);
  const { reader } = await openReader(path, new Map());
  for (const first of [0, 15, 16, 33, ROWS]) {
    const values: number[] = [];
    for await (const chunk of reader.chunks(9, first)) values.push(...(chunk as DenseChunk).values);
    t.strictSame(
      values,
      rows.slice(first).flatMap((row) => [row, 1 - row]),
    );
  }
  reader.close();
});

function listOf(element: Partial<SchemaElement>, repetition: 'REQUIRED' | 'OPTIONAL' = 'REQUIRED'): SchemaElement[] {
  return [
    { name: 'ids', converted_type: 'LIST', repetition_type: repetition, num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...element },
  ];
}

/** Writes the file; `spoil` may change what its footer will say. */
function write(
  schema: readonly SchemaElement[],
  columnData: Data,
  spoil: (writer: ParquetWriter) => void = () => {},
  rowGroupSize = 1000,
): void {
  const writer = new ByteWriter();
  const root: SchemaElement = { name: 'root', num_children: columnData.length };
  const parquet = new ParquetWriter({ writer, schema: [root, ...schema] });
  parquet.write({ columnData, rowGroupSize });
  spoil(parquet);
  parquet.finish();
  writeFileSync(path, writer.getBytes());
}

function setRows(writer: ParquetWriter, count: number): void {
  for (const group of writer.row_groups) group.num_rows = BigInt(count);
}

function change(writer: ParquetWriter, fields: Partial<ColumnMetaData>): void {
  for (const { meta_data: chunk } of writer.row_groups[0]?.columns ?? []) Object.assign(chunk ?? {}, fields);
}
