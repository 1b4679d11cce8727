// Typed arrays that are done with go back to the system at once. V8 collects when its own heap has grown; gigabytes of dead
// arrays beside a heap of a few megabytes would stay through the stages that follow.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Less than this is part of what the plan counts for the process itself, and not worth the milliseconds. */
const LEAST_BYTES = 64 * 2 ** 20;

/** Call it where large arrays have just gone out of reach. */
export function dropGarbage(): void {
  if (process.memoryUsage().arrayBuffers < LEAST_BYTES) return;
  // A context that is made under this flag has the function that collects.
  setFlagsFromString('--expose-gc');
  try {
    runInNewContext('gc()');
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
