// How far work in a folder that is made aside is durable, so that a run that was killed goes on from there.

import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { IndexError } from '../../src/index/format.ts';
import type { AsideFolder } from './aside.ts';
import { changing, syncDirectory, writeDurably } from './disk.ts';

/** What makes a run the same one, by the name an error gives it. */
export type Identity = Readonly<Record<string, string>>;

interface Entry<Progress> {
  readonly identity: Identity;
  readonly progress: Progress;
  /** The number of the finished folder, from when it is about to be put in place. */
  readonly placing?: number;
}

/** What an earlier run left. */
export interface Left<Progress> {
  readonly progress: Progress;
  /** That run was killed after its last step: the result stands, and only `abandon` of the folder is missing. */
  readonly isFinished: boolean;
}

const JOURNAL_FILE = 'journal.json';

export class Journal<Progress> {
  readonly #folder: AsideFolder;
  readonly #identity: Identity;
  readonly #path: string;

  constructor(folder: AsideFolder, identity: Identity) {
    this.#folder = folder;
    this.#identity = identity;
    this.#path = join(folder.directory, JOURNAL_FILE);
  }

  get exists(): boolean {
    return existsSync(this.#path);
  }

  /** Null where no run left anything; throws IndexError where that was another run. */
  read(): Left<Progress> | null {
    if (!this.exists) return null;
    let entry: Entry<Progress>;
    try {
      entry = JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch (error) {
      throw new IndexError(
        `${this.#path}: is not readable (${(error as Error).message}); start again without --resume`,
      );
    }
    for (const name of new Set([...Object.keys(entry.identity), ...Object.keys(this.#identity)])) {
      if (entry.identity[name] === this.#identity[name]) continue;
      throw new IndexError(
        `${this.#folder.directory}: cannot resume, ${name} changed; give the same input and options, or start again ` +
          'without --resume',
      );
    }
    const isFinished = entry.placing !== undefined && this.#folder.isInPlace(entry.placing);
    return { progress: entry.progress, isFinished };
  }

  /** Call it when what it says is on disk. */
  write(progress: Progress, placing?: number): void {
    const entry: Entry<Progress> = {
      identity: this.#identity,
      progress,
      ...(placing === undefined ? {} : { placing }),
    };
    writeDurably(`${this.#path}.new`, Buffer.from(JSON.stringify(entry)));
    changing(this.#path, () => {
      renameSync(`${this.#path}.new`, this.#path);
      syncDirectory(this.#folder.directory);
    });
  }
}
