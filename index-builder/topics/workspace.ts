// The files of a run over texts while it goes on, and a journal of what of them is durable: the numbered texts once they
// are all there, then every so often what is learned and what is written.

import { closeSync, existsSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { InputFile } from '../readers/input-file.ts';
import { AsideFolder } from '../stages/aside.ts';
import { changing, syncDirectory, writeAt, writeDurably } from '../stages/disk.ts';
import { type Identity, Journal } from '../stages/journal.ts';
import { Corpus } from './corpus.ts';
import { MODEL_FILE, MODEL_START } from './files.ts';
import type { ModelState } from './model.ts';
import type { Perplexity } from './perplexity.ts';
import { TopicError } from './topic-error.ts';

/** What is done of what follows the numbering of words. */
export interface Progress {
  /** Null before it is measured. */
  readonly measured: Perplexity | null;
  /** Texts whose rows are written, and those without a known word among them. */
  readonly written: number;
  readonly empty: number;
}

/** What was learned from so many batches. */
export interface Learned {
  readonly batches: number;
  readonly state: ModelState;
}

const KIND = { name: 'topics', suffix: 'learning', file: MODEL_FILE, start: MODEL_START };
const CORPUS_FILE = 'corpus.u32';
const ENDS_FILE = 'corpus-ends.f64';
const LEARNED_FILE = 'learned.f64';
/** Batches, steps and scale come before the totals of topics and the counts. */
const LEARNED_HEAD = 3;

const START: Progress = { measured: null, written: 0, empty: 0 };

export class Workspace {
  /** Whether an earlier run numbered the words: then `openCorpus` has them. */
  readonly isNumbered: boolean;
  /** Whether that run was killed after its last step: the result stands, and `abandon` clears away the rest. */
  readonly isFinished: boolean;
  readonly #folder: AsideFolder;
  readonly #journal: Journal<Progress>;
  readonly #checkpointMs: number;
  #progress: Progress;
  #durableMs = performance.now();

  /** Throws IndexError when what is to be resumed is another run, `out` holds something else, or another process works on it. */
  constructor(out: string, identity: Identity, resume: boolean, checkpointMs: number) {
    this.#folder = new AsideFolder(out, KIND);
    this.#journal = new Journal(this.#folder, identity);
    this.#checkpointMs = checkpointMs;
    const left = resume ? this.#journal.read() : null;
    this.isNumbered = left !== null;
    this.isFinished = left?.isFinished ?? false;
    this.#progress = left?.progress ?? START;
    this.#folder.begin(left !== null);
  }

  /** Where the files of the result are made. */
  get folder(): string {
    return this.#folder.result;
  }

  get corpusPath(): string {
    return join(this.#folder.directory, CORPUS_FILE);
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Whether it is time to make something durable again. */
  get isDue(): boolean {
    return performance.now() - this.#durableMs >= this.#checkpointMs;
  }

  /** The words are numbered, with so many pairs up to the end of each text; files of the result are on disk. */
  numbered(ends: Float64Array): void {
    writeDurably(join(this.#folder.directory, ENDS_FILE), bytesOf(ends));
    changing(this.folder, () => syncDirectory(this.folder));
    this.checkpoint(START);
  }

  openCorpus(): Corpus {
    return new Corpus(this.corpusPath, this.#doubles(ENDS_FILE));
  }

  /** Says what is durable from now on. */
  checkpoint(progress: Progress): void {
    this.#journal.write(progress);
    this.#progress = progress;
    this.#durableMs = performance.now();
  }

  /** Replaces what was learned before; nothing else need be on disk for it. */
  keepLearned({ batches, state: { steps, scale, totals, excess } }: Learned): void {
    const path = this.#learnedPath;
    changing(path, () => {
      const file = openSync(`${path}.new`, 'w');
      try {
        let position = 0;
        for (const part of [Float64Array.of(batches, steps, scale), totals, excess]) {
          writeAt(file, bytesOf(part), position);
          position += part.byteLength;
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(`${path}.new`, path);
      syncDirectory(this.#folder.directory);
    });
    this.#durableMs = performance.now();
  }

  /** Null when nothing was learned yet. */
  learned(words: number, topics: number): Learned | null {
    if (!existsSync(this.#learnedPath)) return null;
    const all = this.#doubles(LEARNED_FILE);
    if (all.length !== LEARNED_HEAD + topics + words * topics) {
      throw new TopicError(`${this.#learnedPath}: has ${all.length} numbers; start again without --resume`);
    }
    const [batches, steps, scale] = all as unknown as readonly [number, number, number];
    const totals = all.slice(LEARNED_HEAD, LEARNED_HEAD + topics);
    return { batches, state: { steps, scale, totals, excess: all.subarray(LEARNED_HEAD + topics) } };
  }

  /** Puts the result, whose files are on disk, in place of what stood there. */
  commit(): void {
    this.#journal.write(this.#progress, this.#folder.number);
    this.#folder.commit();
  }

  /** Ends a run that cannot go on: what is durable stays to be resumed, and without any nothing stays. */
  leave(): void {
    if (existsSync(this.#folder.directory) && !this.#journal.exists) this.abandon();
  }

  /** Removes everything but what stands at `out`. */
  abandon(): void {
    this.#folder.abandon();
  }

  get #learnedPath(): string {
    return join(this.#folder.directory, LEARNED_FILE);
  }

  #doubles(name: string): Float64Array {
    const file = new InputFile(join(this.#folder.directory, name));
    try {
      const doubles = new Float64Array(Math.floor(file.size / Float64Array.BYTES_PER_ELEMENT));
      file.read(0, bytesOf(doubles));
      return doubles;
    } finally {
      file.close();
    }
  }
}

function bytesOf(doubles: Float64Array): Uint8Array {
  return new Uint8Array(doubles.buffer, doubles.byteOffset, doubles.byteLength);
}
