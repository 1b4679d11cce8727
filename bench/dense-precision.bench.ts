// Dense codecs by what users of them see: precision of every round of the `imagenet` protocol, of the b best clusters over
// each codec's index, beside exhaustive float32 over what 12 bits a dimension hold (values off by less than 1e-3). All codecs
// play the same sessions, so what one loses is told session by session: precision differs by class far more than by codec.
//   node dist/bench/dense-precision.bench.js [STARTS]

import { join } from 'node:path';
import { runSimulation } from './actors/run.ts';
import { caltech97, type Dataset, dataFolder, describe, indexOf, tate } from './datasets/collections.ts';
import { mean, printTable, writeRun } from './measure.ts';
import { pairedTest } from './tuning/paired.ts';

const SEED = 0;
const STARTS = 3;
/** Share of precision that a codec may lose against float32. */
const MOST_LOSS = 0.01;
/** The mean of a sample is farther below that of all in one case of forty. */
const MOST_DEVIATIONS = 2;
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
  const play = async (keys: string, system: string): Promise<Played> => {
    const options = Object.fromEntries(keys.split(',').map((pair) => pair.split('=') as [string, string]));
    const { directory } = await indexOf(dataset, { modalities, keys: options });
    const sessions: Session[] = [];
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
      onSession: (_, { name }, rounds) => {
        sessions.push({ actor: name, precision: mean(rounds.map(({ relevant, suggested }) => relevant / suggested)) });
      },
    });
    const [run] = runs;
    if (run === undefined) throw new RangeError('the simulation had no run');
    return { run, sessions };
  };
  const float = await play(FLOAT32, 'float');
  const codecs = ['codec=sq8', ...[1, 2, 4, 6, 8].map((bits) => `codec=rabitq,bits=${bits}`)];
  const eighth = `codec=rabitq,bytes_per_item=${dims / 2}`;
  const own: typeof rows = [{ collection: dataset.name, codec: 'float32 of 12 bits, exhaustive', ...figures(float) }];
  for (const keys of [...codecs, eighth]) {
    const played = await play(keys, 'exquisitor');
    own.push({ collection: dataset.name, codec: keys, ...figures(played), ...lossOf(played, float) });
  }
  printTable(`${describe(dataset)}: precision by round, protocol imagenet, ${starts} starts an actor`, own);
  rows.push(...own);
}
process.stdout.write(`${writeRun('dense-precision', { protocol: 'imagenet', starts, seed: SEED, rows })}\n`);

interface Session {
  readonly actor: string;
  /** Mean over the rounds. */
  readonly precision: number;
}

interface Played {
  readonly run: Awaited<ReturnType<typeof runSimulation>>['runs'][number];
  readonly sessions: readonly Session[];
}

function figures({ run: { rounds, precision, precision_se, sessions } }: Played): Record<string, string | number> {
  return {
    sessions,
    ...Object.fromEntries(rounds.map(({ round, precision }) => [`r${round}`, precision.toFixed(3)])),
    mean: precision.toFixed(4),
    se: precision_se.toFixed(4),
  };
}

/** Mean difference of the same sessions, and its standard error over the actors, whose sessions are alike. */
function lossOf({ sessions }: Played, float: Played): Record<string, string | number> {
  const byActor = new Map<string, number[]>();
  for (const [i, { actor, precision }] of sessions.entries()) {
    const same = float.sessions[i];
    if (same?.actor !== actor) throw new RangeError(`session ${i} of ${actor} is not one of float32's`);
    byActor.set(actor, [...(byActor.get(actor) ?? []), same.precision - precision]);
  }
  const test = pairedTest([...byActor.values()].map(mean), SEED);
  const most = test.mean + MOST_DEVIATIONS * test.se;
  return {
    loss: test.mean.toFixed(4),
    'its se': test.se.toFixed(4),
    'loss at most .01': most <= MOST_LOSS ? 'yes' : test.mean <= MOST_LOSS ? 'not sure' : 'no',
  };
}
