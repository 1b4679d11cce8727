// The farsight program as a child process.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** The program's file. */
export const bin = fileURLToPath(new URL('../../../bin/farsight.js', import.meta.url));

/** Settings of the program that this process was started with do not count. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FARSIGHT_')));

/**
 * What to spawn for a Node process without the loaders that the test runner puts into every child by NODE_OPTIONS:
 * they double its start and write files of their own.
 */
export const plainNode: readonly [command: string, args: readonly string[]] = [
  'env',
  ['-u', 'NODE_OPTIONS', process.execPath],
];

const [command, nodeArgs] = plainNode;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function farsight(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(command, [...nodeArgs, bin, ...args], { encoding: 'utf8', env });
  return { code: status, stdout, stderr };
}

/** A command that goes on, ended after the test; `until` resolves with its output once that matches. */
export function startFarsight(
  t: Test,
  ...args: readonly string[]
): { child: ChildProcess; until: (pattern: RegExp) => Promise<string> } {
  const child = spawn(command, [...nodeArgs, bin, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  const arrived = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(output)) resolve(output);
      };
      child.stdout?.on('data', look);
      child.on('exit', (code) => reject(new Error(`ended with ${code} after printing ${JSON.stringify(output)}`)));
      look();
    });
  child.stdout?.on('data', (bytes) => {
    output += bytes;
  });
  return { child, until: arrived };
}
