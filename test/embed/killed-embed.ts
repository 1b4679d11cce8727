// An embedding run in a process of its own for the test of killed runs. Arguments: pictures, model, --out, and the number
// of the change of the file system before which the process kills itself (0: it lives). Progress is durable every batch.

import { dirname } from 'node:path';
import { EDGE } from '../../bench/embed/encoders.ts';
import { embedPictures } from '../../index-builder/embed/embed.ts';
import { IMAGENET } from '../../index-builder/embed/preprocessing.ts';
import { interceptChanges } from '../builder/file-system.ts';

const [pictures, model, out, killAt, threads] = process.argv.slice(2) as [string, string, string, string, string];
let changes = 0;
const restore = interceptChanges(dirname(out), (change) => {
  changes = change;
  if (change === Number(killAt)) process.kill(process.pid, 'SIGKILL');
});
const preprocessing = { ...IMAGENET, resize: { shortest: EDGE }, crop: { width: EDGE, height: EDGE } };
const { resumed } = await embedPictures(
  {
    pictures,
    model,
    out,
    preprocessing,
    batch: 2,
    threads: Number(threads),
    pool: 'none',
    resume: true,
    checkpointMs: 0,
  },
  () => {},
);
restore();
process.stdout.write(JSON.stringify({ changes, resumed }));
