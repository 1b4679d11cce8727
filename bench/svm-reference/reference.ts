// LIBLINEAR through the small C program beside this file, compiled on first use where the library is installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainingRows } from '../../src/models/model.ts';
import { packageRoot } from '../datasets/collections.ts';

export const INSTALL_HINT = 'LIBLINEAR is not installed; on Debian: apt-get install liblinear-dev';

export interface ReferenceResult {
  readonly objective: number;
  readonly ms: number;
}

export interface Reference {
  /** LIBLINEAR's solution of a problem at stopping tolerance `eps`. */
  train(rows: TrainingRows, loss: 'hinge' | 'squared_hinge', c: number, eps: number): ReferenceResult;
  close(): void;
}

/** Null where the compiler or the library is missing. */
export function openReference(): Reference | null {
  const folder = mkdtempSync(join(tmpdir(), 'farsight-liblinear-'));
  const close = (): void => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, 'reference');
  const source = join(packageRoot(), 'bench/svm-reference/reference.c');
  const compiled = spawnSync('cc', ['-O2', '-std=c11', '-o', program, source, '-llinear', '-lm']);
  if (compiled.status !== 0) {
    close();
    return null;
  }
  const file = join(folder, 'problem');
  return {
    train(rows, loss, c, eps) {
      writeFileSync(file, encode(rows));
      const words = [file, loss === 'hinge' ? '3' : '1', String(c), String(eps)];
      const [objective, seconds] = execFileSync(program, words, { encoding: 'utf8' }).split(' ').map(Number);
      return { objective: objective as number, ms: (seconds as number) * 1000 };
    },
    close,
  };
}

/** The layout that reference.c reads. */
function encode({ dims, perRow, ids, values, labels }: TrainingRows): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(12 + labels.length * (4 + 8 * perRow)));
  [labels.length, dims, perRow].forEach((number, i) => {
    bytes.setUint32(4 * i, number, true);
  });
  let at = 12;
  labels.forEach((label, row) => {
    bytes.setInt32(at, label, true);
    at += 4;
    for (let j = 0; j < perRow; j++, at += 8) {
      bytes.setUint32(at, ids === null ? j : (ids[row * perRow + j] as number), true);
      bytes.setFloat32(at + 4, values[row * perRow + j] as number, true);
    }
  });
  return new Uint8Array(bytes.buffer);
}
