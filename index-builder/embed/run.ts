// Batch after batch of pictures: those of the next are decoded on threads while the encoder works on this one. Batches are
// cut by place in the listing, never by what is readable or by where a resumed run began, so that a picture is always
// encoded beside the same others and the files are the same bytes.

import { join, relative, resolve } from 'node:path';
import type { Decoders } from './decoders.ts';
import { EmbedError } from './embed-error.ts';
import type { Encoder } from './encoder.ts';
import type { Listing } from './listing.ts';
import type { Progress, Workspace } from './workspace.ts';

export interface RunOptions {
  readonly out: string;
  readonly model: string;
  /** How often progress is made durable: a kill costs at most so much work, and a batch. */
  readonly checkpointMs: number;
}

/** The builder's own limit for keys. */
const MOST_KEY_BYTES = 1024;

/** One batch of pictures, from when its decoding is asked for. */
interface Batch {
  readonly first: number;
  readonly tensor: SharedArrayBuffer;
  /** Of each picture: why it cannot be read, or null. */
  readonly problems: Promise<readonly (string | null)[]>;
}

export class Run {
  readonly #options: RunOptions;
  readonly #listing: Listing;
  readonly #encoder: Encoder;
  readonly #decoders: Decoders;
  readonly #workspace: Workspace;
  readonly #values: number;
  #rows: number;
  #dims: number;

  constructor(
    options: RunOptions,
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
      if (performance.now() - durableMs >= this.#options.checkpointMs) {
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

/** A key is one line of a file, and part of an index. */
function keyProblem(key: string): string | null {
  if (/[\n\r\u2028\u2029]/.test(key)) return 'its name holds a line break';
  if (key.includes('\ufffd')) return 'its name is not UTF-8';
  const bytes = Buffer.byteLength(key);
  return bytes > MOST_KEY_BYTES ? `its path has ${bytes} bytes; a key has at most ${MOST_KEY_BYTES}` : null;
}
