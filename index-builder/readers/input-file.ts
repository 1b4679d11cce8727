// A regular file opened for positioned reads, with errors that say what to do.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { InputError, UnreadableError } from './reader.ts';

/** What one readSync may be asked for; Linux itself stops at 2 GiB - 4 KiB. */
const LARGEST_READ_BYTES = 2 ** 30;

export class InputFile {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  #descriptor: number | null;

  constructor(path: string) {
    this.path = path;
    // Looked at before opening: opening a named pipe would wait for a writer.
    const stats = explained(path, () => statSync(path));
    if (stats.isDirectory()) {
      throw new InputError(
        path,
        'is a folder',
        'expected a file',
        'name a file inside it, or a pattern like FOLDER/*.npy',
      );
    }
    if (!stats.isFile()) {
      throw new InputError(
        path,
        'is not a regular file',
        'expected a file that can be read more than once',
        'copy the data to a file first',
      );
    }
    this.#descriptor = explained(path, () => openSync(path, 'r'));
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Fills `out` with the bytes from `position` on. */
  read(position: number, out: Uint8Array): void {
    const descriptor = this.#descriptor;
    if (descriptor === null) throw new Error(`${this.path} is closed`);
    for (let filled = 0; filled < out.byteLength; ) {
      const wanted = Math.min(out.byteLength - filled, LARGEST_READ_BYTES);
      const got = explained(this.path, () => readSync(descriptor, out, filled, wanted, position + filled));
      if (got === 0) {
        throw new InputError(
          this.path,
          `ends at byte ${position + filled}, ${out.byteLength - filled} bytes early`,
          `expected the ${this.size} bytes it had when it was opened`,
          'do not change input files during a build, and start it again',
        );
      }
      filled += got;
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** Runs a file operation; what the system refuses becomes an InputError. */
export function explained<Result>(path: string, operation: () => Result): Result {
  try {
    return operation();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new InputError(
        path,
        'does not exist',
        'expected a file or folder',
        `check the path, which is taken from ${process.cwd()}`,
      );
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new InputError(path, 'may not be read', 'expected read permission', 'change its permissions or the user');
    }
    throw new UnreadableError(
      path,
      `cannot be read (${code ?? String(error)})`,
      'expected a readable file',
      'check the disk and the path',
    );
  }
}

/** Closes what `open` left behind when `use` throws; otherwise the result owns it. */
export function closingOnError<Opened extends { close(): void }, Result>(
  opened: Opened,
  use: (opened: Opened) => Result,
): Result {
  try {
    return use(opened);
  } catch (error) {
    opened.close();
    throw error;
  }
}
