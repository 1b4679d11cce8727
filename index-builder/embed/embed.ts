// farsight embed: pictures → vectors, their keys, and what could not be read.

import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { npyHeader } from '../readers/npy-array.ts';
import { Decoders } from './decoders.ts';
import { EmbedError } from './embed-error.ts';
import { type Encoder, openEncoder, type Pool } from './encoder.ts';
import { type Listing, listingDigest, listPictures } from './listing.ts';
import { loadSharp } from './picture-file.ts';
import { inputSize, type Preprocessing } from './preprocessing.ts';
import { Run, type RunOptions } from './run.ts';
import type { Layout } from './tensor.ts';
import { type Progress, SUMMARY_FILE, SUMMARY_START, Workspace } from './workspace.ts';

export interface EmbedOptions extends RunOptions {
  /** A folder, or a pattern. */
  readonly pictures: string;
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

/** Writes the folder `options.out`. Until it is done, and when it is killed, `out` is what it was. */
export async function embedPictures(
  options: EmbedOptions,
  onProgress: (done: number, total: number) => void,
): Promise<EmbedSummary> {
  const size = inputSize(options.preprocessing);
  // Here, where the message says what to do, before every thread does.
  await loadSharp();
  const listing = listPictures(options.pictures);
  const encoder = await openEncoder({ ...options, size });
  try {
    const identity = await identityOf(options, listing, encoder);
    const workspace = new Workspace(options.out, identity, options.resume, HEADER_BYTES);
    if (workspace.isFinished) {
      workspace.abandon();
      return finishedBefore(options.out);
    }
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
  workspace.commit(
    { pictures: keys.length, rows, dims },
    header,
    `${SUMMARY_START},${JSON.stringify(summary, null, 2).slice(1)}\n`,
  );
  return { ...summary, resumed: workspace.start.pictures };
}

/** What a run that was killed after its last step had to say. */
function finishedBefore(out: string): EmbedSummary {
  const summary: Omit<EmbedSummary, 'resumed'> = JSON.parse(readFileSync(join(out, SUMMARY_FILE), 'utf8'));
  return { ...summary, resumed: summary.pictures };
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
