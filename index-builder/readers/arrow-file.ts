// Arrow's IPC form, as a file (Feather version 2) or as a stream. Its messages are found here, so that one record batch at a
// time is in memory; apache-arrow decodes them.
// https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc

import {
  CompressionType,
  compressionRegistry,
  Message,
  type RecordBatch,
  RecordBatchReader,
  type Schema,
} from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { requireFooter, schemaMessage } from './arrow-footer.ts';
import { checkMetadata } from './arrow-metadata.ts';
import { decoding } from './decoding.ts';
import { InputFile } from './input-file.ts';
import { decodeLz4Frame } from './lz4-frame.ts';
import { InputError } from './reader.ts';

export const ARROW = 'Arrow IPC';

/** A file begins with this, padded to 8 bytes; what follows is a stream. */
const FILE_MAGIC = 'ARROW1';
const FILE_START_BYTES = 8;
const CONTINUATION = 0xffffffff;
/** The mark and the length before a message. */
const MARKED_BYTES = 8;
const MAX_METADATA_BYTES = 2 ** 28;
/** Batches of more do not fit a typed array with what they are decoded into. */
const MAX_BODY_BYTES = 2 ** 31;
const MAX_BATCHES = 10_000_000;

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decodeLz4Frame });
compressionRegistry.set(CompressionType.ZSTD, { decode: decodeZstd });

/** Typed arrays are laid over the result, which the decoder leaves anywhere in memory. */
function decodeZstd(bytes: Uint8Array): Uint8Array {
  const content = decompressZstd(bytes);
  return content.byteOffset % 8 === 0 ? content : content.slice();
}

interface Batch {
  readonly at: number;
  readonly bytes: number;
  readonly firstRow: number;
  readonly rows: number;
}

export class ArrowFile {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly rows: number;
  readonly schema: Schema;
  readonly batches: readonly Batch[];
  readonly #file: InputFile;
  /** The schema and the dictionaries, which every batch is decoded with. */
  readonly #prefix: Uint8Array;

  constructor(path: string) {
    const file = new InputFile(path);
    try {
      const { prefix, batches, rows } = scan(file);
      const reader = decoding(path, ARROW, () => RecordBatchReader.from(prefix).open());
      this.schema = reader.schema;
      this.#prefix = prefix;
      this.batches = batches;
      this.rows = rows;
    } catch (error) {
      file.close();
      throw error;
    }
    this.path = path;
    this.size = file.size;
    this.#file = file;
  }

  /** Bytes of the largest batch with everything it is decoded into, when buffers are compressed about four times. */
  get heldBytes(): number {
    return 8 * this.batches.reduce((most, { bytes }) => Math.max(most, bytes), this.#prefix.length);
  }

  read({ at, bytes, rows, firstRow }: Batch): RecordBatch {
    const message = new Uint8Array(this.#prefix.length + bytes);
    message.set(this.#prefix);
    this.#file.read(at, message.subarray(this.#prefix.length));
    return decoding(`${this.path} rows ${firstRow} to ${firstRow + rows - 1}`, ARROW, () => {
      const [batch] = RecordBatchReader.from(message);
      if (batch?.numRows !== rows) throw new Error(`${batch?.numRows} rows in a batch of ${rows}`);
      return batch;
    });
  }

  close(): void {
    this.#file.close();
  }
}

/** Goes from message to message without reading the bodies of batches. */
function scan(file: InputFile): { prefix: Uint8Array; batches: Batch[]; rows: number } {
  const { path, size } = file;
  const head = Buffer.alloc(Math.min(FILE_START_BYTES, size));
  file.read(0, head);
  const isFile = head.toString('latin1', 0, 6) === FILE_MAGIC;
  const prefix: Uint8Array[] = [];
  const batches: Batch[] = [];
  let rows = 0;
  for (let at = isFile ? FILE_START_BYTES : 0; at < size; ) {
    const found = readMessage(file, at, rows);
    if (found === null) break;
    const { message, end } = found;
    if (isFile && prefix.length === 0 && !message.isSchema()) prefix.push(footerSchema(file));
    if (message.isRecordBatch()) {
      const { length } = decoding(path, ARROW, () => message.header());
      if (!(Number.isSafeInteger(length) && length >= 0) || batches.length === MAX_BATCHES) {
        throw damaged(path, `a batch of ${length} rows at byte ${at}`);
      }
      if (length > 0) batches.push({ at, bytes: end - at, firstRow: rows, rows: length });
      rows += length;
    } else if (message.isSchema() || message.isDictionaryBatch()) {
      if (message.isSchema() !== (prefix.length === 0)) throw damaged(path, `a schema out of place at byte ${at}`);
      const bytes = new Uint8Array(end - at);
      file.read(at, bytes);
      prefix.push(bytes);
    }
    at = end;
  }
  // Whole batches are no whole file: only what stands behind them says that there were no more.
  if (isFile) decoding(path, ARROW, () => requireFooter(file, MAX_METADATA_BYTES));
  if (prefix.length === 0) {
    if (!isFile) throw damaged(path, 'no schema');
    prefix.push(footerSchema(file));
  }
  return { prefix: Buffer.concat(prefix), batches, rows };
}

function footerSchema(file: InputFile): Uint8Array {
  const message = decoding(file.path, ARROW, () => schemaMessage(file, MAX_METADATA_BYTES));
  check(file.path, message.subarray(MARKED_BYTES));
  return message;
}

/** The message at a byte, behind batches of so many rows; null at the end of the stream. */
function readMessage(file: InputFile, at: number, rows: number): { message: Message; end: number } | null {
  const { path, size } = file;
  const lengths = Buffer.alloc(Math.min(MARKED_BYTES, size - at));
  file.read(at, lengths);
  if (lengths.length < 4) throw truncated(file, at + 4, rows);
  // Streams of before version 0.15 have no continuation mark.
  const marked = lengths.readUInt32LE() === CONTINUATION;
  if (marked && lengths.length < MARKED_BYTES) throw truncated(file, at + MARKED_BYTES, rows);
  const metadata = lengths.readInt32LE(marked ? 4 : 0);
  if (metadata === 0) return null;
  const metadataFrom = at + (marked ? MARKED_BYTES : 4);
  if (metadata < 0 || metadata > MAX_METADATA_BYTES)
    throw damaged(path, `a message of ${metadata} bytes at byte ${at}`);
  if (metadataFrom + metadata > size) throw truncated(file, metadataFrom + metadata, rows);
  const bytes = new Uint8Array(metadata);
  file.read(metadataFrom, bytes);
  check(path, bytes);
  const message = decoding(path, ARROW, () => Message.decode(bytes));
  const body = Number(message.bodyLength);
  const bodyFrom = metadataFrom + metadata;
  if (!(body >= 0 && body <= MAX_BODY_BYTES)) throw damaged(path, `a batch of ${body} bytes at byte ${at}`);
  if (bodyFrom + body > size) throw truncated(file, bodyFrom + body, rows);
  return { message, end: bodyFrom + body };
}

function check(path: string, metadata: Uint8Array): void {
  // The library takes every file for one of its own machine's byte order.
  if (decoding(path, ARROW, () => checkMetadata(metadata)).bigEndian) {
    throw new InputError(path, 'is big-endian', 'expected a little-endian Arrow file', 'write it on another machine');
  }
}

function truncated({ path, size }: InputFile, needed: number, rows: number): InputError {
  return new InputError(
    path,
    `is truncated: ${size} bytes, with the batches of ${rows} rows`,
    `expected a message up to byte ${needed}`,
    'copy or write the file again',
  );
}

function damaged(path: string, found: string): InputError {
  return new InputError(path, `has ${found}`, `expected an ${ARROW} file or stream`, 'copy or write the file again');
}
