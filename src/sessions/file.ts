// Sessions in one file: events are appended in frames and synced to the disk before they count (fdatasync; changes that
// come meanwhile share the next sync). A cut-off end is removed when the file is opened, damage before it is refused.

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../errors.ts';
import { leaveDirectory, takeDirectory } from '../lock.ts';
import { encodeEvent, type SessionEvent } from './events.ts';
import { frame, readFrames } from './frames.ts';
import type { Entry, SessionStore } from './store.ts';

/** The first frame of a file. */
const HEADER = { format: 'farsight sessions', version: 1 };
/** A file is written anew when it is this many times as large as what is left in it and as it was after the last time. */
const COMPACT_RATIO = 2;
/** Smaller files are left alone. */
const COMPACT_BYTES = 1 << 20;
/** What Node reads in one piece. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
/** Of an entry beside its event: the session's id and the marks around both. */
const ENTRY_BYTES = 64;

/** The file cannot be used; the message says why and what to do. */
export class SessionFileError extends Error {
  override readonly name = 'SessionFileError';
}

interface Waiting {
  readonly entries: readonly Entry[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface FileStoreOptions {
  readonly path: string;
  /** Told what was found wrong and put right. */
  readonly warn: (event: Readonly<Record<string, unknown>>, message: string) => void;
}

/** The store. */
export class FileStore implements SessionStore {
  readonly #path: string;
  readonly #warn: FileStoreOptions['warn'];
  #file: FileHandle | null = null;
  /** Bytes of the whole frames in the file. */
  #end = 0;
  /** Bytes of the events of sessions that are left, by session. */
  readonly #live = new Map<string, number>();
  #liveBytes = 0;
  /** Size from which on a look at what is left is worth it. */
  #compactFrom = COMPACT_BYTES;
  #loaded: Map<string, SessionEvent[]> | null = null;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;
  /** Why nothing can be written any more. */
  #broken: Error | null = null;

  private constructor({ path, warn }: FileStoreOptions) {
    this.#path = path;
    this.#warn = warn;
  }

  /** Opens the file, or begins it. Throws SessionFileError. */
  static async open(options: FileStoreOptions): Promise<FileStore> {
    const store = new FileStore(options);
    const { path } = options;
    lock(path);
    rmSync(asideOf(path), { force: true });
    if (!existsSync(path)) createFile(path);
    store.#loaded = store.#read();
    store.#file = await open(path, 'r+');
    return store;
  }

  load(): ReadonlyMap<string, readonly SessionEvent[]> {
    const loaded = this.#loaded;
    if (loaded === null) throw new Error('the sessions of a file are loaded once');
    this.#loaded = null;
    return loaded;
  }

  append(entries: readonly Entry[]): Promise<void> {
    if (this.#broken !== null) return Promise.reject(storageFailed(this.#broken));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entries, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async close(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    await this.#file?.close();
    this.#file = null;
    leaveDirectory(lockOf(this.#path));
  }

  /** Writes what waits, again and again until nothing does: one frame and one sync for all that came in the meantime. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      const entries = batch.flatMap(({ entries }) => entries);
      try {
        await this.#appendFrame(frame(encodeEntries(entries)));
      } catch (error) {
        for (const { reject } of batch) reject(storageFailed(error as Error));
        continue;
      }
      this.#count(entries);
      for (const { resolve } of batch) resolve();
      await this.#compactIfWorthIt();
    }
    this.#writing = null;
  }

  async #appendFrame(bytes: Buffer): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    const file = this.#file as FileHandle;
    if (this.#end + bytes.length > MAX_FILE_BYTES) {
      throw new Error(`it would pass ${MAX_FILE_BYTES} bytes; delete sessions, or lower --max-sessions-bytes`);
    }
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, this.#end + done);
        done += bytesWritten;
      }
    } catch (error) {
      // The disk is full, say: what was written of the frame goes, so that the next one follows a whole one.
      await file.truncate(this.#end).catch((failed: Error) => {
        this.#broken = failed;
      });
      throw error;
    }
    try {
      await file.datasync();
    } catch (error) {
      // After a failed sync nobody knows what is on the disk, and a second one that succeeds says nothing of the first.
      this.#broken = error as Error;
      throw error;
    }
    this.#end += bytes.length;
  }

  #count(entries: readonly Entry[]): void {
    for (const { session, event } of entries) {
      const before = this.#live.get(session) ?? 0;
      if (event === null) {
        this.#live.delete(session);
        this.#liveBytes -= before;
      } else {
        const bytes = Buffer.byteLength(encodeEvent(event)) + ENTRY_BYTES;
        this.#live.set(session, before + bytes);
        this.#liveBytes += bytes;
      }
    }
  }

  /** Removes the cut-off end, if there is one, and gives the sessions that are left. */
  #read(): Map<string, SessionEvent[]> {
    const bytes = readFileSync(this.#path);
    const { payloads, end, damaged } = readFrames(bytes);
    if (damaged) {
      const detail = `${this.#path}: the record at byte ${end} is damaged and others follow it`;
      throw new SessionFileError(`${detail}; restore the file from a copy, or move it away to begin anew`);
    }
    const [header, ...batches] = payloads;
    requireHeader(header, this.#path);
    if (end < bytes.length) {
      const cut = bytes.length - end;
      this.#warn(
        { path: this.#path, bytes: cut, at: end },
        'the last write was cut off and is removed; it was not answered',
      );
      truncate(this.#path, end);
    }
    this.#end = end;
    const sessions = new Map<string, SessionEvent[]>();
    for (const payload of batches) {
      const entries = decodeEntries(payload);
      this.#count(entries);
      for (const { session, event } of entries) {
        const events = sessions.get(session);
        if (event === null) sessions.delete(session);
        else if (events === undefined) sessions.set(session, [event]);
        else events.push(event);
      }
    }
    return sessions;
  }

  async #compactIfWorthIt(): Promise<void> {
    if (this.#end < this.#compactFrom || this.#end < COMPACT_RATIO * this.#liveBytes) return;
    try {
      await this.#compact();
    } catch (error) {
      // The old file holds all of it; nothing is lost but room.
      this.#warn({ path: this.#path, err: error }, 'the file of sessions could not be written anew');
      rmSync(asideOf(this.#path), { force: true });
    }
    this.#compactFrom = Math.max(COMPACT_BYTES, COMPACT_RATIO * this.#end);
  }

  /** Writes the events of the sessions that are left to a file aside, syncs it, and puts it in place. */
  async #compact(): Promise<void> {
    const aside = asideOf(this.#path);
    const { payloads } = readFrames(readFileSync(this.#path));
    const fd = openSync(aside, 'w', 0o600);
    let end = 0;
    const put = (bytes: Buffer) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, end + done);
      end += bytes.length;
    };
    try {
      put(frame(Buffer.from(JSON.stringify(HEADER))));
      for (const payload of payloads.slice(1)) {
        const left = decodeEntries(payload).filter(({ session, event }) => event !== null && this.#live.has(session));
        if (left.length > 0) put(frame(encodeEntries(left)));
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    const file = await open(aside, 'r+');
    renameSync(aside, this.#path);
    syncDirectory(this.#path);
    await this.#file?.close();
    this.#file = file;
    this.#end = end;
  }
}

/** A file has one server. Throws SessionFileError. */
function lock(path: string): void {
  try {
    mkdirSync(lockOf(path), { recursive: true });
  } catch (error) {
    throw new SessionFileError(`${path}: cannot be made (${(error as Error).message}); choose another --sessions`);
  }
  const other = takeDirectory(lockOf(path));
  if (other === null) return;
  throw new SessionFileError(`${path}: process ${other} serves it; end that one first, or choose another --sessions`);
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

function asideOf(path: string): string {
  return `${path}.compacting`;
}

/** A new file with its header, durable under its name. */
function createFile(path: string): void {
  const aside = asideOf(path);
  let fd: number;
  try {
    fd = openSync(aside, 'w', 0o600);
  } catch (error) {
    throw new SessionFileError(`${path}: cannot be made (${(error as Error).message}); choose another --sessions`);
  }
  try {
    writeSync(fd, frame(Buffer.from(JSON.stringify(HEADER))));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(aside, path);
  syncDirectory(path);
}

function syncDirectory(path: string): void {
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function truncate(path: string, bytes: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, bytes);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function requireHeader(payload: Uint8Array | undefined, path: string): void {
  const expected = `${path}: is not a file of sessions`;
  if (payload === undefined) throw new SessionFileError(`${expected}; choose another --sessions`);
  const { format, version } = JSON.parse(Buffer.from(payload).toString('utf8')) as Partial<typeof HEADER>;
  if (format !== HEADER.format) throw new SessionFileError(`${expected}; choose another --sessions`);
  if (version !== HEADER.version) {
    const other = `has version ${version}, this program reads ${HEADER.version}`;
    throw new SessionFileError(`${path}: ${other}; use the program that wrote it, or choose another --sessions`);
  }
}

function encodeEntries(entries: readonly Entry[]): Buffer {
  return Buffer.from(JSON.stringify(entries.map(({ session, event }) => [session, event])));
}

function decodeEntries(payload: Uint8Array): Entry[] {
  const pairs = JSON.parse(Buffer.from(payload).toString('utf8')) as [string, SessionEvent | null][];
  return pairs.map(([session, event]) => ({ session, event }));
}

function storageFailed(error: Error): Problem {
  const detail = `nothing was changed: the sessions' file cannot be written (${error.message})`;
  return new Problem('storage-failed', detail, { headers: { 'retry-after': '5' } });
}
