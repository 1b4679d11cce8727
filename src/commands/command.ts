// The interface of a command, and what commands share: usage errors, flags that are numbers, progress.

import { type ParseArgsConfig, parseArgs } from 'node:util';

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of --help. */
  readonly help: string;
  /** Runs and returns the exit code. Throws UsageError for bad flags. */
  run(args: readonly string[]): Promise<number>;
}

/** Bad usage: exit 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** node:util's parseArgs, strict, with its complaints as UsageError. */
export function parseFlags<const Flags extends Options>(args: readonly string[], options: Flags) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The single DIR argument of a command. */
export function directoryArgument(positionals: readonly string[]): string {
  const [directory, ...more] = positionals;
  if (directory === undefined) throw new UsageError('DIR is missing: name the index directory');
  if (more.length > 0) throw new UsageError(`unexpected argument ${more[0]}`);
  return directory;
}

export function noArguments(positionals: readonly string[]): void {
  if (positionals.length > 0) throw new UsageError(`unexpected argument ${positionals[0]}`);
}

/** A whole-number flag with its range. */
export function wholeFlag(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`--${name} ${text}: expected a whole number from ${least} to ${most}`);
  }
  return value;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A flag that is a number of bytes, like 8GiB, 1.5GB or 500000000. */
export function bytesFlag(name: string, text: string): number {
  const [, number = '', unit = ''] = /^([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(BYTE_UNITS, unit) ? BYTE_UNITS[unit] : undefined;
  const bytes = Math.floor(Number(number) * (factor ?? Number.NaN));
  if (number === '' || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new UsageError(`--${name} ${text}: expected a size like 8GiB, 500MB or a number of bytes`);
  }
  return bytes;
}

/** A flag that takes one of a few words. */
export function choiceFlag<Choice extends string>(
  name: string,
  text: string | undefined,
  fallback: Choice,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((known) => known === (text ?? fallback));
  if (choice === undefined) throw new UsageError(`--${name} ${text}: expected ${choices.join(', ')}`);
  return choice;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const PLAIN_INTERVAL_MS = 2000;
const TERMINAL_INTERVAL_MS = 100;

/**
 * Shows how far long work is, on stderr: one line that is rewritten on a terminal, a plain line every two seconds
 * elsewhere. The rate and the time left count from the first report of a label.
 */
export class ProgressLine {
  #label = '';
  #startMs = 0;
  #startDone = 0;
  /** Work that is done within the first interval shows nothing. */
  #shownMs = performance.now();
  #open = false;

  report(label: string, done: number, total: number, unit: string): void {
    const now = performance.now();
    if (label !== this.#label) {
      this.#label = label;
      this.#startMs = now;
      this.#startDone = done;
    }
    const interval = process.stderr.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
    if (now - this.#shownMs < interval) return;
    this.#shownMs = now;
    const seconds = (now - this.#startMs) / 1000;
    const rate = (done - this.#startDone) / seconds;
    // The first report of a label has no time to go by.
    const pace =
      seconds > 0 && rate > 0 ? `, ${rate.toPrecision(3)}/s, ${Math.ceil((total - done) / rate)} s left` : '';
    const line = `${label}: ${done} of ${total} ${unit}${pace}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    this.#open = process.stderr.isTTY;
  }

  /** Clears the line, so that what is printed next stands alone. */
  end(): void {
    if (this.#open) process.stderr.write('\r\u001b[K');
    this.#open = false;
  }
}

/** How long work that can be interrupted is told to end, and tells how far it is. */
export interface Running {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** Runs with a progress line; SIGINT and SIGTERM end it with `message` where it next looks at the signal. */
export async function interruptible<Result>(
  label: string,
  unit: string,
  message: string,
  run: (running: Running) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Error(message));
  const progress = new ProgressLine();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const onProgress = (done: number, total: number): void => progress.report(label, done, total, unit);
    return await run({ signal: interrupt.signal, onProgress });
  } finally {
    progress.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
