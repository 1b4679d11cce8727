// Arrow as other writers make it: lists of fixed and free length, of any integers, without rows, of other columns; files
// with their schema in the footer alone, as apache-arrow writes them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Binary,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import t from 'tap';
import { openRows } from '../../index-builder/readers/arrow-rows.ts';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { DenseChunk, SparseChunk, VectorReader } from '../../index-builder/readers/reader.ts';
import { build } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { collect } from './collect.ts';

const folder = temporaryFolder(t);

t.test('Arrow lists of fixed and free length, of any integers, serve as ids', async (t) => {
  write('s.npy', ones(3, 2));
  const ids = [
    [3, 1],
    [0, 2],
    [5, 4],
  ];
  for (const type of [new Uint8(), new Uint16(), new Int32(), new Uint32()]) {
    const item = new Field('item', type);
    for (const list of [new List(item), new FixedSizeList(2, item)]) {
      write('ids.arrow', tableToIPC(new Table({ ids: vectorFromArray(ids, list) }), 'stream'));
      const reader = await open('s.npy', { ids: join(folder, 'ids.arrow') });
      const [chunk] = await collect(reader.chunks(3));
      t.strictSame([...(chunk as SparseChunk).ids], ids.flat(), `${list}`);
      reader.close();
    }
  }
});

t.test('an Arrow stream without batches has no rows, and one of other columns no vectors', async (t) => {
  const list = new List(new Field('item', new Float32()));
  const schema = new Schema([new Field('v', list)]);
  write('none.arrow', tableToIPC(new Table(schema), 'stream'));
  await t.rejects(open('none.arrow'), /column 'v': has no rows; /);
  const words = vectorFromArray(['a', 'b'], new Utf8());
  write('words.arrow', tableToIPC(new Table({ words }), 'stream'));
  await t.rejects(open('words.arrow'), /column 'words': holds Utf8; expected a list of numbers/);
});

t.test('bytes and structs of Arrow are no metadata; what cannot be JSON is null', async (t) => {
  const vectors = join(folder, 'two.npy');
  write('two.npy', ones(2, 1));
  const built = (metadata: string) =>
    build(join(folder, 'out'), { a: [vectors] }, { metadata: join(folder, metadata) });
  const pair = new Struct([new Field('x', new Int32())]);
  const bad = {
    bytes: vectorFromArray([Uint8Array.of(1), Uint8Array.of(2)], new Binary()),
    pairs: vectorFromArray([{ x: 1 }, { x: 2 }], pair),
  };
  for (const [name, vector] of Object.entries(bad)) {
    write('m.arrow', tableToIPC(new Table({ [name]: vector }), 'stream'));
    await t.rejects(built('m.arrow'), new RegExp(`row 0: column '${name}' holds bytes or a nested value; expected`));
  }
  const numbers = vectorFromArray([Number.NaN, 2], new Float64());
  write('m.arrows', tableToIPC(new Table({ numbers }), 'stream'));
  t.equal((await built('m.arrows')).items, 2);
});

t.test('a file of apache-arrow, which has its schema in the footer alone, is read like a stream', async (t) => {
  const list = new FixedSizeList(2, new Field('item', new Float32()));
  const rows = [1, 2, 3, 4, 5].map((value) => [value, value / 4]);
  const cities = ['Oslo', 'Bergen', 'Oslo', 'Voss', 'Bergen'];
  const table = new Table({
    v: vectorFromArray(rows, list),
    city: vectorFromArray(cities, new Dictionary(new Utf8(), new Int32())),
  });
  // Two batches, which share a dictionary: it stands before the first.
  write('two.arrow', tableToIPC(table.slice(0, 3).concat(table.slice(3)), 'file'));
  const reader = await open('two.arrow', { column: 'v' });
  const chunks = await collect(reader.chunks(5));
  t.strictSame(
    chunks.flatMap((chunk) => [...(chunk as DenseChunk).values]),
    rows.flat(),
  );
  reader.close();
  const metadata = openRows(join(folder, 'two.arrow'));
  const read = [];
  for await (const { values } of metadata.rows(['city'])) read.push(values['city']);
  t.strictSame(read, cities);
  metadata.close();
  write('none-file.arrow', tableToIPC(new Table(new Schema([new Field('v', list)])), 'file'));
  await t.rejects(open('none-file.arrow'), /column 'v': has no rows; /);
});

t.test('a footer that is cut off, damaged or without a schema is an error that says so', async (t) => {
  const list = new FixedSizeList(2, new Field('item', new Float32()));
  const whole = Buffer.from(tableToIPC(new Table({ v: vectorFromArray([[1, 2]], list) }), 'file'));
  const end = whole.length - 10;
  const footer = end - whole.readInt32LE(end);
  const table = footer + whole.readUInt32LE(footer);
  const schemaEntry = table - whole.readInt32LE(table) + 6;
  const schemaField = table + whole.readUInt16LE(schemaEntry);
  const schema = schemaField + whole.readUInt32LE(schemaField);
  const fieldsField = schema + whole.readUInt16LE(schema - whole.readInt32LE(schema) + 6);
  const damaged = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return bytes;
  };
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [whole.subarray(0, whole.length - 1), /no footer: the file does not end in ARROW1; expected a whole, undamaged/],
    [damaged((bytes) => bytes.writeInt32LE(0, end)), /a footer of 0 bytes in a file of/],
    [damaged((bytes) => bytes.writeInt32LE(2 ** 30, end)), /a footer of 1073741824 bytes in a file of/],
    [
      damaged((bytes) => bytes.writeUInt16LE(0, schemaEntry)),
      /no schema, neither before the batches nor in the footer/,
    ],
    [damaged((bytes) => bytes.writeUInt32LE(2 ** 31, schemaField)), /a footer whose schema is at byte 2147/],
    [damaged((bytes) => bytes.writeUInt32LE(2 ** 31, fieldsField)), /cannot be read as Arrow IPC: Offset is outside/],
  ];
  for (const [bytes, message] of cases) {
    write('damaged.arrow', bytes);
    await t.rejects(open('damaged.arrow'), message);
  }
});

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
}

/** A matrix of ones as .npy. */
function ones(rows: number, columns: number): Buffer {
  const values = new Float32Array(rows * columns).fill(1);
  return Buffer.concat([npyHeader('f4', [rows, columns]), new Uint8Array(values.buffer)]);
}

async function open(name: string, options: Readonly<Record<string, string>> = {}): Promise<VectorReader> {
  return (await openReader(join(folder, name), new Map(Object.entries(options)))).reader;
}
