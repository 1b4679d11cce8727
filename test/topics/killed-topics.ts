// A run of topics in a process of its own for the test of killed runs. Arguments: the texts, --out, the model or '', and the
// number of the change of the file system before which the process kills itself (0: it lives), and threads. Progress is
// durable every batch. Prints the stage it began with.

import { dirname } from 'node:path';
import { foldIn, topicsOf } from '../../index-builder/topics/topics.ts';
import { interceptChanges } from '../builder/file-system.ts';
import { TOPICS } from './texts.ts';

const [path, out, model, killAt, threads] = process.argv.slice(2) as [string, string, string, string, string];
let changes = 0;
let resumed = 'finished';
const restore = interceptChanges(dirname(out), (change) => {
  changes = change;
  if (change === Number(killAt)) process.kill(process.pid, 'SIGKILL');
});
const common = { path, out, key: 'key', kept: 3, threads: Number(threads), resume: true, checkpointMs: 0 };
const onProgress = (stage: string): void => {
  if (resumed === 'finished') resumed = stage;
};
if (model !== '') await foldIn({ ...common, model }, onProgress);
else {
  // What the command gives for --topics 5 --passes 1 --keep 3 --key key, but for the threads.
  await topicsOf(
    {
      ...common,
      fields: ['title', 'tags'],
      vocabulary: { mostWords: 20_000, minTexts: 5, maxShare: 0.5 },
      heldOut: 0.05,
      settings: {
        topics: TOPICS,
        prior: 1 / TOPICS,
        wordPrior: 1 / TOPICS,
        passes: 1,
        batch: 1024,
        seed: 0,
        decay: 0.7,
      },
    },
    onProgress,
  );
}
restore();
process.stdout.write(JSON.stringify({ changes, resumed }));
