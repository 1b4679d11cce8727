// The hot loops, each instruction set in a process of its own (KERNELS_ISA), in cache and out of it, beside the scalar
// table and a plain JavaScript float32 loop.
//
//   node dist/bench/kernels.bench.js [--passes 3] [--under 'taskset -c 1']
//
// ns are CPU time per vector, or per what the row says, the least of all repetitions. A kernel that JavaScript cannot call is measured within the exported
// operation that it is most of; the files of bench/kernels say which. --under: a command that runs each process.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { assignmentLines } from './kernels/assignment.ts';
import { fineLines, reachLines, selectLines } from './kernels/best-items.ts';
import { type Line, SEED } from './kernels/line.ts';
import { listLines } from './kernels/lists.ts';
import { ratioCodes, sq8Codes } from './kernels/random-codes.ts';
import { foldedCodes, rabitqCodes } from './kernels/residual-codes.ts';
import { givenLines, scanLines } from './kernels/scans.ts';
import { networkLines, networkTrainingLines, svmLines } from './kernels/training.ts';
import { printTable, short, writeRun } from './measure.ts';

const ISAS = ['scalar', 'avx2', 'avx512', 'neon'];
const RATIOS = [
  [128, 6],
  [1024, 5],
  [1024, 6],
  [1024, 7],
  [12_988, 5],
] as const;

const { values: flags } = parseArgs({
  options: {
    passes: { type: 'string', default: '3' },
    under: { type: 'string', default: '' },
    child: { type: 'boolean' },
  },
});
if (flags.child) process.stdout.write(JSON.stringify(await measureAll()));
else report(Number(flags.passes), flags.under.split(' ').filter(Boolean));

/** What one family took of memory goes before the next is opened: gigabytes, which the finalisers of handles give back. */
async function measureAll(): Promise<readonly Line[]> {
  const families: readonly (() => readonly Line[])[] = [
    ...RATIOS.map(
      ([dims, features]) =>
        () =>
          scanLines(ratioCodes(dims, features)),
    ),
    ...[64, 128, 512, 1280].map((dims) => () => scanLines(sq8Codes(dims))),
    ...[128, 1280].flatMap((dims) => [
      ...([1, 2, 4] as const).map((bits) => () => scanLines(rabitqCodes(dims, bits))),
      () => scanLines(foldedCodes(dims)),
    ]),
    reachLines,
    fineLines,
    selectLines,
    ...[ratioCodes(12_988, 5), sq8Codes(128), sq8Codes(1280)].map((codes) => () => givenLines(codes)),
    listLines,
    networkLines,
    networkTrainingLines,
    svmLines,
    assignmentLines,
  ];
  const lines: Line[] = [];
  for (const family of families) {
    lines.push(...family());
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return lines;
}

/** Runs the instruction sets in turns, `passes` times, and takes the least of each line. */
function report(passes: number, under: readonly string[]): void {
  const runs = new Map<string, Line[][]>();
  for (let pass = 0; pass < passes; pass++) {
    for (const isa of ISAS) {
      const [command, ...words] = [...under, process.execPath, '--expose-gc', process.argv[1] as string, '--child'];
      const child = spawnSync(command as string, words, {
        env: { ...process.env, KERNELS_ISA: isa },
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      });
      // A table that this CPU does not run refuses to load.
      if (child.status !== 0 && child.stderr.includes('cannot run here')) continue;
      if (child.status !== 0) throw new Error(`${isa}: ${child.stderr}`);
      runs.set(isa, [...(runs.get(isa) ?? []), JSON.parse(child.stdout) as Line[]]);
    }
  }
  const isas = [...runs.keys()];
  const best = isas.at(-1) as string;
  const least = (isa: string, i: number, of: (line: Line) => number | null): number =>
    Math.min(...(runs.get(isa) as Line[][]).map((lines) => of(lines[i] as Line) ?? Number.NaN));
  const results = ((runs.get(best) as Line[][])[0] as Line[]).map(({ kernel, unit, bytes, javascriptNs }, i) => ({
    kernel,
    unit,
    bytes,
    ns: Object.fromEntries(isas.map((isa) => [isa, least(isa, i, ({ ns }) => ns)])),
    javascriptNs: javascriptNs === null ? null : least(best, i, (line) => line.javascriptNs),
  }));
  printTable(
    `Kernels, ns per unit of CPU time (least of ${passes} processes each, in turns; seed ${SEED})`,
    results.map(({ kernel, unit, bytes, ns, javascriptNs }) => {
      const bestNs = ns[best] as number;
      return {
        kernel,
        unit,
        javascript: javascriptNs === null ? '' : short(javascriptNs),
        ...Object.fromEntries(isas.map((isa) => [isa, short(ns[isa] as number)])),
        'GB/s': bytes === 0 ? '' : short(bytes / bestNs),
        'x scalar': short((ns.scalar as number) / bestNs),
        'x javascript': javascriptNs === null ? '' : short(javascriptNs / bestNs),
      };
    }),
  );
  process.stdout.write(`\n${writeRun('kernels', { seed: SEED, passes, results })}\n`);
}
