// How benches measure: contestants take turns (A B A B …) in one process, repetitions outermost, wall time per call and
// CPU time per repetition; nothing is discarded, disturbed repetitions are counted. Results go to bench/runs.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';
import { native } from '../src/native.ts';
import { packageRoot } from './datasets/collections.ts';

export interface Contestant {
  readonly name: string;
  /** Handles input i and returns something of the result, so that it is not optimised away. */
  readonly run: (input: number) => unknown;
}

/** Times of one contestant in milliseconds per call. */
export interface Measurement {
  readonly name: string;
  readonly calls: number;
  /** Wall time, over all calls. */
  readonly wall: Quantiles;
  /** The median call of the repetition that took least. */
  readonly leastMedian: number;
  /** CPU time of all threads of the process: median over repetitions of the mean call. */
  readonly cpu: number;
  /** The same of the repetition with the least: what else the machine does, and its host, only adds to that. */
  readonly leastCpu: number;
  /** CPU time over that of the first contestant, pair by pair: median and range over repetitions. */
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number };
  /** Repetitions whose wall time exceeds their CPU time by more than 5 %: something else ran meanwhile. */
  readonly disturbed: number;
  readonly repetitions: number;
}

export interface Quantiles {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Calls before the first measured one, per contestant: the compiler's and the caches' time to settle. */
const WARMUP_CALLS = 20;
const DISTURBED = 1.05;

/** Runs every contestant on inputs 0 … inputs - 1, `repetitions` times in turns. */
export function compare(
  contestants: readonly Contestant[],
  { inputs, repetitions }: { readonly inputs: number; readonly repetitions: number },
): readonly Measurement[] {
  const warmupCalls = Math.min(inputs, WARMUP_CALLS);
  for (const { run } of contestants) for (let i = 0; i < warmupCalls; i++) consume(run(i));
  const samples = contestants.map(() => ({ calls: new Float64Array(inputs * repetitions), wall: [0], cpu: [0] }));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    contestants.forEach(({ run }, c) => {
      const { calls, wall, cpu } = samples[c] as (typeof samples)[number];
      const cpuBefore = cpuMs();
      const before = performance.now();
      let last = before;
      for (let i = 0; i < inputs; i++) {
        consume(run(i));
        const now = performance.now();
        calls[repetition * inputs + i] = now - last;
        last = now;
      }
      wall[repetition] = last - before;
      cpu[repetition] = cpuMs() - cpuBefore;
    });
  }
  const [first] = samples as [(typeof samples)[number]];
  return samples.map(({ calls, wall, cpu }, c) => {
    const ratios = cpu.map((ms, r) => ms / (first.cpu[r] as number)).sort((a, b) => a - b);
    return {
      name: (contestants[c] as Contestant).name,
      calls: calls.length,
      wall: quantiles(calls),
      leastMedian: Math.min(...wall.map((_, r) => quantiles(calls.subarray(r * inputs, (r + 1) * inputs)).median)),
      cpu: quantiles(cpu).median / inputs,
      leastCpu: quantiles(cpu).min / inputs,
      ratio: { median: quantile(ratios, 0.5), least: ratios[0] as number, most: ratios.at(-1) as number },
      disturbed: wall.filter((ms, r) => isDisturbed(ms, cpu[r] as number)).length,
      repetitions,
    };
  });
}

/** Whether so much wall time against CPU time says that something else had the core. */
export function isDisturbed(wallMs: number, cpuMs: number): boolean {
  return wallMs > DISTURBED * cpuMs;
}

/** Quantiles by nearest rank: the least value that at least such a share of all do not exceed. */
export function quantiles(values: ArrayLike<number>): Quantiles {
  const sorted = Array.from(values).sort((a, b) => a - b);
  return {
    min: quantile(sorted, 0),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** Fewer calls have no 99th percentile but their worst. */
const LEAST_P99_CALLS = 100;

/** The column of a table that says how bad calls get. */
export function tail({ calls, wall }: Pick<Measurement, 'calls' | 'wall'>): Readonly<Record<string, string>> {
  return calls < LEAST_P99_CALLS ? { most: short(wall.max) } : { p99: short(wall.p99) };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Writes bench/runs/<date>-<cpu>-<name>[-<subject>].json: machine, revision, what was run, numbers. Returns its path. The
 * subject keeps runs of one bench on different things apart, which else replace each other within a day.
 */
export function writeRun(name: string, run: Readonly<Record<string, unknown>>, subject?: string): string {
  const started = new Date();
  const cpu = cpuModel()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const file = [started.toISOString().slice(0, 10), cpu, name, ...(subject === undefined ? [] : [subject])].join('-');
  const folder = join(packageRoot(), 'bench/runs');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${file}.json`);
  const command = commandLine(['node', join(packageRoot(), `dist/bench/${name}.bench.js`), ...process.argv.slice(2)]);
  const record = { name, date: started.toISOString(), command, machine: machine(), revision: revision(), ...run };
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  return path;
}

/** What was run, from the words of process.argv. Where files lie on this machine is nobody else's business. */
export function commandLine([, script = '', ...words]: readonly string[]): string {
  const own = relative(packageRoot(), script);
  const program = /^farsight(\.js)?$/.test(basename(script))
    ? 'farsight'
    : `node ${own.startsWith('..') ? basename(script) : own}`;
  // At the beginning of a word or of a key's value.
  return [program, ...words.map((word) => word.replaceAll(/(^|=)\/(?:[^/,=]+\/)*(?=[^/,=])/g, '$1'))].join(' ');
}

/** What the numbers depend on besides the code. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpuModel(),
    cores: availableParallelism(),
    /** Processes that wanted a core in the last minute, this one included: above the cores, wall times mean little. */
    load: Math.round((loadavg()[0] as number) * 10) / 10,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    isa: native.isa(),
  };
}

/** Prints a table: text to the left, numbers to the right. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? '')));
  const numeric = columns.map((_, c) => cells.every((line) => /^$|^[-+~<>]?[0-9.]/.test(line[c] as string)));
  const widths = columns.map((column, c) =>
    Math.max(column.length, ...cells.map((line) => (line[c] as string).length)),
  );
  const lay = (line: readonly string[]): string =>
    line
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c] as number) : cell.padEnd(widths[c] as number)))
      .join('  ')
      .trimEnd();
  const lines = [lay(columns), lay(widths.map((width) => '-'.repeat(width))), ...cells.map(lay)];
  process.stdout.write(`\n${title}\n${lines.join('\n')}\n`);
}

/** A number with three significant digits, without exponent. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(6, Math.max(0, digits)));
}

/** Milliseconds of CPU that the process has used: Node 20 cannot tell that of one thread. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let consumed: unknown;

/** Keeps a result alive past the call that made it. */
function consume(result: unknown): void {
  consumed = consumed === result ? null : result;
}

/** The value of rank ceil(share * n); less a little, as 0.07 * 100 is not 7 in double arithmetic. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] as number;
}

function cpuModel(): string {
  return cpus()[0]?.model.trim() ?? 'unknown';
}

/** The commit, with + when the tree has changes, new results aside; null outside a repository. */
export function revision(): string | null {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: packageRoot(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', '--short=12', 'HEAD') +
      (git('status', '--porcelain', '--', ':/', ':(top,exclude)bench/runs') === '' ? '' : '+')
    );
  } catch {
    return null;
  }
}
