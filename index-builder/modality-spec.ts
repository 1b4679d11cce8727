// The value of --modality: NAME=PATH[,key=value]…
// NAME is [a-z][a-z0-9_-]{0,31}. PATH is everything up to the first comma, so a path with a comma cannot be named here:
// rename it or link to it. A value is everything from the first '=' to the next comma.

import { InputError } from './readers/reader.ts';

export interface ModalitySpec {
  readonly name: string;
  readonly path: string;
  readonly options: ReadonlyMap<string, string>;
}

/** `knownKeys` are those of any reader and any codec; whether they fit this input is for `requireUsed` to say. */
export function parseModalitySpec(text: string, knownKeys: readonly string[]): ModalitySpec {
  const subject = `--modality ${text}`;
  const [head = '', ...pairs] = text.split(',');
  const equals = head.indexOf('=');
  const name = head.slice(0, Math.max(equals, 0));
  const path = head.slice(equals + 1);
  if (equals < 0 || path === '') {
    throw new InputError(subject, 'has no path', 'expected NAME=PATH[,key=value]…', 'write it like visual=visual.npy');
  }
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(name)) {
    throw new InputError(
      subject,
      `has the name '${name}'`,
      'expected a small letter, then at most 31 of a-z, 0-9, _ and -',
      'write it like visual=visual.npy',
    );
  }
  const options = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0));
    if (at < 1 || at === pair.length - 1) {
      throw new InputError(subject, `has '${pair}'`, 'expected key=value', 'remove it; a path cannot contain a comma');
    }
    if (!knownKeys.includes(key)) {
      throw new InputError(
        subject,
        `has the unknown key '${key}'`,
        `known are ${knownKeys.join(', ')}`,
        'correct or remove it',
      );
    }
    if (options.has(key)) {
      throw new InputError(subject, `has '${key}' twice`, 'expected each key once', 'remove one of them');
    }
    options.set(key, pair.slice(at + 1));
  }
  return { name, path, options };
}

/** Refuses options that neither the input's format nor the codec uses. */
export function requireUsed(spec: ModalitySpec, usedKeys: readonly string[]): void {
  const unused = [...spec.options.keys()].filter((key) => !usedKeys.includes(key));
  if (unused.length === 0) return;
  throw new InputError(
    `--modality ${spec.name}=${spec.path}`,
    `does not use ${unused.join(', ')}`,
    usedKeys.length === 0 ? 'no keys apply to this input' : `this input and codec use ${usedKeys.join(', ')}`,
    'remove what does not apply',
  );
}

/** An integer from `least` to `most`, or undefined when the key is not given. */
export function integerOption(
  subject: string,
  options: ReadonlyMap<string, string>,
  key: string,
  least: number,
  most: number,
): number | undefined {
  const text = options.get(key);
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InputError(
    subject,
    `${key}=${text} is out of range`,
    `expected an integer from ${least} to ${most}`,
    'correct it',
  );
}

/** A positive finite number such as 2e14, or undefined when the key is not given. */
export function numberOption(subject: string, options: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = options.get(key);
  if (text === undefined) return undefined;
  const value = /^[0-9]+(\.[0-9]+)?(e\+?[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InputError(subject, `${key}=${text} is out of range`, 'expected a positive number like 2e14', 'correct it');
}
