// The folder OUT.embedding, in which embeddings are written before they are put in place in one step: a lock, the files
// as far as they are, and a journal of what of them is durable, from which a run that was killed goes on.

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  changing,
  isEmptyDirectory,
  putBack,
  putInPlace,
  syncDirectory,
  writeAt,
  writeDurably,
} from '../stages/disk.ts';
import { isLock, lockDirectory } from '../stages/lock.ts';
import { EmbedError } from './embed-error.ts';

/** What makes a run the same one, by the name an error gives it. */
export type Identity = Readonly<Record<string, string>>;

/** Files that grow, and how. */
export const FILES = {
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

interface Journal {
  readonly identity: Identity;
  readonly progress: Progress;
  /** Bytes of each file that belong to the progress. */
  readonly bytes: Readonly<Record<FileName, number>>;
}

export class Workspace {
  /** Where an earlier run left off. */
  readonly start: Progress;
  readonly #out: string;
  readonly #directory: string;
  readonly #result: string;
  readonly #replaced: string;
  readonly #identity: Identity;
  readonly #open: Readonly<Record<FileName, number>>;
  readonly #bytes: Record<FileName, number>;
  #isOpen = true;

  /**
   * `headerBytes` are kept free before the vectors. Throws EmbedError when `out` exists and holds something else, and
   * when what is to be resumed is another run; IndexError when another process works here.
   */
  constructor(out: string, identity: Identity, resume: boolean, headerBytes: number) {
    this.#out = resolve(out);
    this.#directory = `${this.#out}.embedding`;
    this.#result = join(this.#directory, 'result');
    this.#replaced = join(this.#directory, 'replaced');
    this.#identity = identity;
    if (existsSync(this.#out) && !isEmbeddings(this.#out) && !isEmptyDirectory(this.#out)) {
      throw new EmbedError(`${out}: exists and holds no embeddings; choose another --out or remove it`);
    }
    changing(this.#directory, () => {
      mkdirSync(this.#directory, { recursive: true });
      lockDirectory(this.#directory);
      putBack(this.#out, this.#replaced);
    });
    const journal = resume ? this.#readJournal() : null;
    if (journal === null) this.#clear();
    this.start = journal?.progress ?? { pictures: 0, rows: 0, dims: 0 };
    this.#bytes = { vectors: headerBytes, keys: 0, thumbnails: 0, unreadable: 0, ...journal?.bytes };
    this.#open = changing(this.#result, () => {
      mkdirSync(this.#result, { recursive: true });
      const open = (name: FileName): number =>
        openSync(join(this.#result, FILES[name]), journal === null ? 'w+' : 'r+');
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
    changing(join(this.#result, FILES[name]), () => writeAt(this.#open[name], bytes, this.#bytes[name]));
    this.#bytes[name] += bytes.byteLength;
  }

  /** Makes durable what was appended, then says so in the journal. */
  checkpoint(progress: Progress): void {
    this.#sync();
    const journal: Journal = { identity: this.#identity, progress, bytes: this.#bytes };
    const path = join(this.#directory, 'journal.json');
    writeDurably(`${path}.new`, Buffer.from(JSON.stringify(journal)));
    changing(path, () => {
      renameSync(`${path}.new`, path);
      syncDirectory(this.#directory);
    });
  }

  /** Completes the files and puts them in place of what stood there. */
  commit(header: Uint8Array, summary: string): void {
    changing(join(this.#result, FILES.vectors), () => writeAt(this.#open.vectors, header, 0));
    this.#sync();
    writeDurably(join(this.#result, SUMMARY_FILE), Buffer.from(summary));
    changing(this.#out, () => {
      syncDirectory(this.#result);
      putInPlace(this.#result, this.#out, this.#replaced);
      syncDirectory(dirname(this.#out));
    });
    this.abandon();
  }

  /** What was appended to a file. */
  read(name: FileName): string {
    return readFileSync(join(this.#result, FILES[name]), 'utf8');
  }

  /** Ends a run that cannot go on: what is durable stays to be resumed, and without any nothing stays. */
  leave(): void {
    if (this.#isOpen && !existsSync(join(this.#directory, 'journal.json'))) this.abandon();
  }

  /** Removes everything but what stands at `out`. */
  abandon(): void {
    for (const name of NAMES) closeSync(this.#open[name]);
    this.#isOpen = false;
    changing(this.#directory, () => rmSync(this.#directory, { recursive: true, force: true }));
  }

  #sync(): void {
    changing(this.#result, () => {
      for (const name of NAMES) fsyncSync(this.#open[name]);
      syncDirectory(this.#result);
    });
  }

  #readJournal(): Journal | null {
    const path = join(this.#directory, 'journal.json');
    if (!existsSync(path)) return null;
    let journal: Journal;
    try {
      journal = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new EmbedError(`${path}: is not readable (${(error as Error).message}); start again without --resume`);
    }
    for (const name of new Set([...Object.keys(journal.identity), ...Object.keys(this.#identity)])) {
      if (journal.identity[name] === this.#identity[name]) continue;
      throw new EmbedError(
        `${this.#directory}: cannot resume, ${name} changed; give the same model, options and pictures, or start again without --resume`,
      );
    }
    return journal;
  }

  #clear(): void {
    changing(this.#directory, () => {
      for (const name of readdirSync(this.#directory)) {
        if (!isLock(name)) rmSync(join(this.#directory, name), { recursive: true, force: true });
      }
    });
  }
}

function isEmbeddings(path: string): boolean {
  try {
    return readFileSync(join(path, SUMMARY_FILE), 'latin1').startsWith(SUMMARY_START);
  } catch {
    return false;
  }
}
