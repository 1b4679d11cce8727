// The comparison of two revisions: on small real repositories with benches of known cost, and its arithmetic.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { cpuMsOf } from '../../bench/compare/process.ts';
import { measuredRows } from '../../bench/compare/rows.ts';
import { compareRow, LEAST_PAIRS, medianInterval } from '../../bench/compare/verdict.ts';
import { temporaryFolder } from '../support.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = fileURLToPath(new URL('../../bench/compare.js', import.meta.url));

t.test('two revisions are built, run in turns and compared row by row, and leave nothing behind', async (t) => {
  const { root, temporary } = repository(t);
  commit(root, 'slow', { steps: 30 });
  commit(root, 'fast', { steps: 10 });
  const words = ['slow', 'fast', '--bench', 'toy', '--keep-disturbed', '--json', '--', '--tag', 'given'];
  const { status, stdout, stderr } = compare(root, temporary, ...words);
  t.equal(status, 0, stderr);
  const result = JSON.parse(stdout);
  t.equal(result.pairs, LEAST_PAIRS);
  const rows = new Map<string, { ratio: { median: number; min: number; max: number }; verdict: string }>(
    result.rows.map((row: { name: string }) => [row.name, row]),
  );
  // The steps are counted, not timed, so the ratios are exact.
  for (const [name, ratio, verdict] of [
    ['given | steps | ms', 1 / 3, 'faster'],
    ['given | rate | roundsPerSecond', 3, 'faster'],
    ['given | same | ms', 1, 'no difference'],
  ] as const) {
    t.ok(Math.abs((rows.get(name)?.ratio.median ?? 0) - ratio) < 1e-12, name);
    t.equal(rows.get(name)?.verdict, verdict, name);
  }
  t.strictSame(result.left, ['given | only 30 | ms', 'given | only 10 | ms'], 'rows of one revision only are named');
  const turns = stderr.match(/^pair \d+: A .* B .* kept/gm) ?? [];
  t.equal(turns.length, LEAST_PAIRS);
  t.strictSame(readdirSync(temporary), [], 'the temporary folder is empty again');
  t.equal(worktrees(root), 1);
  t.ok(readdirSync(join(root, 'node_modules')).includes('kept'), 'the packages that were lent are still there');
});

t.test('a bench that waits is not taken for one that works: its pairs are discarded', async (t) => {
  const { root, temporary } = repository(t);
  commit(root, 'one', { steps: 1, waitMs: 300 });
  const { status, stderr } = compare(root, temporary, 'one', 'one', '--bench', 'toy', '--repetitions', '1');
  t.equal(status, 1);
  t.match(stderr, /pair 3: A .*: disturbed, discarded \(0 of 1\)\ncompare: all 3 pairs were disturbed/);
  t.strictSame(readdirSync(temporary), []);
});

t.test('an interrupt ends the bench and removes the worktrees', async (t) => {
  const { root, temporary } = repository(t);
  commit(root, 'one', { steps: 1, waitMs: 600_000 });
  const child = spawn(process.execPath, [COMMAND, 'one', 'one', '--bench', 'toy'], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const closed = once(child, 'close');
  const waiting = join(root, 'waiting');
  while (!readdirSync(root).includes('waiting') && child.exitCode === null) await pause(20);
  const bench = Number(readFileSync(waiting, 'utf8'));
  t.ok(runs(bench), 'the bench runs');
  child.kill('SIGINT');
  t.strictSame(await closed, [130, null], stderr);
  t.match(stderr, /interrupted by SIGINT/);
  t.notOk(runs(bench), 'the bench is gone');
  t.strictSame(readdirSync(temporary), []);
  t.equal(worktrees(root), 1);
});

t.test('what cannot be compared is refused by name', async (t) => {
  const { root, temporary } = repository(t);
  commit(root, 'good', { steps: 1 });
  commit(root, 'broken', { steps: 1, build: 'no-such-program' });
  const refused = (...words: readonly string[]) => compare(root, temporary, ...words);
  t.match(
    refused('good', 'missing').stderr,
    /compare: missing: no such revision in .*; name a commit, a branch or a tag/,
  );
  t.match(refused('good', 'good', '--bench', 'other').stderr, /compare: good has no bench other; it has toy/);
  const broken = refused('good', 'broken', '--bench', 'toy');
  t.match(broken.stderr, /compare: npm run build ended with 127 in .*no-such-program/s);
  t.equal(broken.status, 1);
  t.strictSame([refused('good').status, refused('a', 'b', '--bench', '../x').status], [2, 2]);
  t.equal(worktrees(root), 1);
  t.strictSame(readdirSync(temporary), []);
});

t.test('the rows of every committed run have names of their own', async (t) => {
  const folder = join(ROOT, 'bench/runs');
  const rowsOf = (end: string) => {
    const [file] = readdirSync(folder).filter((name) => name.endsWith(end));
    return measuredRows(JSON.parse(readFileSync(join(folder, file as string), 'utf8')));
  };
  for (const [bench, name] of [
    ['kernels', 'score ratio 6 of 128, in cache | ns scalar'],
    ['http', 'JSON, 10+100 | connections=1 | p50Ms'],
    ['scale-99206564-items', 'rounds | b=256, rows kept | labels=1200 | wall p99'],
    ['scale-99206564-items', 'exhaustive | exhaustive w=2 | wall median'],
    ['scale-99206564-items', 'memory | rssMib'],
  ] as const) {
    const rows = rowsOf(`-${bench}.json`);
    t.ok(rows.length > 10, `${bench}: ${rows.length} rows`);
    t.ok(
      rows.some((row) => row.name.endsWith(name)),
      `${bench}: ${name}`,
    );
  }
  for (const bench of ['round', 'svm', 'assign']) t.ok(rowsOf(`-${bench}.json`).length > 10, bench);
  t.throws(
    () =>
      measuredRows({
        rows: [
          { name: 'a', ms: 1 },
          { name: 'a', ms: 2 },
        ],
      }),
    /two rows are called "a \| ms"/,
  );
});

t.test('the interval of the median is the one of the sign test', async (t) => {
  const sorted = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  // Two-sided coverage of [x_k, x_(n+1-k)] is 1 - 2 P(Bin(n, 1/2) < k): 8 pairs give .992 with k = 1, 7 only .984.
  t.equal(medianInterval(sorted(7), 0.99), null);
  t.strictSame(medianInterval(sorted(8), 0.99), [1, 8]);
  // Tables of the sign test: n = 20, k = 4 has .9974, k = 5 has .9882; n = 25, 95 %: k = 8.
  t.strictSame(medianInterval(sorted(20), 0.99), [4, 17]);
  t.strictSame(medianInterval(sorted(25), 0.95), [8, 18]);
  t.equal(medianInterval([], 0.99), null);
});

t.test('verdicts follow the better direction and need all of eight pairs', async (t) => {
  const pairs = (ratios: readonly number[], better: 'lower' | 'higher') =>
    compareRow(
      'row',
      ratios.map(
        (ratio) =>
          [
            { name: 'row', value: 2, better },
            { name: 'row', value: 2 * ratio, better },
          ] as const,
      ),
    );
  const below = [0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97];
  t.equal(pairs(below, 'lower').verdict, 'faster');
  t.equal(pairs(below, 'higher').verdict, 'slower');
  t.equal(
    pairs(
      below.map((ratio) => 1 / ratio),
      'lower',
    ).verdict,
    'slower',
  );
  t.equal(pairs([...below.slice(1), 1.01], 'lower').verdict, 'no difference');
  t.equal(pairs(below.slice(1), 'lower').verdict, 'too few pairs');
  t.strictSame(pairs(below, 'lower').ratio, { median: 0.935, min: 0.9, max: 0.97 });
});

t.test("the shell's times are read in its forms", async (t) => {
  t.equal(cpuMsOf('0m0.000000s 0m0.010000s\n1m2.500000s 0m0.250000s\n'), 62_750);
  t.equal(cpuMsOf('0m0.001s 0m0.002s\n0m1.230s 0m0.020s\n'), 1250);
  t.throws(() => cpuMsOf('user 1.0'), /not two lines of times/);
});

interface Toy {
  readonly steps: number;
  readonly waitMs?: number;
  readonly build?: string;
}

/** A git repository with packages installed, and a temporary folder for what the command makes. */
function repository(t: Test): { readonly root: string; readonly temporary: string } {
  const folder = temporaryFolder(t);
  const root = join(folder, 'repository');
  const temporary = join(folder, 'temporary');
  for (const path of [join(root, 'node_modules/kept'), temporary]) mkdirSync(path, { recursive: true });
  git(root, 'init', '--quiet');
  writeFileSync(join(root, '.gitignore'), 'node_modules\nwaiting\n');
  writeFileSync(join(root, 'package-lock.json'), '{}\n');
  return { root, temporary };
}

/** Commits a bench whose numbers are known, under a branch name. */
function commit(root: string, name: string, { steps, waitMs = 0, build = 'node build.mjs' }: Toy): void {
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', scripts: { build } }));
  writeFileSync(
    join(root, 'build.mjs'),
    "import fs from 'node:fs'; fs.mkdirSync('dist/bench', { recursive: true }); fs.copyFileSync('toy.js', 'dist/bench/toy.bench.js');",
  );
  writeFileSync(
    join(root, 'toy.js'),
    `import fs from 'node:fs';
const tag = process.argv[3] ?? 'none';
const rows = [{ name: 'steps', ms: ${steps} }, { name: 'rate', roundsPerSecond: ${600 / steps} }, { name: 'same', ms: 5 }, { name: 'only ${steps}', ms: 1 }];
fs.mkdirSync('bench/runs', { recursive: true });
fs.writeFileSync('bench/runs/toy.json', JSON.stringify({ name: 'toy', dataset: tag, rows }));
const note = ${JSON.stringify(join(root, 'waiting'))};
if (${waitMs} >= 60000) {
  fs.writeFileSync(note + '.part', String(process.pid));
  fs.renameSync(note + '.part', note);
}
await new Promise((resolve) => setTimeout(resolve, ${waitMs}));
`,
  );
  git(root, 'checkout', '--quiet', '-B', name);
  git(root, 'add', '--all');
  git(root, '-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', name);
}

function compare(root: string, temporary: string, ...words: readonly string[]) {
  const env = { ...process.env, TMPDIR: temporary };
  return spawnSync(process.execPath, [COMMAND, ...words], { cwd: root, env, encoding: 'utf8' });
}

function worktrees(root: string): number {
  return git(root, 'worktree', 'list').trim().split('\n').length;
}

function git(root: string, ...words: readonly string[]): string {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8' });
}

/** Whether a process runs: one that has ended may stay in the table until its new parent asks for it. */
function runs(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
