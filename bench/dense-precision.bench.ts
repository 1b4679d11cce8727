// Dense codecs by what users of them see: precision of every round of the `imagenet` protocol, of the b best clusters over
// each codec's index, beside exhaustive float32 over what 12 bits a dimension hold (values off by less than 1e-3).
//   node dist/bench/dense-precision.bench.js [STARTS]

import { join } from 'node:path';
import { runSimulation } from './actors/run.ts';
import { caltech97, type Dataset, dataFolder, describe, indexOf, tate } from './datasets/collections.ts';
import { printTable, writeRun } from './measure.ts';

const SEED = 0;
const STARTS = 3;
/** Share of precision that a codec may lose against float32. */
const MOST_LOSS = 0.01;
const FLOAT32 = 'codec=rabitq,bits=12';

/** Modalities and the items' classes, relative to the shared data. */
const subjects: readonly { dataset: Dataset; modalities: readonly string[]; dims: number; labels: string }[] = [
  { dataset: caltech97, modalities: ['visual'], dims: 1280, labels: 'caltech97/labels.npy' },
  { dataset: tate, modalities: ['tags', 'caption'], dims: 128, labels: 'tate/subject_indptr.npy' },
];

const folder = dataFolder();
if (folder === null) throw new RangeError('classes are those of the shared data: put it beside the package');
const starts = Number(process.argv[2] ?? STARTS);
if (!(starts >= 1)) throw new RangeError('STARTS: expected a whole number from 1');

const rows: Record<string, string | number>[] = [];
for (const { dataset, modalities, dims, labels } of subjects) {
  const play = async (keys: string, system: string) => {
    const options = Object.fromEntries(keys.split(',').map((pair) => pair.split('=') as [string, string]));
    const { directory } = await indexOf(dataset, { modalities, keys: options });
    const { runs } = await runSimulation({
      directories: [directory],
      systems: [system],
      url: null,
      collection: null,
      signal: new AbortController().signal,
      onProgress: () => {},
      protocol: 'imagenet',
      actors: [join(folder, labels)],
      spaces: [],
      seed: SEED,
      starts,
      rounds: null,
      k: null,
      save: null,
    });
    const [run] = runs;
    if (run === undefined) throw new RangeError('the simulation had no run');
    return run;
  };
  const float = await play(FLOAT32, 'float');
  const codecs = ['codec=sq8', ...[1, 2, 4, 6, 8].map((bits) => `codec=rabitq,bits=${bits}`)];
  const eighth = `codec=rabitq,bytes_per_item=${dims / 2}`;
  const own: typeof rows = [{ collection: dataset.name, codec: 'float32, exhaustive', ...figures(float, float) }];
  for (const keys of [...codecs, eighth]) {
    own.push({ collection: dataset.name, codec: keys, ...figures(await play(keys, 'exquisitor'), float) });
  }
  printTable(`${describe(dataset)}: precision by round, protocol imagenet, ${starts} starts an actor`, own);
  rows.push(...own);
}
process.stdout.write(`${writeRun('dense-precision', { protocol: 'imagenet', starts, seed: SEED, rows })}\n`);

type Run = Awaited<ReturnType<typeof runSimulation>>['runs'][number];

function figures({ rounds, precision, precision_se, sessions }: Run, float: Run): Record<string, string | number> {
  return {
    sessions,
    ...Object.fromEntries(rounds.map(({ round, precision }) => [`r${round}`, precision.toFixed(3)])),
    mean: precision.toFixed(4),
    se: precision_se.toFixed(4),
    'loss at most .01': float.precision - precision <= MOST_LOSS ? 'yes' : 'no',
  };
}
