// The files of an embedding run while they grow, and a journal of what of them is durable, from which a run that was
// killed goes on.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsideFolder } from '../stages/aside.ts';
import { changing, syncDirectory, writeAt, writeDurably } from '../stages/disk.ts';
import { type Identity, Journal } from '../stages/journal.ts';

/** Files that grow, and how. */
const FILES = {
  vectors: 'embeddings.npy',
  keys: 'keys.txt',
  thumbnails: 'thumbnails.txt',
  unreadable: 'unreadable.jsonl',
} as const;
type FileName = keyof typeof FILES;
const NAMES = Object.keys(FILES) as FileName[];

/** The file that tells embeddings from other folders, and how it begins. */
export const SUMMARY_FILE = 'embed.json';
export const SUMMARY_START = '{"kind":"farsight-embeddings"';

/** How far a run has come. */
export interface Progress {
  /** Pictures of the listing that are dealt with, readable or not. */
  readonly pictures: number;
  readonly rows: number;
  /** 0 until the first vector. */
  readonly dims: number;
}

/** What the journal says. */
interface Durable {
  readonly progress: Progress;
  /** Bytes of each file that belong to the progress. */
  readonly bytes: Readonly<Record<FileName, number>>;
}

export class Workspace {
  /** Where an earlier run left off. */
  readonly start: Progress;
  /** Whether that run was killed after its last step: the result stands, and `abandon` clears away the rest. */
  readonly isFinished: boolean;
  readonly #folder: AsideFolder;
  readonly #journal: Journal<Durable>;
  readonly #files: Readonly<Record<FileName, number>>;
  readonly #bytes: Record<FileName, number>;
  #isOpen = true;

  /**
   * `headerBytes` are kept free before the vectors. Throws IndexError when what is to be resumed is another run, `out` holds
   * something else, or another process works on it.
   */
  constructor(out: string, identity: Identity, resume: boolean, headerBytes: number) {
    const kind = { name: 'embeddings', suffix: 'embedding', file: SUMMARY_FILE, start: SUMMARY_START };
    this.#folder = new AsideFolder(out, kind);
    this.#journal = new Journal(this.#folder, identity);
    const left = resume ? this.#journal.read() : null;
    this.isFinished = left?.isFinished ?? false;
    this.#folder.begin(left !== null);
    this.start = left?.progress.progress ?? { pictures: 0, rows: 0, dims: 0 };
    this.#bytes = { vectors: headerBytes, keys: 0, thumbnails: 0, unreadable: 0, ...left?.progress.bytes };
    this.#files = changing(this.#folder.result, () => {
      const keeps = left !== null && !this.isFinished;
      const open = (name: FileName): number => openSync(this.#path(name), keeps ? 'r+' : 'w+');
      const files = {
        vectors: open('vectors'),
        keys: open('keys'),
        thumbnails: open('thumbnails'),
        unreadable: open('unreadable'),
      };
      // What came after the journal may be torn; it is made again.
      for (const name of NAMES) ftruncateSync(files[name], this.#bytes[name]);
      return files;
    });
  }

  append(name: FileName, bytes: Uint8Array): void {
    changing(this.#path(name), () => writeAt(this.#files[name], bytes, this.#bytes[name]));
    this.#bytes[name] += bytes.byteLength;
  }

  /** Makes durable what was appended, then says so in the journal. */
  checkpoint(progress: Progress, placing?: number): void {
    this.#sync();
    this.#journal.write({ progress, bytes: this.#bytes }, placing);
  }

  /** Completes the files and puts them in place of what stood there. */
  commit(progress: Progress, header: Uint8Array, summary: string): void {
    changing(this.#path('vectors'), () => writeAt(this.#files.vectors, header, 0));
    writeDurably(join(this.#folder.result, SUMMARY_FILE), Buffer.from(summary));
    this.checkpoint(progress, this.#folder.number);
    this.#close();
    this.#folder.commit();
  }

  /** What was appended to a file. */
  read(name: FileName): string {
    return readFileSync(this.#path(name), 'utf8');
  }

  /** Ends a run that cannot go on: what is durable stays to be resumed, and without any nothing stays. */
  leave(): void {
    if (this.#isOpen && !this.#journal.exists) this.abandon();
  }

  /** Removes everything but what stands at `out`. */
  abandon(): void {
    this.#close();
    this.#folder.abandon();
  }

  #path(name: FileName): string {
    return join(this.#folder.result, FILES[name]);
  }

  #close(): void {
    for (const name of NAMES) closeSync(this.#files[name]);
    this.#isOpen = false;
  }

  #sync(): void {
    changing(this.#folder.result, () => {
      for (const name of NAMES) fsyncSync(this.#files[name]);
      syncDirectory(this.#folder.result);
    });
  }
}
