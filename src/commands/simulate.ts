// farsight simulate: the one command that reaches into bench, where the simulated users and the papers' systems are. They
// are loaded when it runs, so that no other command waits for them.

import { type Command, interruptible, noArguments, parseFlags, print, UsageError, wholeFlag } from './command.ts';

const MAX_STARTS = 1_000_000;
const MAX_ROUNDS = 10_000;
const MAX_K = 10_000;
const INTERRUPTED = 'interrupted; nothing was written';

export const simulate: Command = {
  summary: "simulated users play the papers' protocols",
  help: `farsight simulate DIR --protocol NAME --actors FILE [--system NAME[,key=value]…]… [options]
farsight simulate DIR --replay FILE [--system NAME[,key=value]…]… [options]
farsight simulate --diff A B [options]

Plays every start of every actor against each system, the systems in turns, and prints precision, recall and latency
by round. The same index, actors, systems and seed give the same suggestions.

  --protocol NAME[,key=value]…
                     imagenet, imagenet-unknown, yfcc100m, lsc, iris
  --actors FILE      who plays: actors.json of farsight generate, topics.json of the lsc evaluation, or class labels:
                     NAME.npy (one class an item), NAME_indptr.npy beside NAME_indices.npy (several), or .csv with
                     columns label and, unless rows are the items in order, item
  --system NAME[,key=value[:value…]]…
                     exquisitor (default), blackthorn, knn-ecp, svm-lsh, knn-lsh, hnsw, float, spread, spread+uniform,
                     spread+rand, spread+grid, mix, manual; repeatable. A list of values is one run each:
                     exquisitor,clusters=1:16:256,segments=1:16 is six. What the protocol sets (b, S_c, r) holds for
                     keys that are not given. hnsw finds at most ef=1000 candidates; its graphs are built once
  --starts N         starts per actor (default all of a file, one of class labels)
  --rounds N         rounds per start (default the protocol's)
  --k N              suggestions per round (default the protocol's)
  --seed N           seed of random choices (default 0)
  --space DIR        lsc: an index of the same items built with normalize=false, in which targets are compared
  --out FILE         the result as JSON
  --save FILE        the transcript as NDJSON: every round's labels and suggestions
  --replay FILE      ask what a transcript asked and compare the suggestions: rank of the first difference, overlap@k
  --diff A B         compare two transcripts without playing; exit 1 when they differ
  --url URL          ask the server there, which serves the index in DIR: exquisitor, blackthorn, knn-ecp, spread,
                     spread+rand, spread+grid, mix
  --collection NAME  the server's name of that index (default the collection with the generation of DIR)
  --json             print the result as JSON

Several DIR with an --actors for each are played one after another and counted together. Files appear when all is
played; interrupted, nothing is written.`,

  async run(args) {
    const { values, positionals } = parseFlags(args, flags);
    const { ParameterError } = await import('../../bench/baselines/parameters.ts');
    const { AsideFile } = await import('../../bench/actors/aside-file.ts');
    const play = playOf(values, positionals);
    // Opened before anything is played, so that a folder that cannot be written costs no time.
    const out = values.out === undefined ? null : new AsideFile(values.out);
    try {
      const { result, show, code } = await play();
      // First what cannot be refused: a disk that became full meanwhile must not cost the result.
      if (values.json) print(JSON.stringify(result));
      else show();
      out?.write(`${JSON.stringify(result, null, 2)}\n`);
      out?.commit();
      if (code !== 0) process.stderr.write('farsight simulate: the transcripts differ\n');
      return code;
    } catch (error) {
      out?.abandon();
      throw error instanceof ParameterError ? new UsageError(error.message) : error;
    }
  },
};

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flags = {
  protocol: text,
  actors: texts,
  system: texts,
  starts: text,
  rounds: text,
  k: { type: 'string', short: 'k' },
  seed: text,
  space: texts,
  out: text,
  save: text,
  replay: text,
  diff: { type: 'boolean' },
  url: text,
  collection: text,
  json: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseFlags<typeof flags>>['values'];

interface Played {
  readonly result: object;
  readonly show: () => void;
  readonly code: number;
}

/** What the flags ask for; flags that do not go together are refused before anything is opened. */
function playOf(values: Values, positionals: readonly string[]): () => Promise<Played> {
  const { replay, diff } = values;
  const playing = ['protocol', 'actors', 'starts', 'rounds', 'k', 'seed', 'space', 'save'] as const;
  const opponents = ['system', 'url', 'collection', 'replay'] as const;
  const foreign = diff ? [...playing, ...opponents] : replay === undefined ? [] : playing;
  const given = foreign.find((name) => values[name] !== undefined);
  if (given !== undefined) throw new UsageError(`--${given} does not go with --${diff ? 'diff' : 'replay'}`);
  if (diff) return () => difference(positionals);
  if (replay !== undefined) return () => replaying(values, positionals, replay);
  return () => simulation(values, positionals);
}

async function simulation(values: Values, directories: readonly string[]): Promise<Played> {
  const { runSimulation } = await import('../../bench/actors/run.ts');
  const { printSimulation } = await import('../../bench/actors/report.ts');
  const { protocol, actors = [], space: spaces = [], save = null } = values;
  if (protocol === undefined) throw new UsageError('--protocol NAME is missing');
  if (actors.length === 0) throw new UsageError('--actors FILE is missing: name who plays');
  const whole = (name: 'starts' | 'rounds' | 'k', most: number): number | null =>
    values[name] === undefined ? null : wholeFlag(name, values[name], 1, 1, most);
  const chosen = {
    starts: whole('starts', MAX_STARTS),
    rounds: whole('rounds', MAX_ROUNDS),
    k: whole('k', MAX_K),
    seed: wholeFlag('seed', values.seed, 0, 0, Number.MAX_SAFE_INTEGER),
  };
  const result = await interruptible('simulate', 'sessions', INTERRUPTED, (running) =>
    runSimulation({ ...opponentsOf(values, directories), ...running, protocol, actors, spaces, save, ...chosen }),
  );
  return { result, show: () => printSimulation(result), code: 0 };
}

async function replaying(values: Values, directories: readonly string[], transcript: string): Promise<Played> {
  const { runReplay } = await import('../../bench/actors/run.ts');
  const { printReplay } = await import('../../bench/actors/report.ts');
  const result = await interruptible('simulate', 'rounds', INTERRUPTED, (running) =>
    runReplay({ ...opponentsOf(values, directories), ...running }, transcript),
  );
  return { result, show: () => printReplay(result), code: 0 };
}

async function difference([a, b, ...more]: readonly string[]): Promise<Played> {
  const { diffTranscripts } = await import('../../bench/actors/comparison.ts');
  const { printDifference } = await import('../../bench/actors/report.ts');
  if (a === undefined || b === undefined) throw new UsageError('--diff A B: name two transcripts');
  noArguments(more);
  const result = await diffTranscripts(a, b);
  const same = result.identical === result.pairs && result.labels_differ + result.only_in_a + result.only_in_b === 0;
  return { result, show: () => printDifference(result), code: same ? 0 : 1 };
}

function opponentsOf(values: Values, directories: readonly string[]) {
  const { system: systems = [], url, collection } = values;
  if (url === undefined && collection !== undefined) throw new UsageError('--collection goes with --url');
  return { directories, systems, url: url ?? null, collection: collection ?? null };
}
