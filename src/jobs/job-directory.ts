// Jobs on disk: a directory per job with its record and, when it is done, its result. Both are written aside, synced and
// renamed, so what is there under its name is whole. Until then there is also what an interrupted attempt goes on from.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveDirectory, takeDirectory } from '../lock.ts';
import type { JobRecord, ResultFormat } from './job.ts';

const RECORD = 'job.json';

/** Where an attempt at a job writes. */
export interface JobFiles {
  readonly result: string;
  /** The result until it is whole, and how far it is durable. */
  readonly aside: string;
  readonly journal: string;
  /** What is to be written, without the ends of its names; see swept-file.ts. */
  readonly swept: string;
}

/** The directory cannot be used; the message says why and what to do. */
export class JobDirectoryError extends Error {
  override readonly name = 'JobDirectoryError';
}

export class JobDirectory {
  /** Null: a temporary one that no job has needed yet. */
  #path: string | null = null;
  #temporary = true;

  /** Makes the directory where it is not there, and takes it. Throws JobDirectoryError. */
  static open(path: string): JobDirectory {
    const directory = new JobDirectory();
    directory.#path = path;
    directory.#temporary = false;
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw new JobDirectoryError(`${path}: cannot be made (${(error as Error).message}); choose another --jobs`);
    }
    const other = takeDirectory(path);
    if (other === null) return directory;
    throw new JobDirectoryError(`${path}: process ${other} serves it; end that one first, or choose another --jobs`);
  }

  /** A directory that is made for the first job, and gone when it is left. */
  static temporary(): JobDirectory {
    return new JobDirectory();
  }

  /** All records, oldest first; a directory without one was being made or removed when the server ended, and goes. */
  load(): JobRecord[] {
    const records: JobRecord[] = [];
    const path = this.#path;
    for (const name of path === null ? [] : readdirSync(path)) {
      if (!/^[0-9a-f-]{36}$/.test(name)) continue;
      const directory = this.#placeOf(name);
      if (existsSync(join(directory, RECORD))) records.push(readRecord(join(directory, RECORD)));
      else rmSync(directory, { recursive: true, force: true });
    }
    return records.sort((a, b) => a.createdAt - b.createdAt);
  }

  save(record: JobRecord): void {
    const directory = this.#placeOf(record.id);
    const isNew = !existsSync(directory);
    if (isNew) mkdirSync(directory);
    const aside = join(directory, `${RECORD}.part`);
    writeFileSync(aside, JSON.stringify(record));
    putInPlace(aside, join(directory, RECORD));
    if (isNew) sync(join(directory, '..'));
  }

  /** Where the result of a job is, or will be, and what comes before it. */
  filesOf(id: string, format: ResultFormat): JobFiles {
    const directory = this.#placeOf(id);
    const result = join(directory, `result.${format}`);
    return { result, aside: `${result}.part`, journal: join(directory, 'parts'), swept: join(directory, 'swept') };
  }

  /** Nothing of the job is left, whenever the server ends: the record goes first. */
  remove(id: string): void {
    const directory = this.#placeOf(id);
    rmSync(join(directory, RECORD), { force: true });
    rmSync(directory, { recursive: true, force: true });
  }

  leave(): void {
    if (this.#path === null) return;
    if (this.#temporary) rmSync(this.#path, { recursive: true, force: true });
    else leaveDirectory(this.#path);
  }

  #placeOf(id: string): string {
    this.#path ??= mkdtempSync(join(tmpdir(), 'farsight-jobs-'));
    return join(this.#path, id);
  }
}

function readRecord(path: string): JobRecord {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JobRecord;
  } catch (error) {
    const reason = (error as Error).message;
    throw new JobDirectoryError(`${path}: cannot be read (${reason}); restore it, or remove the job's directory`);
  }
}

/** Removes what an interrupted attempt would be gone on from. */
export function dropParts({ aside, journal, swept }: JobFiles): void {
  for (const path of [journal, aside, `${swept}.json`, `${swept}.rows`, `${swept}.rows.part`, `${swept}.json.part`]) {
    rmSync(path, { force: true });
  }
}

/** Syncs a finished file and gives it its name. */
export function putInPlace(aside: string, path: string): void {
  sync(aside);
  renameSync(aside, path);
  sync(join(path, '..'));
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
