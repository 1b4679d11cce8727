// The real worker with faults on demand, by seed: it fails, it ends its thread, or it waits before the round.

import { prepare as realPrepare, ready as realReady, suggest as realSuggest } from '../../src/worker.ts';
import { faults } from './faults.ts';

/** As the real one. */
export const ready = realReady;
export const prepare = realPrepare;

/** As the real one. */
export function suggest(task: Parameters<typeof realSuggest>[0]): ReturnType<typeof realSuggest> {
  const { seed } = task.request;
  if (seed === faults.throws) throw new Error('a fault on demand');
  if (seed === faults.exits) process.exit(3);
  if (seed > faults.waits) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seed - faults.waits);
  }
  return realSuggest(task);
}
