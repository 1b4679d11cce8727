// scikit-learn through the Python script beside this file, where it is installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../datasets/collections.ts';

export const INSTALL_HINT = 'scikit-learn is not installed; on Debian: apt-get install python3-sklearn';

const PYTHON = '/usr/bin/python3';

/** Rows with labels of 1 and -1, training ones first. */
export interface Split {
  readonly train: number;
  readonly dims: number;
  readonly labels: Int8Array;
  readonly rows: Float32Array;
}

export interface Reference {
  /** MLPClassifier, or LogisticRegression without hidden layers: its AUC on the test rows and the time to train. */
  train(split: Split, hidden: readonly number[], c: number): { readonly auc: number; readonly ms: number };
  close(): void;
}

/** Null where scikit-learn is missing. */
export function openReference(): Reference | null {
  if (spawnSync(PYTHON, ['-c', 'import sklearn']).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'farsight-sklearn-'));
  const script = join(packageRoot(), 'bench/mlp-reference/reference.py');
  const file = join(folder, 'problem');
  return {
    train({ train, dims, labels, rows }, hidden, c) {
      const head = Uint32Array.of(train, labels.length - train, dims);
      writeFileSync(file, Buffer.concat([head, labels, rows].map((part) => Buffer.from(part.buffer))));
      const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
      return JSON.parse(
        execFileSync(PYTHON, [script, file, hidden.join(','), String(c)], { env, encoding: 'utf8' }),
      ) as { auc: number; ms: number };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
