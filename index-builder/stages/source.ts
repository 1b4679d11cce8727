// What an index was made of: the input files by content, and by what says cheaply that they are the same.

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { ModalityManifest } from '../../src/index/format.ts';
import { InputFile } from '../readers/input-file.ts';

type SourceFile = ModalityManifest['source']['files'][number];

const READ_BYTES = 1 << 22;

/** Name, size and SHA-256 of input files; `onHashed` hears bytes done and in all. */
export function sourceFiles(paths: readonly string[], onHashed: (bytes: number, total: number) => void): SourceFile[] {
  const total = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let hashed = 0;
  return paths.map((path) => {
    const file = new InputFile(path);
    const hash = createHash('sha256');
    try {
      for (let at = 0; at < file.size; at += READ_BYTES) {
        const part = buffer.subarray(0, Math.min(READ_BYTES, file.size - at));
        file.read(at, part);
        hash.update(part);
        hashed += part.length;
        onHashed(hashed, total);
      }
      return { name: basename(path), bytes: file.size, sha256: hash.digest('hex') };
    } finally {
      file.close();
    }
  });
}

/** Size and time of change: cheap, and another when the file is written again. */
export function versionOf(path: string): string {
  try {
    const { size: bytes, mtimeMs } = statSync(path);
    return `${bytes} bytes of ${new Date(mtimeMs).toISOString()}`;
  } catch {
    return 'not there';
  }
}
