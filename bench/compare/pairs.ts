// A B A B …: one bench of two checkouts in fresh processes, until enough pairs are undisturbed.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkout } from './checkout.ts';
import { type Ran, run } from './process.ts';
import { type MeasuredRow, measuredRows } from './rows.ts';

/** SPEED.md: a run whose wall time exceeds its CPU time by more than 5 % shared its core with something else. */
export const DISTURBED = 1.05;
/** Pairs tried for each one wanted, before giving up on a busy machine. */
export const MOST_TRIES = 3;

export interface Bench {
  readonly name: string;
  readonly args: readonly string[];
  readonly cores: string | undefined;
  readonly keepDisturbed: boolean;
}

export interface Pairs {
  readonly kept: readonly (readonly [a: readonly MeasuredRow[], b: readonly MeasuredRow[]])[];
  readonly discarded: number;
}

/** Runs each once unmeasured (it fills caches and builds indexes), then pairs until `wanted` are kept. */
export async function runPairs(
  [a, b]: readonly [Checkout, Checkout],
  bench: Bench,
  wanted: number,
  signal: AbortSignal,
): Promise<Pairs> {
  for (const checkout of [a, b]) {
    const ran = await runBench(checkout, bench, signal);
    process.stderr.write(`unmeasured run of ${checkout.revision}: ${told(ran)}\n`);
  }
  const kept: (readonly [readonly MeasuredRow[], readonly MeasuredRow[]])[] = [];
  let tried = 0;
  while (kept.length < wanted && tried < wanted * MOST_TRIES) {
    tried++;
    const first = await runBench(a, bench, signal);
    const second = await runBench(b, bench, signal);
    const disturbed = [first, second].some(({ wallMs, cpuMs }) => wallMs > DISTURBED * cpuMs);
    const keep = bench.keepDisturbed || !disturbed;
    if (keep) kept.push([first.rows, second.rows]);
    process.stderr.write(
      `pair ${tried}: A ${told(first)}, B ${told(second)}: ${disturbed ? 'disturbed, ' : ''}${keep ? 'kept' : 'discarded'}` +
        ` (${kept.length} of ${wanted})\n`,
    );
  }
  return { kept, discarded: tried - kept.length };
}

async function runBench(
  { revision, folder }: Checkout,
  { name, args, cores }: Bench,
  signal: AbortSignal,
): Promise<Ran & { readonly rows: readonly MeasuredRow[] }> {
  const program = join('dist/bench', `${name}.bench.js`);
  if (!existsSync(join(folder, program))) {
    const known = readdirSync(join(folder, 'dist/bench')).flatMap((file) => /^(.+)\.bench\.js$/.exec(file)?.[1] ?? []);
    throw new Error(`${revision} has no bench ${name}; it has ${known.join(', ')}`);
  }
  // The only result file afterwards is the one of this run.
  const results = join(folder, 'bench/runs');
  rmSync(results, { recursive: true, force: true });
  const ran = await run([process.execPath, program, ...args], { cwd: folder, signal, cores });
  const [file, ...more] = existsSync(results) ? readdirSync(results) : [];
  if (file === undefined || more.length > 0) {
    throw new Error(
      `${revision}: ${program} wrote ${more.length + (file === undefined ? 0 : 1)} files to bench/runs, expected one`,
    );
  }
  const rows = measuredRows(JSON.parse(readFileSync(join(results, file), 'utf8')));
  if (rows.length === 0) throw new Error(`${revision}: ${program} measures no times; compare one that does`);
  return { ...ran, rows };
}

function told({ wallMs, cpuMs }: Ran): string {
  return `${(wallMs / 1000).toFixed(2)} s (CPU ${(cpuMs / 1000).toFixed(2)} s)`;
}
