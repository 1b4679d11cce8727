// Two revisions beside each other on this machine: is B faster than A?
//
//   node dist/bench/compare.js REV_A REV_B [--bench kernels] [--repetitions 8] [-- arguments of the bench]

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags, UsageError, wholeFlag } from '../src/commands/command.ts';
import { build, type Checkout, commitOf, installedIn, remove, rootOf } from './compare/checkout.ts';
import { DISTURBED, MOST_TRIES, type Pairs, runPairs } from './compare/pairs.ts';
import type { MeasuredRow } from './compare/rows.ts';
import { CONFIDENCE, type Comparison, compareRow, LEAST_PAIRS } from './compare/verdict.ts';
import { printTable, short } from './measure.ts';

const MAX_REPETITIONS = 1000;

const HELP = `node dist/bench/compare.js REV_A REV_B [options] [-- arguments of the bench]

Checks both revisions out into git worktrees under the temporary folder, builds them, runs one bench of each in turns
(A B A B …, a fresh process each time, on one core) and prints the ratio B/A of every measured row over the pairs.

  --bench NAME        dist/bench/NAME.bench.js of both revisions (default kernels)
  --repetitions N     pairs wanted (default ${LEAST_PAIRS}); one run of each goes before and does not count
  --core N            the core to run on (default the last one); needs taskset
  --keep-disturbed    use pairs in which something else ran, too
  --json              print the comparison as JSON

A pair is discarded when the wall time of one of its runs exceeds its CPU time by more than ${Math.round(100 * (DISTURBED - 1))} %: something else had the
core meanwhile. After ${MOST_TRIES} tries for each pair wanted the rest is given up. "faster" and "slower" mean that the ${100 * CONFIDENCE} %
interval of the median ratio (sign test) does not hold 1; with ${LEAST_PAIRS} pairs, that all of them agree.`;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupt.abort(new Error(`interrupted by ${signal}; the worktrees are removed`)));
}
process.exitCode = await main(process.argv.slice(2));

/** 0 on success, 2 on bad usage, 1 on failure, 130 when interrupted. */
async function main(args: readonly string[]): Promise<number> {
  try {
    await compareRevisions(args);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`compare: ${message}\n`);
    if (interrupt.signal.aborted) return 130;
    return error instanceof UsageError ? 2 : 1;
  }
}

async function compareRevisions(args: readonly string[]): Promise<void> {
  const cut = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals } = parseFlags(args.slice(0, cut), {
    bench: { type: 'string' },
    repetitions: { type: 'string' },
    core: { type: 'string' },
    'keep-disturbed': { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  if (positionals.length !== 2) throw new UsageError('two revisions are needed: REV_A REV_B; see --help');
  const name = values.bench ?? 'kernels';
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new UsageError(`--bench ${name}: expected the NAME of dist/bench/NAME.bench.js`);
  const wanted = wholeFlag('repetitions', values.repetitions, LEAST_PAIRS, 1, MAX_REPETITIONS);
  const last = availableParallelism() - 1;
  const core = wholeFlag('core', values.core, last, 0, last);
  const root = rootOf(process.cwd());
  const parent = mkdtempSync(join(tmpdir(), 'farsight-compare-'));
  const [revisionA, revisionB] = positionals as [string, string];
  try {
    const checkouts = [
      { revision: revisionA, commit: commitOf(root, revisionA), folder: join(parent, 'a') },
      { revision: revisionB, commit: commitOf(root, revisionB), folder: join(parent, 'b') },
    ] as const;
    const installed = installedIn(root);
    for (const checkout of checkouts) {
      process.stderr.write(`building ${checkout.revision} (${checkout.commit.slice(0, 12)})\n`);
      await build(root, checkout, installed, interrupt.signal);
    }
    const cores = pinnable(core) ? String(core) : undefined;
    if (cores === undefined) process.stderr.write(`taskset cannot pin to core ${core} here: not pinned\n`);
    const bench = { name, args: args.slice(cut + 1), cores, keepDisturbed: values['keep-disturbed'] ?? false };
    const pairs = await runPairs(checkouts, bench, wanted, interrupt.signal);
    report(checkouts, name, pairs, values.json ?? false);
  } finally {
    remove(root, [parent]);
  }
}

function report([a, b]: readonly [Checkout, Checkout], bench: string, { kept, discarded }: Pairs, json: boolean): void {
  if (kept.length === 0) {
    throw new Error(`all ${discarded} pairs were disturbed: quieten the machine, or pass --keep-disturbed`);
  }
  const { comparisons, left } = compareAll(kept);
  if (json) {
    const sides = { a: a.commit, b: b.commit, bench, pairs: kept.length, discarded };
    process.stdout.write(`${JSON.stringify({ ...sides, rows: comparisons, left }, null, 2)}\n`);
    return;
  }
  printTable(
    `${bench}: A = ${a.revision} (${a.commit.slice(0, 12)}), B = ${b.revision} (${b.commit.slice(0, 12)}); ` +
      `${kept.length} pairs kept, ${discarded} discarded`,
    comparisons.map((row) => ({
      row: row.name,
      A: short(row.a),
      B: short(row.b),
      'B/A': row.ratio.median.toFixed(3),
      min: row.ratio.min.toFixed(3),
      max: row.ratio.max.toFixed(3),
      verdict: row.verdict,
    })),
  );
  const counts = (['faster', 'slower', 'no difference', 'too few pairs'] as const).flatMap((verdict) => {
    const count = comparisons.filter((row) => row.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  process.stdout.write(`\nB against A: ${counts.join(', ')}\n`);
  for (const name of left) process.stdout.write(`not compared: ${name}\n`);
}

/** Rows that every kept run has with a positive value; the names of the others. */
function compareAll(kept: Pairs['kept']): { comparisons: readonly Comparison[]; left: readonly string[] } {
  const runs = kept.flat().map((rows) => new Map(rows.map((row) => [row.name, row])));
  const names = [...new Set(runs.flatMap((rows) => [...rows.keys()]))];
  const comparable = names.filter((name) => runs.every((rows) => (rows.get(name)?.value ?? 0) > 0));
  if (comparable.length === 0) throw new Error('the two revisions have no row in common');
  const comparisons = comparable.map((name) =>
    compareRow(
      name,
      kept.map(([a, b]) => [rowOf(a, name), rowOf(b, name)]),
    ),
  );
  return { comparisons, left: names.filter((name) => !comparable.includes(name)) };
}

function rowOf(rows: readonly MeasuredRow[], name: string): MeasuredRow {
  return rows.find((row) => row.name === name) as MeasuredRow;
}

function pinnable(core: number): boolean {
  return spawnSync('taskset', ['-c', String(core), 'true']).status === 0;
}
