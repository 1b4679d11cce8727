// A build in a process of its own for the tests of killed builds. Arguments: the vectors, --out, the number of the change
// of the file system before which the process kills itself (0: it lives), "resume" or "anew", and threads. Prints
// "building" before it begins.

import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from './collections.ts';
import { interceptChanges } from './file-system.ts';
import { inputs, KILLED } from './two-indexes.ts';

const [input, out, killAt, how, threads] = process.argv.slice(2) as [string, string, string, string?, string?];
writeSync(1, 'building\n');
interceptChanges(dirname(out), (change) => {
  if (change === Number(killAt)) process.kill(process.pid, 'SIGKILL');
});
await build(out, inputs(input), { ...KILLED, resume: how === 'resume', threads: Number(threads ?? 1) });
