// A program run to its end: its output, and the CPU time of it and all its descendants. Interrupting ends the whole group.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ran {
  readonly output: string;
  readonly wallMs: number;
  /** User and system time of the program and the descendants that it waited for. */
  readonly cpuMs: number;
}

/** Characters of output that are kept, and lines that an error shows. */
const MAX_OUTPUT = 2 ** 22;
const SHOWN_LINES = 15;

/** Node tells no CPU time of its children; the shell does, in the second line of `times`. */
const TIMED = '"$@"; status=$?; times > "$0"; exit $status';

/** Runs `words` in a folder. Rejects with the end of its output when it fails, and when the signal aborts it. */
export async function run(
  words: readonly string[],
  { cwd, signal, cores }: { readonly cwd: string; readonly signal: AbortSignal; readonly cores?: string | undefined },
): Promise<Ran> {
  signal.throwIfAborted();
  const scratch = mkdtempSync(join(tmpdir(), 'farsight-times-'));
  const timesFile = join(scratch, 'times');
  const pinned = cores === undefined ? [] : ['taskset', '-c', cores];
  const [program = 'sh', ...rest] = [...pinned, 'sh', '-c', TIMED, timesFile, ...words];
  const started = performance.now();
  try {
    // A group of its own, so that what the program started ends with it.
    const child = spawn(program, rest, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const kill = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', kill, { once: true });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    signal.removeEventListener('abort', kill);
    signal.throwIfAborted();
    const wallMs = performance.now() - started;
    if (code !== 0) {
      const end = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
      throw new Error(`${words.join(' ')} ended with ${code ?? 'a signal'} in ${cwd}:\n${end}`);
    }
    return { output, wallMs, cpuMs: cpuMsOf(readFileSync(timesFile, 'utf8')) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The second line of `times`, as in `0m1.250s 0m0.030s`: user and system time of the children. */
export function cpuMsOf(times: string): number {
  const parts = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) throw new Error(`the shell's times are not two lines of times: ${JSON.stringify(times)}`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + 60_000 * Number(minutes) + 1000 * Number(seconds), 0);
}
