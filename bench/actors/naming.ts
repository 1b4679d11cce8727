// NAME[,key=value]… as it names protocols and systems on the command line. A value may be a list, `clusters=1:2:4`, which
// stands for one system each.

import { ParameterError } from '../baselines/parameters.ts';

/** What one such text names. */
export interface Named {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Systems of one simulation at most, sweeps counted out. */
export const MAX_RUNS = 256;

/** Every combination of the values. Throws ParameterError for a text that is not of this form. */
export function parseNamed(text: string): readonly Named[] {
  const [name = '', ...pairs] = text.split(',');
  if (name === '') throw new ParameterError(`'${text}': expected NAME[,key=value]…`);
  let combinations: readonly ReadonlyMap<string, string>[] = [new Map()];
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, at));
    const values = pair.slice(at + 1).split(':');
    if (at < 1 || values.includes(''))
      throw new ParameterError(`${text}: '${pair}' is not key=value or key=value:value:…`);
    if (combinations[0]?.has(key)) throw new ParameterError(`${text}: ${key} is given twice`);
    combinations = combinations.flatMap((before) => values.map((value) => new Map([...before, [key, value]])));
    if (combinations.length > MAX_RUNS) throw new ParameterError(`${text}: more than ${MAX_RUNS} combinations`);
  }
  return combinations.map((parameters) => ({ name, parameters }));
}

/** The part of a registry with this name. Throws ParameterError that lists the others, `lack` saying what it is not. */
export function findByName<Part extends { readonly name: string }>(
  parts: readonly Part[],
  name: string,
  lack = 'no such name',
): Part {
  const part = parts.find((known) => known.name === name);
  if (part === undefined) {
    throw new ParameterError(`${name}: ${lack}; expected ${parts.map((known) => known.name).join(', ')}`);
  }
  return part;
}
