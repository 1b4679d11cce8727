// Writes an index aside and renames it into place: a killed build leaves the old index or none.

import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  encodeHeader,
  encodeManifest,
  hex32,
  IndexError,
  MANIFEST_START,
  type Manifest,
  type SectionManifest,
  SHARD_BYTES,
} from '../../src/index/format.ts';
import { native } from '../../src/native.ts';

export type ManifestBody = Omit<Manifest, 'checksum' | 'generation' | 'sections'>;

/** An index being written next to where it will stand. */
export class IndexWriter {
  readonly #out: string;
  readonly #directory: string;
  readonly #sections: SectionManifest[] = [];

  /** Throws IndexError when `out` exists and is not an index: nothing of the user's is ever replaced. */
  constructor(out: string) {
    this.#out = resolve(out);
    this.#directory = `${this.#out}.building-${process.pid}`;
    if (existsSync(this.#out) && !holdsIndex(this.#out) && !isEmptyDirectory(this.#out)) {
      throw new IndexError(`${out}: exists and is not an index; choose another --out or remove it`);
    }
    changing(this.#directory, () => {
      mkdirSync(dirname(this.#out), { recursive: true });
      removeAbandoned(this.#out);
      mkdirSync(this.#directory);
    });
  }

  /** Writes one section, in shards. */
  section(name: string, bytes: Uint8Array): void {
    const shards: SectionManifest['shards'] = [];
    const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
    for (let shard = 0; shard < count; shard++) {
      const payload = bytes.subarray(shard * SHARD_BYTES, (shard + 1) * SHARD_BYTES);
      const crc = native.crc32c(0, payload);
      const file = `${name}.${shard}`;
      const header = { section: name, shard, shards: count, payloadBytes: payload.length, payloadCrc: crc };
      writeDurably(join(this.#directory, file), [encodeHeader(header), payload]);
      shards.push({ file, bytes: payload.length, crc32c: hex32(crc) });
    }
    this.#sections.push({ name, bytes: bytes.length, shards });
  }

  /** Writes the manifest and puts the index in place. */
  commit(body: ManifestBody): Manifest {
    const { format, version, ...rest } = body;
    const content = { ...rest, sections: this.#sections };
    const generation = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
    const manifest = { format, version, generation, ...content };
    const text = encodeManifest(manifest);
    writeDurably(join(this.#directory, 'manifest.json'), [new TextEncoder().encode(text)]);
    changing(this.#out, () => {
      syncDirectory(this.#directory);
      this.#intoPlace();
      syncDirectory(dirname(this.#out));
    });
    return JSON.parse(text);
  }

  /** Removes what was written so far. */
  abandon(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #intoPlace(): void {
    if (!existsSync(this.#out)) {
      renameSync(this.#directory, this.#out);
      return;
    }
    let replaced = this.#directory;
    if (!native.exchangePaths(this.#directory, this.#out)) {
      // Without an atomic exchange the old index steps aside first; it is never lost, only renamed.
      replaced = `${this.#out}.old-${process.pid}`;
      renameSync(this.#out, replaced);
      try {
        renameSync(this.#directory, this.#out);
      } catch (error) {
        renameSync(replaced, this.#out);
        throw error;
      }
    }
    rmSync(replaced, { recursive: true, force: true });
  }
}

/** Writes a file and waits until it is on disk. */
function writeDurably(path: string, parts: readonly Uint8Array[]): void {
  changing(path, () => {
    const file = openSync(path, 'wx');
    try {
      for (const part of parts) {
        for (let written = 0; written < part.length; ) {
          written += writeSync(file, part, written, Math.min(part.length - written, 1 << 26));
        }
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Runs changes of the file system; what the system refuses becomes an IndexError with the path and a remedy. */
function changing(path: string, changes: () => void): void {
  try {
    changes();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new IndexError(
      `${path}: cannot be written (${code ?? message}); check free space and permissions, or choose another --out`,
    );
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Whether the manifest is one of ours, of whatever version and however damaged; web pages have a manifest.json too. */
function holdsIndex(path: string): boolean {
  try {
    return readFileSync(join(path, 'manifest.json'), 'latin1').startsWith(MANIFEST_START);
  } catch {
    return false;
  }
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** Removes what builds that were killed left next to `out`; an index that had only stepped aside goes back. */
function removeAbandoned(out: string): void {
  for (const name of readdirSync(dirname(out))) {
    const rest = name.startsWith(basename(out)) ? name.slice(basename(out).length) : '';
    const [, kind, pid] = /^\.(building|old)-([0-9]+)$/.exec(rest) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(dirname(out), name);
    if (kind === 'old' && !existsSync(out)) renameSync(path, out);
    else rmSync(path, { recursive: true, force: true });
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
