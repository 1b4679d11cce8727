// Reading codec options from the key=value pairs of --modality.

import { OptionError } from './codec.ts';

type Options = ReadonlyMap<string, string>;

export function numberOption(options: Options, key: string, fallback: number, least: number, most: number): number {
  const text = options.get(key);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new OptionError(`${key}=${text}: expected a number from ${least} to ${most}`);
  }
  return value;
}

export function wholeOption(options: Options, key: string, fallback: number, least: number, most: number): number {
  const value = numberOption(options, key, fallback, least, most);
  if (!Number.isInteger(value)) throw new OptionError(`${key}=${options.get(key)}: expected a whole number`);
  return value;
}

export function choiceOption<Choice extends string>(
  options: Options,
  key: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const text = options.get(key) ?? choices[0];
  const choice = choices.find((name) => name === text);
  if (choice === undefined) throw new OptionError(`${key}=${text}: expected ${choices.join(' or ')}`);
  return choice;
}
