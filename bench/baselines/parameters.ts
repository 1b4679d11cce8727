// Reading the `key=value` parameters of a system or a protocol; what does not fit is refused by name.

/** A parameter that is not known or does not fit. */
export class ParameterError extends RangeError {
  override name = 'ParameterError';
}

/** Throws ParameterError for keys outside `known`. */
export function refuseUnknownKeys(
  owner: string,
  parameters: ReadonlyMap<string, string>,
  known: readonly string[],
): void {
  for (const key of parameters.keys()) {
    if (known.includes(key)) continue;
    const hint = known.length === 0 ? 'it has none' : `known are ${known.join(', ')}`;
    throw new ParameterError(`${owner}: unknown parameter ${key}; ${hint}`);
  }
}

export function wholeParameter(
  parameters: ReadonlyMap<string, string>,
  key: string,
  standard: number,
  least: number,
  most: number,
): number {
  const value = numberParameter(parameters, key, standard, least, most);
  if (!Number.isInteger(value)) throw new ParameterError(`${key}=${parameters.get(key)}: expected a whole number`);
  return value;
}

export function numberParameter(
  parameters: ReadonlyMap<string, string>,
  key: string,
  standard: number,
  least: number,
  most: number,
): number {
  const text = parameters.get(key);
  if (text === undefined) return standard;
  const value = /^[-+0-9.eE]{1,32}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new ParameterError(`${key}=${text}: expected a number from ${least} to ${most}`);
  }
  return value;
}

export function choiceParameter<Choice extends string>(
  parameters: ReadonlyMap<string, string>,
  key: string,
  standard: Choice,
  choices: readonly Choice[],
): Choice {
  const text = parameters.get(key) ?? standard;
  const choice = choices.find((known) => known === text);
  if (choice === undefined) throw new ParameterError(`${key}=${text}: expected ${choices.join(', ')}`);
  return choice;
}
