// The folder of a generated collection, written aside and put in place whole: what is interrupted leaves nothing.

import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  changing,
  DiskError,
  freeBytes,
  isEmptyDirectory,
  putBack,
  putInPlace,
  syncDirectory,
  writeDurably,
} from '../stages/disk.ts';
import { lockDirectory } from '../stages/lock.ts';
import { size } from '../stages/size.ts';
import { collectionBytes } from './job.ts';

/** A collection that cannot be written or read back: names the file or folder and what to do. */
export class GenerateError extends Error {
  override name = 'GenerateError';
}

/** The file that tells a generated collection from other folders, and how it begins. */
export const ACTORS_FILE = 'actors.json';
export const ACTORS_START = '{"kind":"farsight-actors"';

export class OutputFolder {
  /** Where files are written until `commit`. */
  readonly path: string;
  readonly #out: string;
  /** Where this process works: its lock, the files, and a collection that stands aside for the new one. */
  readonly #directory: string;
  readonly #replaced: string;

  /**
   * Refuses an `out` that exists and is no generated collection, a disk without room for `bytes`, and an `out` that
   * another process generates.
   */
  constructor(out: string, bytes: number) {
    this.#out = resolve(out);
    this.#directory = `${this.#out}.generating`;
    this.path = join(this.#directory, 'collection');
    this.#replaced = join(this.#directory, 'replaced');
    if (existsSync(this.#out) && !isGenerated(this.#out) && !isEmptyDirectory(this.#out)) {
      throw new GenerateError(`${out}: exists and is no generated collection; choose another --out or remove it`);
    }
    const isNew = !existsSync(this.#directory);
    if (isNew) requireSpace(out, bytes);
    changing(this.#directory, () => {
      mkdirSync(this.#directory, { recursive: true });
      lockDirectory(this.#directory);
      putBack(this.#out, this.#replaced);
      rmSync(this.path, { recursive: true, force: true });
      rmSync(this.#replaced, { recursive: true, force: true });
    });
    // What a dead process left takes no room any more.
    if (!isNew) this.#orAbandon(() => requireSpace(out, bytes));
    changing(this.path, () => mkdirSync(this.path));
  }

  folder(name: string): void {
    changing(join(this.path, name), () => mkdirSync(join(this.path, name)));
  }

  /** An empty file of a given length, for threads to fill. */
  presize(name: string, bytes: number): void {
    const path = join(this.path, name);
    changing(path, () => {
      const file = openSync(path, 'wx');
      try {
        ftruncateSync(file, bytes);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  text(name: string, text: string): void {
    writeDurably(join(this.path, name), Buffer.from(text));
  }

  /** Waits until what threads wrote to a file is on disk. */
  sync(name: string): void {
    const path = join(this.path, name);
    changing(path, () => {
      const file = openSync(path, 'r');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  /** Puts the collection in place of the one that is there, if any. */
  commit(): void {
    changing(this.path, () => syncDirectory(this.path));
    changing(this.#out, () => {
      putInPlace(this.path, this.#out, this.#replaced);
      syncDirectory(dirname(this.#out));
    });
    this.abandon();
  }

  #orAbandon(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Removes everything but what stands at `out`; a collection that could not be put back stays where it stepped aside. */
  abandon(): void {
    changing(this.#directory, () => {
      putBack(this.#out, this.#replaced);
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }
}

function requireSpace(out: string, bytes: number): void {
  const free = freeBytes(dirname(resolve(out)));
  if (free >= bytes) return;
  throw new GenerateError(
    `${out}: the collection takes ${size(bytes)}, but its disk has ${size(free)} free; make room, choose another --out, ` +
      'or give fewer --items',
  );
}

/** An error, with what the whole collection takes where the disk was full. */
export function withNeed(error: unknown, items: number): unknown {
  if (!(error instanceof DiskError && error.full)) return error;
  const advice = `the collection takes ${size(collectionBytes(items))} in all; ${error.remedy}, choose another --out, or `;
  return new DiskError(error.path, error.code, `${advice}give fewer --items`);
}

function isGenerated(path: string): boolean {
  try {
    const file = openSync(join(path, ACTORS_FILE), 'r');
    try {
      const start = Buffer.alloc(ACTORS_START.length);
      return readSync(file, start) === start.length && start.toString('latin1') === ACTORS_START;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
