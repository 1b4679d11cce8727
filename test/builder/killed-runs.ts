// Runs in processes of their own that are killed before a change of the file system, and resumed.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';

const [command, nodeArgs] = plainNode;

/** What a program that is killed prints when it lives: the changes it made, and what it went on from. */
export interface Lived<Resumed> {
  readonly changes: number;
  readonly resumed: Resumed;
}

/**
 * A program of a test: its file, and what it takes before the number of the change that it dies before (0: it lives) and
 * its threads. It makes the folder `out`, beside which nothing may be left.
 */
export interface KilledProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly out: string;
}

/** Runs to the end, resuming what is there. */
export function lived<Resumed>({ file, args }: KilledProgram, threads: number): Lived<Resumed> {
  const run = spawnSync(command, [...nodeArgs, file, ...args, '0', `${threads}`], { encoding: 'utf8' });
  try {
    return JSON.parse(run.stdout);
  } catch {
    throw new Error(run.stderr);
  }
}

/** Runs until before a change. */
export function killed({ file, args }: KilledProgram, before: number): NodeJS.Signals | null {
  return spawnSync(command, [...nodeArgs, file, ...args, `${before}`, '1'], { stdio: 'ignore' }).signal;
}

/**
 * Kills before the first change, some seeded ones and the last ones, which put the folder in place; resumes by another
 * number of threads to the same bytes. Returns what the resumed runs went on from.
 */
export function killedAndResumed<Resumed>(t: Test, program: KilledProgram, seeded: number): readonly Resumed[] {
  const { out } = program;
  const { changes } = lived<Resumed>(program, 1);
  const expected = contentsOf(out);
  const random = seededRandom(1, 'killed runs');
  const kills = [
    1,
    ...Array.from({ length: seeded }, () => 2 + random.below(changes - 6)),
    changes - 3,
    changes - 2,
    changes,
  ];
  return kills.map((before) => {
    rmSync(out, { recursive: true });
    t.equal(killed(program, before), 'SIGKILL', `before change ${before} of ${changes}`);
    if (existsSync(out)) t.strictSame(contentsOf(out), expected, 'whole, or not there');
    const { resumed } = lived<Resumed>(program, 2);
    t.strictSame(contentsOf(out), expected, 'the same bytes');
    t.strictSame(
      readdirSync(join(out, '..')).filter((name) => name.startsWith('out.')),
      [],
      'nothing is left beside it',
    );
    return resumed;
  });
}

function contentsOf(out: string): Record<string, Buffer> {
  return Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name))]));
}
