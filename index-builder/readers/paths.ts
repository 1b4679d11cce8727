// From a path of the command line to the files it means.

import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { explained } from './input-file.ts';
import { InputError } from './reader.ts';

/**
 * `*` and `?` in the last component match any and one character of a name (not a leading dot); the matches come in
 * plain code-unit order, so numbered files need leading zeros. A path that exists is taken as it is.
 */
export function expandPath(path: string): readonly string[] {
  const pattern = basename(path);
  const folder = dirname(path);
  if (existsSync(path) || !/[*?]/.test(path)) return [path];
  if (/[*?]/.test(folder)) {
    throw new InputError(
      path,
      'has a wildcard in a folder name',
      '* and ? work in the last component only',
      'name one folder at a time',
    );
  }
  const names = explained(folder, () => readdirSync(folder));
  const matches = names.filter((name) => matchesPattern(pattern, name)).sort();
  if (matches.length === 0) {
    throw new InputError(
      path,
      'matches nothing',
      `expected at least one of the ${names.length} names in ${folder} to match`,
      'check the pattern, and quote it if the shell expands it',
    );
  }
  return matches.map((name) => join(folder, name));
}

/** Greedy with one fallback to the last star: at most pattern x name steps. */
function matchesPattern(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let p = 0;
  let starAt = -1;
  let starName = 0;
  for (let n = 0; n < name.length; ) {
    if (pattern[p] === '*') {
      starAt = p++;
      starName = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      n = ++starName;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
