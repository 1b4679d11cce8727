// farsight generate

import { availableParallelism } from 'node:os';
import type { Trait } from '../../index-builder/generate/traits.ts';
import { type Generated, generateYfcc, LEAST_ITEMS, MOST_ITEMS } from '../../index-builder/generate/yfcc.ts';
import { type Command, ProgressLine, parseFlags, print, UsageError, wholeFlag } from './command.ts';

const DEFAULT_SEED = 0;
const MAX_THREADS = 256;

export const generate: Command = {
  summary: 'make a large collection with known answers',
  help: `farsight generate yfcc --items N --out DIR [options]

Makes a collection with the traits the papers report of YFCC100M: 1000 concept scores and 100 topics an item (the six
largest of each), and 50 cities as what actors look for. It takes 49 bytes an item. Afterwards it measures what it wrote
and prints each trait beside the range asked for; exit 1 when one does not hold.

  --items N      items, from ${LEAST_ITEMS}; YFCC100M has 99206564
  --out DIR      where the collection will stand; a generated one that is there is replaced. Holds
                 visual and text   folders to give to farsight build as they are: --modality visual=DIR/visual
                 actors.json       50 actors with 50 starts each, for the protocol yfcc100m
                 city.u8           one byte an item: its actor's label, 0 for none
                 statistics.json   what was measured
  --seed N       seed of every random choice (default ${DEFAULT_SEED})
  --threads N    threads that generate (default: all cores); the files do not depend on it
  --json         print the measurements as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      items: { type: 'string' },
      out: { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string' },
      json: { type: 'boolean' },
    });
    const [kind, ...more] = positionals;
    if (kind !== 'yfcc') throw new UsageError(`${kind ?? 'the kind of collection'}: expected yfcc`);
    if (more.length > 0) throw new UsageError(`unexpected argument ${more[0]}`);
    const { out } = values;
    if (out === undefined) throw new UsageError('--out DIR is missing');
    if (values.items === undefined) throw new UsageError('--items N is missing');
    const items = wholeFlag('items', values.items, 0, LEAST_ITEMS, MOST_ITEMS);
    const seed = wholeFlag('seed', values.seed, DEFAULT_SEED, 0, Number.MAX_SAFE_INTEGER);
    const threads = wholeFlag('threads', values.threads, availableParallelism(), 1, MAX_THREADS);

    const started = performance.now();
    const progress = new ProgressLine();
    const { traits, statistics } = await untilInterrupted(async (signal) => {
      try {
        return await generateYfcc({ out, items, seed, threads, signal }, (stage, done) =>
          progress.report(stage, done, items, 'items'),
        );
      } finally {
        progress.end();
      }
    });
    const seconds = (performance.now() - started) / 1000;
    if (values.json) print(JSON.stringify({ ...statistics, traits }));
    else print(report(out, items, seconds, { traits, statistics }));
    const missing = traits.filter(({ holds }) => !holds);
    if (missing.length === 0) return 0;
    throw new Error(
      `${out}: ${missing.map(({ name }) => name).join(', ')} out of range (statistics.json); try another --seed`,
    );
  },
};

/** Runs work that SIGINT and SIGTERM end early, leaving nothing. */
async function untilInterrupted<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void =>
    controller.abort(new Error(`interrupted by ${name}; nothing was left behind`));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function report(out: string, items: number, seconds: number, { traits, statistics }: Generated): string {
  const rate = `${(items / seconds / 1e6).toPrecision(3)} million a second`;
  const sampled = statistics.visual.duplicates_from === 'sample' ? '; equal vectors looked for in a sample' : '';
  return [
    `${out}: ${items} items, seed ${statistics.seed}, in ${seconds.toFixed(1)} s (${rate})${sampled}`,
    ...traits.map(traitLine),
  ].join('\n');
}

function traitLine({ name, value, least, most, holds }: Trait): string {
  const range = least === most ? `${figure(least)}` : `${figure(least)} to ${most === Infinity ? 'any' : figure(most)}`;
  return `  ${name.padEnd(40)} ${figure(value).padStart(8)}   asked: ${range}${holds ? '' : '   DOES NOT HOLD'}`;
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
