// farsight tune: like simulate it reaches into bench, where the simulated users are, when it runs.

import {
  type Command,
  choiceFlag,
  directoryArgument,
  interruptible,
  parseFlags,
  print,
  UsageError,
  wholeFlag,
} from './command.ts';

const MAX_SETTINGS = 4096;
const MAX_BUDGET = 100_000_000;
const MAX_STARTS = 1_000_000;
const MAX_ROUNDS = 10_000;
const MAX_K = 10_000;
const DEFAULTS = { settings: 32, budget: 2000 } as const;
const METRICS = ['found', 'composite', 'precision'] as const;

export const tune: Command = {
  summary: 'search the settings of a round on labelled data',
  help: `farsight tune DIR --protocol NAME --actors FILE [options]

Searches model, C and loss, the mix of samplers (IRIS's a and b), alpha, zeta, N and diversity. Half of the actors
choose: all settings play a few sessions, the better half plays more, and so on (successive halving). The other half
reports: the best settings beside the defaults, with a paired test over actors. Prints tables, and the best settings as
a system of farsight simulate and as the body of a suggest request. The same search gives the same result.

  --protocol NAME[,key=value]…
                     as of farsight simulate: imagenet, imagenet-unknown, yfcc100m, lsc, iris
  --actors FILE      as of farsight simulate; at least four actors
  --metric NAME      found: a relevant item was suggested by the last round; composite: of iris; precision: mean of a
                     round (default found for lsc, composite for iris, precision for others)
  --settings N       settings that are tried, the defaults among them (default ${DEFAULTS.settings})
  --budget N         sessions played to choose, about (default ${DEFAULTS.budget})
  --set KEY=VALUE[:VALUE…]
                     the values a parameter may take, instead of the standard ones; repeatable. Keys are those of the
                     system mix: model, c, loss, positive_weight, negative_weight, farthest, spread, random, grid (parts
                     of the mix), from, count, alpha, components, grid_segments (N), zeta, diversity, clusters, segments,
                     candidates
  --starts N         starts per actor (default all of a file, one of class labels)
  --rounds N         rounds per start (default the protocol's)
  --k N              suggestions per round (default the protocol's)
  --seed N           seed of the halves, of the settings and of the sessions (default 0)
  --space DIR        lsc: an index of the same items built with normalize=false, in which targets are compared
  --out FILE         the result as JSON, written after each setting's sessions: the same command goes on from it
  --json             print the result as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, flags);
    const directory = directoryArgument(positionals);
    const { protocol, actors, space: raw = null, out = null } = values;
    if (protocol === undefined) throw new UsageError('--protocol NAME is missing');
    if (actors === undefined) throw new UsageError('--actors FILE is missing: name who plays');
    const whole = (name: 'starts' | 'rounds' | 'k', most: number): number | null =>
      values[name] === undefined ? null : wholeFlag(name, values[name], 1, 1, most);
    const chosen = {
      metric: choiceFlag('metric', values.metric, standardMetric(protocol), METRICS),
      settings: wholeFlag('settings', values.settings, DEFAULTS.settings, 1, MAX_SETTINGS),
      budget: wholeFlag('budget', values.budget, DEFAULTS.budget, 1, MAX_BUDGET),
      starts: whole('starts', MAX_STARTS),
      rounds: whole('rounds', MAX_ROUNDS),
      k: whole('k', MAX_K),
      seed: wholeFlag('seed', values.seed, 0, 0, Number.MAX_SAFE_INTEGER),
      sets: values.set ?? [],
    };
    const { ParameterError } = await import('../../bench/baselines/parameters.ts');
    const { tune: search } = await import('../../bench/tuning/tune.ts');
    const { printTuning } = await import('../../bench/tuning/report.ts');
    const kept = out === null ? 'nothing was kept, without --out' : `what was played is in ${out}, run it again`;
    try {
      const tuned = await interruptible('tune', 'sessions', `interrupted; ${kept}`, (running) =>
        search({ ...chosen, ...running, directory, protocol, actors, raw, out }),
      );
      if (values.json) print(JSON.stringify(tuned));
      else printTuning(tuned);
      return 0;
    } catch (error) {
      throw error instanceof ParameterError ? new UsageError(error.message) : error;
    }
  },
};

const text = { type: 'string' } as const;
const flags = {
  protocol: text,
  actors: text,
  metric: text,
  settings: text,
  budget: text,
  set: { type: 'string', multiple: true },
  starts: text,
  rounds: text,
  k: { type: 'string', short: 'k' },
  seed: text,
  space: text,
  out: text,
  json: { type: 'boolean' },
} as const;

function standardMetric(protocol: string): (typeof METRICS)[number] {
  if (/^lsc(,|$)/.test(protocol)) return 'found';
  return /^iris(,|$)/.test(protocol) ? 'composite' : 'precision';
}
