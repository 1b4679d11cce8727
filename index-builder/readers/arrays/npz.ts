// NumPy's .npz: a zip file with a .npy for each array. A stored array is read where it lies; a deflated one is inflated
// again from its start by every pass.

import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { decoding, decodingAsync } from '../decoding.ts';
import { closingOnError, InputFile } from '../input-file.ts';
import { NPY_START_BYTES, npyLayout } from '../npy-array.ts';
import { InputError } from '../reader.ts';
import { type ArrayBlock, type ArrayFile, type ArrayFormat, type ElementType, elementBytes } from './array.ts';
import { inBlocks } from './blocks.ts';
import { chooseNamed } from './choose.ts';
import { type Layout, requireBytes, StoredArray } from './stored-array.ts';

const ZIP = 'a .npz (zip) file';
const MAX_ENTRIES = 10_000;
const STORED = 0;
/** zlib's window and what streams hold on the way. */
const INFLATE_BYTES = 2 ** 20;

export const npz: ArrayFormat = {
  name: 'npz',
  summary: 'NumPy .npz',
  keys: ['array'],
  matches: ({ head }) => head.length >= 4 && head.readUInt32LE() === 0x04034b50,
  async open(path, options, accepted) {
    const zip = await decodingAsync(path, ZIP, () => openPromise(path, { autoClose: false }));
    try {
      const entry = await chooseEntry(path, zip, options.get('array'));
      if (entry.compressionMethod !== STORED) return await openDeflated(path, zip, entry, accepted);
      const stored = await openStored(path, zip, entry, accepted);
      zip.close();
      return stored;
    } catch (error) {
      zip.close();
      throw error;
    }
  },
};

async function chooseEntry(path: string, zip: ZipFile, asked: string | undefined): Promise<Entry> {
  const entries = await decodingAsync(path, ZIP, async () => {
    const found = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('.npy')) found.set(entry.fileName.slice(0, -4), entry);
      if (zip.entriesRead > MAX_ENTRIES) throw new Error(`more than ${MAX_ENTRIES} entries`);
    }
    return found;
  });
  const entry = entries.get(chooseNamed(path, 'array', asked, [...entries.keys()], () => true)) as Entry;
  if (entry.isEncrypted() || !entry.canDecodeFileData()) {
    throw new InputError(
      path,
      `array '${entry.fileName}' is encrypted or compressed by method ${entry.compressionMethod}`,
      'expected stored or deflated',
      'save it with np.savez',
    );
  }
  return entry;
}

async function openStored(
  path: string,
  zip: ZipFile,
  entry: Entry,
  accepted: readonly ElementType[],
): Promise<ArrayFile> {
  const { fileDataStart } = await decodingAsync(path, ZIP, () =>
    zip.readLocalFileHeaderPromise(entry, { minimal: true }),
  );
  return closingOnError(new InputFile(path), (file) => {
    const place = nameOf(path, entry);
    const end = fileDataStart + entry.uncompressedSize;
    if (end > file.size) {
      throw new InputError(place, 'is truncated', `expected it up to byte ${end}`, 'copy or write the file again');
    }
    const start = Buffer.alloc(Math.min(NPY_START_BYTES, entry.uncompressedSize));
    file.read(fileDataStart, start);
    const layout = npyLayout(place, start, accepted);
    requireBytes(place, entry.uncompressedSize - layout.offset, layout, 'write it again with np.savez');
    return new StoredArray(file, { ...layout, offset: fileDataStart + layout.offset });
  });
}

async function openDeflated(
  path: string,
  zip: ZipFile,
  entry: Entry,
  accepted: readonly ElementType[],
): Promise<ArrayFile> {
  const place = nameOf(path, entry);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of inflated(path, zip, entry)) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= NPY_START_BYTES) break;
  }
  const layout = npyLayout(place, Buffer.concat(parts).subarray(0, NPY_START_BYTES), accepted);
  requireBytes(place, entry.uncompressedSize - layout.offset, layout, 'write it again with np.savez_compressed');
  if (layout.columnOrder) {
    throw new InputError(
      place,
      'is in Fortran (column) order and deflated',
      'expected one or the other: its rows are not together',
      'save np.ascontiguousarray(a), or use np.savez',
    );
  }
  return new DeflatedArray(path, zip, entry, layout);
}

class DeflatedArray implements ArrayFile {
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
  readonly heldBytes = INFLATE_BYTES;
  readonly #zip: ZipFile;
  readonly #entry: Entry;
  readonly #layout: Layout;
  #closed = false;

  constructor(path: string, zip: ZipFile, entry: Entry, layout: Layout) {
    this.type = layout.type;
    this.rows = layout.rows;
    this.columns = layout.columns;
    this.path = path;
    this.#zip = zip;
    this.#entry = entry;
    this.#layout = layout;
  }

  blocks(rowsPerBlock: number, firstRow: number): AsyncIterable<ArrayBlock> {
    if (this.#closed) throw new Error(`${this.path} is closed`);
    const place = nameOf(this.path, this.#entry);
    return inBlocks(place, this, rowsPerBlock, firstRow, { first: 0, bytes: this.#data() });
  }

  close(): void {
    if (!this.#closed) this.#zip.close();
    this.#closed = true;
  }

  /** What follows the header; of big-endian arrays turned round. */
  async *#data(): AsyncGenerator<Uint8Array> {
    const { offset, type, bigEndian } = this.#layout;
    const size = bigEndian ? elementBytes(type) : 1;
    let skip = offset;
    let rest: Uint8Array = new Uint8Array(0);
    for await (const part of inflated(this.path, this.#zip, this.#entry)) {
      const data = Buffer.concat([rest, part.subarray(Math.min(skip, part.length))]);
      skip -= Math.min(skip, part.length);
      const whole = data.length - (data.length % size);
      rest = data.subarray(whole);
      yield swapped(data.subarray(0, whole), size);
    }
  }
}

/** Inflates an entry from its start, and checks what zip knows of it at the end. */
async function* inflated(path: string, zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  const stream = await decodingAsync(path, ZIP, () => zip.openReadStreamPromise(entry));
  const parts = stream[Symbol.asyncIterator]();
  let checksum = 0;
  try {
    for (;;) {
      const { value, done } = await decodingAsync(path, ZIP, () => parts.next());
      if (done === true) break;
      checksum = crc32(value, checksum);
      yield value;
    }
    decoding(path, ZIP, () => {
      if (checksum !== entry.crc32) throw new Error(`the checksum of '${entry.fileName}' does not match`);
    });
  } finally {
    stream.destroy();
  }
}

function swapped(bytes: Buffer, size: number): Uint8Array {
  if (size === 2) return bytes.swap16();
  if (size === 4) return bytes.swap32();
  if (size === 8) return bytes.swap64();
  return bytes;
}

function nameOf(path: string, entry: Entry): string {
  return `${path} array '${entry.fileName.slice(0, -4)}'`;
}
