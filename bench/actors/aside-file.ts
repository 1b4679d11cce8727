// A text file that is written aside, synced and renamed into place: killed on the way, nothing stands under its name.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Text is written in pieces of about this many characters. */
const BUFFERED_CHARS = 1 << 20;

export class AsideFile {
  readonly #path: string;
  readonly #aside: string;
  readonly #file: number;
  #open = true;
  #buffered: string[] = [];
  #chars = 0;

  constructor(path: string) {
    this.#path = path;
    this.#aside = `${path}.writing-${process.pid}`;
    this.#file = this.#refused(() => openSync(this.#aside, 'w'));
  }

  write(text: string): void {
    this.#buffered.push(text);
    this.#chars += text.length;
    if (this.#chars >= BUFFERED_CHARS) this.#flush();
  }

  /** Puts the file in place. */
  commit(): void {
    this.#flush();
    this.#refused(() => {
      fsyncSync(this.#file);
      this.#close();
      renameSync(this.#aside, this.#path);
      const folder = openSync(dirname(this.#path), 'r');
      fsyncSync(folder);
      closeSync(folder);
    });
  }

  /** Removes what was written; what was committed stays. */
  abandon(): void {
    this.#close();
    rmSync(this.#aside, { force: true });
  }

  #close(): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffered.join(''));
    this.#buffered = [];
    this.#chars = 0;
    this.#refused(() => {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    });
  }

  #refused<Result>(change: () => Result): Result {
    try {
      return change();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        `${this.#path}: cannot be written (${code ?? message}); check the folder, its space and permissions`,
      );
    }
  }
}

/** Writes a whole text. */
export function writeAside(path: string, text: string): void {
  const file = new AsideFile(path);
  try {
    file.write(text);
    file.commit();
  } catch (error) {
    file.abandon();
    throw error;
  }
}
