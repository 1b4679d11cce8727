// A build in a process of its own for the test of memory. Arguments: the vectors, --out, and the bytes it may hold. Prints
// the stages as they begin, and at last the most bytes that were resident.

import { writeSync } from 'node:fs';
import { build } from './collections.ts';

const [input, out, memoryBytes] = process.argv.slice(2) as [string, string, string];
let last = 'begin';
writeSync(1, `${last}\n`);
await build(
  out,
  { a: [input, { codec: 'rabitq' }] },
  { clusterSize: 1000, grid: true, qualityQueries: 16, memoryBytes: Number(memoryBytes) },
  ({ stage }) => {
    if (stage !== last) writeSync(1, `${stage}\n`);
    last = stage;
  },
);
writeSync(1, `${process.resourceUsage().maxRSS * 1024}\n`);
