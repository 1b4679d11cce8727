// The thread that reads indexes into memory: opens each, which shares the mappings of the process, and reports the bytes
// of every step.

import { parentPort, workerData } from 'node:worker_threads';
import { openIndex } from './index/open.ts';
import { warm } from './index/warm.ts';
import type { WarmUpData } from './warm-up.ts';

const { directories, hugePages } = workerData as WarmUpData;
for (const directory of directories) {
  for (const bytes of warm(openIndex(directory), hugePages)) parentPort?.postMessage(bytes);
}
