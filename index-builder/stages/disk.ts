// Changes of the file system: what the system refuses becomes an error that names the path and says what to do.

import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, statfsSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { IndexError } from '../../src/index/format.ts';
import { native } from '../../src/native.ts';
import { size } from './size.ts';

/** Why there was no room, and what makes some. */
const FULL: ReadonlyMap<string, readonly [reason: string, remedy: string]> = new Map([
  ['ENOSPC', ['the disk is full', 'make room']],
  ['EDQUOT', ['a quota is used up', 'make room']],
  ['EFBIG', ['a file size limit is reached', 'raise the limit']],
]);
/** What one writeSync is asked for. */
const LARGEST_WRITE_BYTES = 1 << 26;

/** A change of the file system that was refused. */
export class DiskError extends IndexError {
  readonly path: string;
  readonly code: string;

  constructor(path: string, code: string, advice = `${remedyOf(code)}, or choose another --out`) {
    super(`${path}: cannot be written (${code}${reasonOf(path, code)}); ${advice}`);
    this.path = path;
    this.code = code;
  }

  /** More space, or a higher limit, would have let it pass. */
  get full(): boolean {
    return FULL.has(this.code);
  }

  get remedy(): string {
    return remedyOf(this.code);
  }
}

function remedyOf(code: string): string {
  return FULL.get(code)?.[1] ?? 'check free space and permissions';
}

/** Where there was no room: why, and how much there is. */
function reasonOf(path: string, code: string): string {
  const [reason] = FULL.get(code) ?? [];
  if (reason === undefined) return '';
  try {
    return `: ${reason}, ${size(freeBytes(path))} are free`;
  } catch {
    return `: ${reason}`;
  }
}

/** Runs changes of the file system; throws DiskError. */
export function changing<Result>(path: string, changes: () => Result): Result {
  try {
    return changes();
  } catch (error) {
    if (error instanceof IndexError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DiskError(path, code ?? message);
  }
}

/** Writes all bytes at a position of an open file. */
export function writeAt(file: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    const wanted = Math.min(bytes.length - written, LARGEST_WRITE_BYTES);
    written += writeSync(file, bytes, written, wanted, position + written);
  }
}

/** Writes a new file and waits until it is on disk. */
export function writeDurably(path: string, bytes: Uint8Array): void {
  changing(path, () => {
    const file = openSync(path, 'w');
    try {
      writeAt(file, bytes, 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Of the file system that a path is or will be on. */
export function freeBytes(path: string): number {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    try {
      const { bavail, bsize } = statfsSync(directory);
      return bavail * bsize;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(directory) === directory) {
        throw new IndexError(`${directory}: free space cannot be read (${code}); choose another --out`);
      }
    }
  }
}

export function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/**
 * Puts the directory `from` in place of what stands at `to`, if anything does: in one step where the file system can
 * exchange two paths. Where it cannot, the old one steps aside first; it is never lost, only renamed.
 */
export function putInPlace(from: string, to: string, aside: string): void {
  if (!existsSync(to)) {
    renameSync(from, to);
    return;
  }
  if (native.exchangePaths(from, to)) return;
  renameSync(to, aside);
  try {
    renameSync(from, to);
  } catch (error) {
    renameSync(aside, to);
    throw error;
  }
}

/** Ends what a process that died within `putInPlace` began: the old one goes back. */
export function putBack(to: string, aside: string): void {
  if (!existsSync(to) && existsSync(aside)) renameSync(aside, to);
}
