// The folder of a generated collection, written aside and renamed into place: what is interrupted leaves nothing.

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { native } from '../../src/native.ts';

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

  /** Refuses an `out` that exists and is no generated collection, and a disk without room for `bytes`. */
  constructor(out: string, bytes: number) {
    this.#out = resolve(out);
    this.path = `${this.#out}.building-${process.pid}`;
    if (existsSync(this.#out) && !isGenerated(this.#out) && !isEmptyFolder(this.#out)) {
      throw new GenerateError(`${out}: exists and is no generated collection; choose another --out or remove it`);
    }
    writing(this.path, () => {
      requireSpace(out, firstFolder(this.#out), bytes);
      mkdirSync(dirname(this.#out), { recursive: true });
      removeAbandoned(this.#out);
      mkdirSync(this.path);
    });
  }

  folder(name: string): void {
    writing(join(this.path, name), () => mkdirSync(join(this.path, name)));
  }

  /** An empty file of a given length, for threads to fill. */
  presize(name: string, bytes: number): void {
    this.#durably(name, (file) => ftruncateSync(file, bytes));
  }

  text(name: string, text: string): void {
    this.#durably(name, (file) => writeFully(file, Buffer.from(text), 0));
  }

  /** Waits until what threads wrote to a file is on disk. */
  sync(name: string): void {
    writing(join(this.path, name), () => syncPath(join(this.path, name)));
  }

  /** Puts the collection in place of the one that is there, if any. */
  commit(): void {
    writing(this.#out, () => {
      if (existsSync(this.#out)) {
        if (!native.exchangePaths(this.path, this.#out)) rmSync(this.#out, { recursive: true });
        else rmSync(this.path, { recursive: true });
      }
      if (existsSync(this.path)) renameSync(this.path, this.#out);
      syncPath(dirname(this.#out));
    });
  }

  abandon(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #durably(name: string, write: (file: number) => void): void {
    const path = join(this.path, name);
    writing(path, () => {
      const file = openSync(path, 'wx');
      try {
        write(file);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }
}

/** Writes all bytes at a position. */
export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, position + written);
  }
}

/** Runs changes of the file system; what the system refuses becomes a GenerateError with the path and a remedy. */
export function writing<Result>(path: string, changes: () => Result): Result {
  try {
    return changes();
  } catch (error) {
    if (error instanceof GenerateError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new GenerateError(
      `${path}: cannot be written (${code ?? message}); check free space and permissions, or choose another --out`,
    );
  }
}

function requireSpace(out: string, folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new GenerateError(
    `${out}: the collection takes ${bytes} bytes, but ${folder} has ${free} free; free space, choose another --out, or ` +
      'give fewer --items',
  );
}

/** The nearest folder above a path that is there. */
function firstFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function syncPath(path: string): void {
  const opened = openSync(path, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
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

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** Removes what runs that were killed left next to `out`. */
function removeAbandoned(out: string): void {
  const prefix = `${basename(out)}.building-`;
  for (const name of readdirSync(dirname(out))) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^[0-9]+$/.test(pid) && !isRunning(Number(pid))) rmSync(join(dirname(out), name), { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
