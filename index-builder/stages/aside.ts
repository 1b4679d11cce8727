// A folder of results that is written aside and put in place whole: OUT.SUFFIX holds a lock, the result so far, and what
// of an older result steps aside for it.

import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IndexError } from '../../src/index/format.ts';
import { isLock } from '../../src/lock.ts';
import { changing, isEmptyDirectory, putBack, putInPlace, syncDirectory } from './disk.ts';
import { lockDirectory } from './lock.ts';

/** How a kind of result is told from folders of the user's. */
export interface ResultKind {
  /** What a message calls it, like "embeddings". */
  readonly name: string;
  /** Of the folder it is made in. */
  readonly suffix: string;
  /** The file that only such a result has, and how it begins. */
  readonly file: string;
  readonly start: string;
}

export class AsideFolder {
  readonly directory: string;
  /** Where files are written until `commit`; made by `begin`. */
  readonly result: string;
  readonly #out: string;
  readonly #replaced: string;

  /** Throws IndexError when `out` exists and is no result of this kind, or another process works on it. */
  constructor(out: string, kind: ResultKind) {
    this.#out = resolve(out);
    this.directory = `${this.#out}.${kind.suffix}`;
    this.result = join(this.directory, 'result');
    this.#replaced = join(this.directory, 'replaced');
    if (existsSync(this.#out) && !isResult(this.#out, kind) && !isEmptyDirectory(this.#out)) {
      throw new IndexError(`${out}: exists and holds no ${kind.name}; choose another --out or remove it`);
    }
    changing(this.directory, () => {
      mkdirSync(this.directory, { recursive: true });
      lockDirectory(this.directory);
      putBack(this.#out, this.#replaced);
    });
  }

  /** Makes the folder of the result; anew, unless what an earlier run left is to be kept. */
  begin(keep: boolean): void {
    changing(this.directory, () => {
      for (const name of keep ? [] : readdirSync(this.directory)) {
        if (!isLock(name)) rmSync(join(this.directory, name), { recursive: true, force: true });
      }
      mkdirSync(this.result, { recursive: true });
    });
  }

  /** What tells the folder of the result, whatever its name. */
  get number(): number {
    return statSync(this.result).ino;
  }

  /** Whether the result with this number stands at `out` already, put there by a process that died right after. */
  isInPlace(number: number): boolean {
    return statSync(this.#out, { throwIfNoEntry: false })?.ino === number;
  }

  /** Puts the result, whose files are on disk, in place of the one that is there, if any. */
  commit(): void {
    changing(this.#out, () => {
      syncDirectory(this.result);
      putInPlace(this.result, this.#out, this.#replaced);
      syncDirectory(dirname(this.#out));
    });
    this.abandon();
  }

  /** Removes everything but what stands at `out`. */
  abandon(): void {
    changing(this.directory, () => {
      putBack(this.#out, this.#replaced);
      rmSync(this.directory, { recursive: true, force: true });
    });
  }
}

function isResult(path: string, { file, start }: ResultKind): boolean {
  try {
    const descriptor = openSync(join(path, file), 'r');
    try {
      const bytes = Buffer.alloc(start.length);
      return readSync(descriptor, bytes) === bytes.length && bytes.toString('latin1') === start;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
