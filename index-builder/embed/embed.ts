// farsight embed: pictures → vectors, a batch at a time. The pictures of the next batch are decoded on threads while the
// encoder works on this one. Batches are cut by place in the listing, never by what is readable or by where a resumed run
// began, so that a picture is always encoded beside the same others and the files are the same bytes.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { npyHeader } from '../readers/npy-array.ts';
import { Decoders } from './decoders.ts';
import { EmbedError } from './embed-error.ts';
import { type Encoder, openEncoder, type Pool } from './encoder.ts';
import { type Listing, listingDigest, listPictures } from './listing.ts';
import { inputSize, type Preprocessing } from './preprocessing.ts';
import type { Layout } from './tensor.ts';
import { type Progress, SUMMARY_START, Workspace } from './workspace.ts';

export interface EmbedOptions {
  /** A folder, or a pattern. */
  readonly pictures: string;
  readonly model: string;
  readonly out: string;
  readonly preprocessing: Preprocessing;
  readonly batch: number;
  readonly threads: number;
  readonly output?: string;
  readonly layout?: Layout;
  readonly pool: Pool;
  readonly resume: boolean;
}

export interface EmbedSummary {
  readonly pictures: number;
  readonly embedded: number;
  readonly unreadable: number;
  readonly dims: number;
  /** Pictures that an earlier run had dealt with. */
  readonly resumed: number;
  /** Of the model file, SHA-256. */
  readonly model: string;
  readonly output: string;
  readonly preprocessing: Preprocessing;
}

/** Of every header here: NumPy pads to a multiple of 64, and a shape of up to twelve and five digits takes two. */
const HEADER_BYTES = 128;
/** How often progress is made durable: a kill costs at most so much work, and a batch. */
const CHECKPOINT_MS = 5000;
/** The builder's own limit for keys. */
const MOST_KEY_BYTES = 1024;

/** Writes the folder `options.out`. Until it is done, and when it is killed, `out` is what it was. */
export async function embedPictures(
  options: EmbedOptions,
  onProgress: (done: number, total: number) => void,
): Promise<EmbedSummary> {
  const size = inputSize(options.preprocessing);
  const listing = listPictures(options.pictures);
  const encoder = await openEncoder({ ...options, size });
  try {
    const identity = await identityOf(options, listing, encoder);
    const workspace = new Workspace(options.out, identity, options.resume, HEADER_BYTES);
    const values = 3 * size.width * size.height;
    const setup = { preprocessing: options.preprocessing, layout: encoder.layout, values };
    const decoders = new Decoders(setup, Math.min(options.threads, listing.keys.length));
    try {
      const run = new Run(options, listing, encoder, decoders, workspace, values);
      const progress = await run.toEnd(onProgress);
      return finish(options, listing, encoder, workspace, progress, identity);
    } catch (error) {
      workspace.leave();
      throw error;
    } finally {
      await decoders.close();
    }
  } finally {
    await encoder.close();
  }
}

/** One batch of pictures, from when its decoding is asked for. */
interface Batch {
  readonly first: number;
  readonly tensor: SharedArrayBuffer;
  /** Of each picture: why it cannot be read, or null. */
  readonly problems: Promise<readonly (string | null)[]>;
}

class Run {
  readonly #options: EmbedOptions;
  readonly #listing: Listing;
  readonly #encoder: Encoder;
  readonly #decoders: Decoders;
  readonly #workspace: Workspace;
  readonly #values: number;
  #rows: number;
  #dims: number;

  constructor(
    options: EmbedOptions,
    listing: Listing,
    encoder: Encoder,
    decoders: Decoders,
    workspace: Workspace,
    values: number,
  ) {
    this.#options = options;
    this.#listing = listing;
    this.#encoder = encoder;
    this.#decoders = decoders;
    this.#workspace = workspace;
    this.#values = values;
    this.#rows = workspace.start.rows;
    this.#dims = workspace.start.dims;
  }

  async toEnd(onProgress: (done: number, total: number) => void): Promise<Progress> {
    const total = this.#listing.keys.length;
    let { pictures } = this.#workspace.start;
    let durableMs = performance.now();
    onProgress(pictures, total);
    for (let next = this.#decode(pictures); next !== null; ) {
      const batch = next;
      const problems = await batch.problems;
      next = this.#decode(batch.first + problems.length);
      // A rejection of the next batch is met when its turn comes.
      next?.problems.catch(() => {});
      await this.#encode(batch, problems);
      pictures = batch.first + problems.length;
      onProgress(pictures, total);
      if (performance.now() - durableMs > CHECKPOINT_MS) {
        this.#workspace.checkpoint({ pictures, rows: this.#rows, dims: this.#dims });
        durableMs = performance.now();
      }
    }
    return { pictures, rows: this.#rows, dims: this.#dims };
  }

  #decode(first: number): Batch | null {
    const { folder, keys } = this.#listing;
    const count = Math.min(this.#encoder.batch, keys.length - first);
    if (count === 0) return null;
    const tensor = new SharedArrayBuffer(this.#encoder.batch * this.#values * Float32Array.BYTES_PER_ELEMENT);
    const problems = keys.slice(first, first + count).map((key, slot) => {
      const problem = keyProblem(key);
      return problem === null ? this.#decoders.decode(join(folder, key), tensor, slot) : problem;
    });
    return { first, tensor, problems: Promise.all(problems) };
  }

  async #encode({ first, tensor }: Batch, decoded: readonly (string | null)[]): Promise<void> {
    const problems = [...decoded];
    const slots = problems.flatMap((problem, slot) => (problem === null ? [slot] : []));
    if (slots.length > 0) {
      const { dims, vectors } = await this.#encoder.encode(this.#gathered(tensor, slots), slots.length);
      this.#requireDims(dims);
      // A vector that is no point in space would be refused by every build: said here, where its picture is known.
      slots.forEach((slot, row) => {
        const vector = vectors.subarray(row * dims, (row + 1) * dims);
        if (!vector.every(Number.isFinite)) problems[slot] = 'the encoder answers with infinity or NaN';
        else this.#workspace.append('vectors', new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
      });
    }
    this.#name(first, problems);
  }

  /** Readable pictures closed up, in memory that the runtime can take. */
  #gathered(tensor: SharedArrayBuffer, slots: readonly number[]): Float32Array {
    const all = new Float32Array(tensor);
    const pixels = new Float32Array(this.#encoder.batch * this.#values);
    slots.forEach((slot, row) => {
      pixels.set(all.subarray(slot * this.#values, (slot + 1) * this.#values), row * this.#values);
    });
    return pixels;
  }

  #requireDims(dims: number): void {
    if (this.#dims === 0) this.#dims = dims;
    if (this.#dims === dims) return;
    throw new EmbedError(
      `${this.#options.model}: answers with ${dims} dimensions after ${this.#dims}; choose another --output`,
    );
  }

  /** Keys of the vectors, and the pictures without one. */
  #name(first: number, problems: readonly (string | null)[]): void {
    const lines = { keys: '', thumbnails: '', unreadable: '' };
    problems.forEach((problem, slot) => {
      const key = this.#listing.keys[first + slot] as string;
      if (problem !== null) {
        lines.unreadable += `${JSON.stringify({ path: key, reason: problem })}\n`;
        return;
      }
      this.#rows++;
      lines.keys += `${key}\n`;
      lines.thumbnails += `${relative(resolve(this.#options.out), resolve(this.#listing.folder, key))}\n`;
    });
    for (const name of ['keys', 'thumbnails', 'unreadable'] as const) {
      this.#workspace.append(name, Buffer.from(lines[name]));
    }
  }
}

function finish(
  { out, preprocessing }: EmbedOptions,
  { keys, folder }: Listing,
  encoder: Encoder,
  workspace: Workspace,
  { rows, dims }: Progress,
  identity: Readonly<Record<string, string>>,
): EmbedSummary {
  if (rows === 0) {
    const [first = ''] = workspace.read('unreadable').split('\n', 1);
    workspace.abandon();
    throw new EmbedError(
      `${folder}: none of ${keys.length} pictures can be read; the first: ${first}; check that they are pictures`,
    );
  }
  const header = npyHeader('f4', [rows, dims]);
  if (header.length !== HEADER_BYTES) throw new RangeError(`${out}: a header of ${header.length} bytes`);
  const summary = {
    pictures: keys.length,
    embedded: rows,
    unreadable: keys.length - rows,
    dims,
    model: identity['model'] as string,
    output: encoder.output,
    preprocessing,
  };
  workspace.commit(header, `${SUMMARY_START},${JSON.stringify(summary, null, 2).slice(1)}\n`);
  return { ...summary, resumed: workspace.start.pictures };
}

async function identityOf(options: EmbedOptions, listing: Listing, encoder: Encoder): Promise<Record<string, string>> {
  const { preprocessing, pool } = options;
  return {
    model: await digestOf(options.model),
    'the list of pictures': listingDigest(listing),
    folder: resolve(listing.folder),
    preprocessing: JSON.stringify(preprocessing),
    output: `${encoder.output} ${pool} ${encoder.layout}`,
    '--batch': String(encoder.batch),
  };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A key is one line of a file, and part of an index. */
function keyProblem(key: string): string | null {
  if (/[\n\r\u2028\u2029]/.test(key)) return 'its name holds a line break';
  if (key.includes('\ufffd')) return 'its name is not UTF-8';
  const bytes = Buffer.byteLength(key);
  return bytes > MOST_KEY_BYTES ? `its path has ${bytes} bytes; a key has at most ${MOST_KEY_BYTES}` : null;
}
