// Who is working in a directory: one file per process, named by its number and the time it started, so that a number
// that another process was given later is not taken for it.

import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const NAME = /^lock-([0-9]+)-([0-9]+)$/;
/** Fields of /proc/PID/stat behind the name in brackets: state is the first of them, the start time the twentieth. */
const START_FIELD = 19;

/**
 * Marks the directory as this process's and gives null, or the number of another process that lives and has it. Every
 * process leaves its mark before it looks for others, so of two that come at once at least one sees the other.
 */
export function takeDirectory(directory: string): number | null {
  const mine = markOf(process.pid);
  closeSync(openSync(join(directory, mine), 'w'));
  for (const name of readdirSync(directory)) {
    const [, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || name === mine) continue;
    if (isRunning(Number(pid), Number(start))) {
      rmSync(join(directory, mine));
      return Number(pid);
    }
    rmSync(join(directory, name), { force: true });
  }
  return null;
}

/** Takes the mark of this process away. */
export function leaveDirectory(directory: string): void {
  rmSync(join(directory, markOf(process.pid)), { force: true });
}

export function isLock(name: string): boolean {
  return NAME.test(name);
}

function markOf(pid: number): string {
  return `lock-${pid}-${startOf(pid) ?? 0}`;
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
