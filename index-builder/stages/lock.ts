// Who is working in a directory: one file per process, named by its number and the time it started, so that a number
// that another process was given later is not taken for it.

import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { IndexError } from '../../src/index/format.ts';

const NAME = /^lock-([0-9]+)-([0-9]+)$/;
/** Fields of /proc/PID/stat behind the name in brackets: state is the first of them, the start time the twentieth. */
const START_FIELD = 19;

/**
 * Marks the directory as this process's; throws IndexError when another that lives has it. Every process leaves its
 * mark before it looks for others, so of two that come at once at least one sees the other.
 */
export function lockDirectory(directory: string): void {
  const mine = `lock-${process.pid}-${startOf(process.pid) ?? 0}`;
  closeSync(openSync(join(directory, mine), 'w'));
  for (const name of readdirSync(directory)) {
    const [, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || name === mine) continue;
    if (isRunning(Number(pid), Number(start))) {
      rmSync(join(directory, mine));
      throw new IndexError(
        `${directory}: process ${pid} is at work on it; wait until it ends, or choose another --out`,
      );
    }
    rmSync(join(directory, name), { force: true });
  }
}

export function isLock(name: string): boolean {
  return NAME.test(name);
}

function isRunning(pid: number, start: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return now === null || start === 0 || now === start;
}

/** When a process started, in ticks since the machine did; null where the system does not say. */
function startOf(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[START_FIELD]);
  } catch {
    return null;
  }
}
