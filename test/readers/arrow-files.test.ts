// Arrow streams as other writers make them: lists of fixed and free length, of any integers, without rows, of other columns.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Binary,
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
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { SparseChunk, VectorReader } from '../../index-builder/readers/reader.ts';
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
