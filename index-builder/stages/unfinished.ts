// What becomes of a build that does not end: what it leaves, and what its error says.

import { CodecError } from '../../src/codecs/codec.ts';
import { IndexError } from '../../src/index/format.ts';
import { InputError, UnreadableError } from '../readers/reader.ts';
import { DiskError } from './disk.ts';
import type { Plan } from './plan.ts';
import { size } from './size.ts';
import type { Workspace } from './workspace.ts';

/**
 * What was built is kept for --resume, unless the input or an option is refused: that would be refused again. A build
 * that has nothing to go on from leaves nothing.
 */
export function unfinished(error: unknown, workspace: Workspace, plan: Plan): unknown {
  if (!workspace.started || (isRefusal(error) && !workspace.resumed)) {
    try {
      workspace.abandon();
    } catch (second) {
      if (error instanceof Error) error.message += `; and ${(second as Error).message}`;
    }
    return error;
  }
  const { directory } = workspace;
  if (error instanceof DiskError && error.full) {
    return new DiskError(
      error.path,
      error.code,
      `the build needs ${size(plan.diskBytes)} in all; ${error.remedy} and build again with --resume, ` +
        `or remove ${directory}, which is kept for that`,
    );
  }
  const { message } = error as Error;
  return new IndexError(
    `${message}; build again with --resume to go on from where it was, or remove ${directory}, which is kept for that`,
    { cause: error },
  );
}

/** Whether it would be refused again. */
function isRefusal(error: unknown): boolean {
  return error instanceof CodecError || (error instanceof InputError && !(error instanceof UnreadableError));
}
