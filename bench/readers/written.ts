// One drawn array in every format that the builder reads, written with what the packages here can write.

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { Field, FixedSizeList, Float32, makeData, makeVector, Table, tableToIPC, Vector } from 'apache-arrow';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { toHalf } from '../../index-builder/embed/tensor.ts';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { seededRandom } from '../../src/random.ts';

export interface WrittenFile {
  readonly format: string;
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
  readonly rows: number;
}

/** Rows of numbers of four digits around 0, as a model's embeddings rounded for text are; every value is a float16. */
export function drawnRows(rows: number, dims: number): Float32Array {
  const random = seededRandom(1, 'readers bench');
  return Float32Array.from({ length: rows * dims }, () => (random.below(4096) - 2048) / 1024);
}

/** The forms of `values` that are bytes: each with all rows. */
export async function writeBinary(folder: string, values: Float32Array, dims: number): Promise<WrittenFile[]> {
  const rows = values.length / dims;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const doubles = Buffer.from(Float64Array.from(values).buffer);
  const small = Buffer.from(Uint8Array.from(values, (value) => (value + 2) * 63));
  const file = (name: string, format: string, ...parts: readonly Uint8Array[]): WrittenFile => {
    const path = join(folder, name);
    writeParts(path, parts);
    return { format, path, options: {}, rows };
  };
  const npy = (type: NpyType, data: Buffer): Buffer => Buffer.concat([npyHeader(type, [rows, dims]), data]);
  const tensor = Buffer.from(
    JSON.stringify({ v: { dtype: 'F32', shape: [rows, dims], data_offsets: [0, bytes.length] } }),
  );
  const tensorLength = Buffer.alloc(8);
  tensorLength.writeUInt32LE(tensor.length);
  return [
    file('a.npy', '.npy float32', npy('f4', bytes)),
    file('a16.npy', '.npy float16', npy('f2', Buffer.from(toHalf(values).buffer))),
    file('a64.npy', '.npy float64', npy('f8', doubles)),
    file('a8.npy', '.npy uint8', npy('u1', small)),
    file('swapped.npy', '.npy float32, big-endian', bigEndian([rows, dims]), swapped(bytes)),
    file('columns.npy', '.npy float32, Fortran order', columnOrder([rows, dims]), columnsOf(values, dims)),
    file('stored.npz', '.npz, stored', zipOf('v.npy', npy('f4', bytes), false)),
    file('deflated.npz', '.npz, deflated', zipOf('v.npy', npy('f4', bytes), true)),
    file('a.fvecs', '.fvecs', vecsOf(bytes, dims)),
    file('a.fbin', '.fbin', Buffer.from(Uint32Array.of(rows, dims).buffer), bytes),
    file('a.safetensors', 'safetensors float32', tensorLength, tensor, bytes),
    file('plain.parquet', 'Parquet, lists, uncompressed', parquetOf(values, dims, 'UNCOMPRESSED')),
    file('snappy.parquet', 'Parquet, lists, snappy', parquetOf(values, dims, 'SNAPPY')),
    file('a.arrow', 'Arrow stream, fixed-size lists', arrowOf(values, dims)),
    await hdf5Of(join(folder, 'plain.h5'), 'HDF5, contiguous', values, dims, false),
    await hdf5Of(join(folder, 'gzip.h5'), 'HDF5, chunked and gzip', values, dims, true),
  ];
}

/** Text of the first rows: it is for small collections. */
export function writeText(folder: string, values: Float32Array, dims: number, rows: number): WrittenFile[] {
  const lines = (line: (row: readonly number[]) => string): Buffer =>
    Buffer.from(
      Array.from({ length: rows }, (_, row) => `${line([...values.subarray(row * dims, (row + 1) * dims)])}\n`).join(
        '',
      ),
    );
  const file = (name: string, format: string, text: Buffer): WrittenFile => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return { format, path, options: {}, rows };
  };
  return [
    file(
      'a.csv',
      'CSV',
      lines((row) => row.join(',')),
    ),
    file(
      'a.tsv',
      'TSV',
      lines((row) => row.join('\t')),
    ),
    file(
      'a.jsonl',
      'JSON Lines',
      lines((row) => JSON.stringify(row)),
    ),
  ];
}

function writeParts(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(file, part, at, Math.min(part.length - at, 2 ** 28));
    }
  } finally {
    closeSync(file);
  }
}

function bigEndian(shape: readonly number[]): Uint8Array {
  return Buffer.from(Buffer.from(npyHeader('f4', shape)).toString('latin1').replace("'<f4'", "'>f4'"), 'latin1');
}

function columnOrder(shape: readonly number[]): Uint8Array {
  // One letter less: a space more at the end keeps the length.
  const text = Buffer.from(npyHeader('f4', shape)).toString('latin1');
  return Buffer.from(text.replace('False', 'True').replace('\n', ' \n'), 'latin1');
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes).swap32();
}

function columnsOf(values: Float32Array, dims: number): Uint8Array {
  const rows = values.length / dims;
  const columns = Float32Array.from(values, (_, at) => values[(at % rows) * dims + Math.floor(at / rows)] as number);
  return new Uint8Array(columns.buffer);
}

function vecsOf(bytes: Buffer, dims: number): Buffer {
  const rowBytes = dims * Float32Array.BYTES_PER_ELEMENT;
  const head = Buffer.from(Int32Array.of(dims).buffer);
  const rows = Array.from({ length: bytes.length / rowBytes }, (_, row) =>
    bytes.subarray(row * rowBytes, (row + 1) * rowBytes),
  );
  return Buffer.concat(rows.flatMap((row) => [head, row]));
}

/** A zip file of one entry: local header, data, central directory, end record (APPNOTE.TXT 4.3). */
function zipOf(name: string, content: Buffer, deflated: boolean): Buffer {
  const data = deflated ? deflateRawSync(content) : content;
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(deflated ? 8 : 0, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name)]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0', 'latin1'),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length + data.length, 16);
  return Buffer.concat([local, data, central, end]);
}

const PARQUET_GROUP_ROWS = 4096;

function parquetOf(values: Float32Array, dims: number, codec: 'UNCOMPRESSED' | 'SNAPPY'): Buffer {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    codec,
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'v', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
    ],
  });
  const rows = values.length / dims;
  for (let first = 0; first < rows; first += PARQUET_GROUP_ROWS) {
    const count = Math.min(PARQUET_GROUP_ROWS, rows - first);
    const data = Array.from({ length: count }, (_, row) => [
      ...values.subarray((first + row) * dims, (first + row + 1) * dims),
    ]);
    parquet.write({ columnData: [{ name: 'v', data, encoding: 'PLAIN' }], rowGroupSize: count });
  }
  parquet.finish();
  return Buffer.from(writer.getBytes());
}

/** A stream: apache-arrow writes files whose schema stands in the footer alone, which the reader does not take. */
function arrowOf(values: Float32Array, dims: number): Buffer {
  const type = new FixedSizeList(dims, new Field('item', new Float32(), false));
  const rows = values.length / dims;
  const child = makeVector(values).data[0];
  const data = makeData({ type, length: rows, nullCount: 0, ...(child === undefined ? {} : { child }) });
  return Buffer.from(tableToIPC(new Table({ v: new Vector([data]) }), 'stream'));
}

const HDF5_CHUNK_ROWS = 256;
const GZIP_LEVEL = 4;

async function hdf5Of(
  path: string,
  format: string,
  values: Float32Array,
  dims: number,
  gzip: boolean,
): Promise<WrittenFile> {
  const h5wasm = await import('h5wasm/node');
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  const rows = values.length / dims;
  file.create_dataset({
    name: 'v',
    data: values,
    shape: [rows, dims],
    dtype: '<f4',
    ...(gzip ? { chunks: [HDF5_CHUNK_ROWS, dims], compression: GZIP_LEVEL } : {}),
  });
  file.close();
  return { format, path, options: {}, rows };
}
