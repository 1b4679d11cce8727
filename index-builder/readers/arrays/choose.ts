// Which of the arrays of a file is meant.

import { InputError } from '../reader.ts';

/** Names in a message, so that a file of thousands does not fill the screen. */
const NAMES_SHOWN = 10;

/**
 * The named one of `names`; without a name the only one that is `usable`, or the only one of all, whose fault another
 * check will tell. `what` is both the key of --modality and the word for it.
 */
export function chooseNamed(
  path: string,
  what: string,
  asked: string | undefined,
  names: readonly string[],
  usable: (name: string) => boolean,
): string {
  if (asked !== undefined) {
    if (names.includes(asked)) return asked;
    throw new InputError(path, `has no ${what} '${asked}'`, `expected one of ${list(names)}`, `correct ${what}=`);
  }
  const candidates = names.filter(usable);
  const [only] = candidates.length === 0 && names.length === 1 ? names : candidates;
  if (only !== undefined && candidates.length <= 1) return only;
  if (candidates.length === 0) {
    throw new InputError(
      path,
      names.length === 0 ? `has no ${what}` : `has no ${what} of rows of numbers among ${list(names)}`,
      `expected a ${what} with a row per item`,
      'check how it was written',
    );
  }
  throw new InputError(
    path,
    `has ${candidates.length} of them: ${list(candidates)}`,
    `expected to be told which ${what} to read`,
    `add ${what}=NAME`,
  );
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name}'`);
  const rest = names.length - shown.length;
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
