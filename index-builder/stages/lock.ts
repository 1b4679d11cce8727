// Who is working in a directory of the builder, as an error.

import { IndexError } from '../../src/index/format.ts';
import { takeDirectory } from '../../src/lock.ts';

/** Marks the directory as this process's; throws IndexError when another that lives has it. */
export function lockDirectory(directory: string): void {
  const other = takeDirectory(directory);
  if (other === null) return;
  throw new IndexError(`${directory}: process ${other} is at work on it; wait until it ends, or choose another --out`);
}
