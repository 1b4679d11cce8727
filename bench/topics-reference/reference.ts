// scikit-learn's LatentDirichletAllocation through the Python program beside this file, where Python has it.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NpyType, npyHeader, openNpyArray } from '../../index-builder/readers/npy-array.ts';
import type { Batch } from '../../index-builder/topics/corpus.ts';
import type { LearnSettings } from '../../index-builder/topics/learn.ts';
import { packageRoot } from '../datasets/collections.ts';

export const INSTALL_HINT =
  'scikit-learn is not installed; on Debian: apt-get install python3-sklearn (FARSIGHT_PYTHON names another python3)';

const PROGRAM = join(packageRoot(), 'bench/topics-reference/reference.py');
const PYTHON = process.env['FARSIGHT_PYTHON'] ?? '/usr/bin/python3';

export interface ReferenceResult {
  /** Counts of words in topics, words x topics. */
  readonly counts: Float32Array;
  /** CPU time of learning. */
  readonly seconds: number;
  /** scikit-learn's perplexity() of its model, and of ours put into it. */
  readonly bound: number;
  readonly boundOfOurs: number;
}

/** The version of scikit-learn, or null where Python lacks it. */
export function referenceVersion(): string | null {
  const { status, stdout } = spawnSync(PYTHON, [PROGRAM, 'check'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** Writes texts where `trainReference` reads them. */
export function writeTexts(folder: string, name: 'train' | 'held_out', { starts, words, counts }: Batch): void {
  writeArray(join(folder, `${name}_starts.npy`), 'u4', [starts.length], starts);
  writeArray(join(folder, `${name}_words.npy`), 'u4', [words.length], words);
  writeArray(join(folder, `${name}_counts.npy`), 'f4', [counts.length], counts);
}

/** Learns from the texts in the folder, and measures `ours` (words x topics) by its own figure too. */
export function trainReference(
  folder: string,
  words: number,
  ours: Float32Array,
  settings: LearnSettings,
): ReferenceResult {
  writeArray(join(folder, 'ours.npy'), 'f4', [words, settings.topics], ours);
  const given = JSON.stringify({ ...settings, words });
  const answer = execFileSync(PYTHON, [PROGRAM, 'train', folder, given], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  const array = openNpyArray(join(folder, 'reference.npy'), ['f4']);
  try {
    return { ...JSON.parse(answer), counts: array.read(0, array.rows, array.allocate(array.rows)) };
  } finally {
    array.close();
  }
}

function writeArray(path: string, type: NpyType, shape: readonly number[], values: Uint32Array | Float32Array): void {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(path, Buffer.concat([npyHeader(type, shape), data]));
}
