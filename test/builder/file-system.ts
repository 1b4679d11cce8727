// The changes a build makes to the file system, counted, so that a test can stop or fail any one of them.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { native } from '../../src/native.ts';

type Functions = Record<string, (...args: unknown[]) => unknown>;

const CHANGES = ['mkdirSync', 'openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync'] as const;

/**
 * Calls `before` with 1, 2, … before every change below `folder` or of an open file, also in modules that are loaded
 * already. Returns the way back.
 */
export function interceptChanges(folder: string, before: (change: number) => void): () => void {
  const files = fs as unknown as Functions;
  const exchange = native as unknown as Functions;
  const originals = new Map(CHANGES.map((name) => [name, files[name] as Functions[string]]));
  const { exchangePaths } = exchange;
  let changes = 0;
  const counted =
    (original: Functions[string]) =>
    (...args: unknown[]): unknown => {
      const [target, flags] = args;
      const concerned = typeof target === 'number' || (typeof target === 'string' && target.startsWith(folder));
      if (concerned && flags !== 'r') before(++changes);
      return original(...args);
    };
  for (const [name, original] of originals) files[name] = counted(original);
  exchange['exchangePaths'] = counted(exchangePaths as Functions[string]);
  syncBuiltinESMExports();
  return () => {
    for (const [name, original] of originals) files[name] = original;
    exchange['exchangePaths'] = exchangePaths as Functions[string];
    syncBuiltinESMExports();
  };
}
