// farsight topics

import { availableParallelism } from 'node:os';
import { foldIn, STAGES, type Stage, type TopicsSummary, topicsOf } from '../../index-builder/topics/topics.ts';
import { type Command, noArguments, ProgressLine, parseFlags, print, UsageError, wholeFlag } from './command.ts';

const DEFAULTS = {
  fields: 'title,tags',
  topics: 100,
  vocabulary: 20_000,
  minCount: 5,
  maxShare: 0.5,
  passes: 5,
  batch: 1024,
  heldOut: 0.05,
  kept: 6,
  seed: 0,
  decay: 0.7,
};
const MOST_TOPICS = 65_536;
const MAX_THREADS = 256;
/** The counts are written whole, 16 MB at the defaults. */
const CHECKPOINT_MS = 15_000;

export const topics: Command = {
  summary: 'make vectors of texts: their shares of topics (LDA)',
  help: `farsight topics FILE --out DIR [options]

Learns topics from texts by online latent Dirichlet allocation, or takes those of --model, and writes each text's shares of
them, a row a text in the order of the file. Prints how well words that were kept back are foretold (perplexity, by
document completion: lower is better).

  FILE             texts: columns of CSV or TSV with a header line, JSON Lines, Parquet or Arrow
  --out DIR        where the result will stand; topics that are there are replaced. Holds
                   topic_scores.npy, topic_ids.npy   the strongest topics of each text; the last line printed is
                                                     what --modality NAME= takes
                   top_words.json    the words of each topic, and its share of the collection
                   vocabulary.txt, word_topics.npy, topics.json   the model, for --model
  --fields A,B     fields whose texts are joined (default ${DEFAULTS.fields}); lists of strings are joined too
  --key FIELD      writes keys.txt, for farsight build --ids
  --keep N         strongest topics written of each text (default ${DEFAULTS.kept}, as in the papers)
  --dense          write all shares instead, as topics.npy
  --model DIR      a folder that farsight topics made: its topics are used and nothing is learned
  --topics N       topics (default ${DEFAULTS.topics})
  --vocabulary N   most frequent words that count (default ${DEFAULTS.vocabulary})
  --min-count N    texts a word must be in (default ${DEFAULTS.minCount})
  --max-share X    words in a larger share of the texts do not count (default ${DEFAULTS.maxShare})
  --stop-words FILE  words that do not count, one a line
  --passes N       times each text is learned from (default ${DEFAULTS.passes})
  --batch N        texts learned from together (default ${DEFAULTS.batch})
  --alpha X --eta X  priors of topics in texts and of words in topics (default 1/topics)
  --held-out X     share of the texts that is kept back to measure with (default ${DEFAULTS.heldOut}); 0 learns from all
  --seed N         seed of every random choice (default ${DEFAULTS.seed})
  --threads N      threads that work (default: all cores); the files do not depend on it
  --resume         go on from what a killed run left in DIR.learning; the files are the same bytes
  --json           print the result as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      out: { type: 'string' },
      fields: { type: 'string' },
      key: { type: 'string' },
      keep: { type: 'string' },
      dense: { type: 'boolean' },
      model: { type: 'string' },
      topics: { type: 'string' },
      vocabulary: { type: 'string' },
      'min-count': { type: 'string' },
      'max-share': { type: 'string' },
      'stop-words': { type: 'string' },
      passes: { type: 'string' },
      batch: { type: 'string' },
      alpha: { type: 'string' },
      eta: { type: 'string' },
      'held-out': { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string' },
      resume: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    const [path, ...more] = positionals;
    if (path === undefined) throw new UsageError('FILE is missing: name a file of texts');
    noArguments(more);
    const { out, key, model, fields } = values;
    if (out === undefined) throw new UsageError('--out DIR is missing');
    if (values.dense && values.keep !== undefined) throw new UsageError('--dense writes all topics; leave out --keep');
    const common = {
      path,
      out,
      ...(key === undefined ? {} : { key }),
      kept: values.dense ? null : wholeFlag('keep', values.keep, DEFAULTS.kept, 1, MOST_TOPICS),
      threads: wholeFlag('threads', values.threads, availableParallelism(), 1, MAX_THREADS),
      resume: values.resume ?? false,
      checkpointMs: CHECKPOINT_MS,
    };
    const started = performance.now();
    const progress = new ProgressLine();
    const onProgress = (stage: Stage, done: number, total: number): void =>
      progress.report(stage, done, total, STAGES[stage]);
    let summary: TopicsSummary;
    try {
      if (model === undefined) summary = await topicsOf({ ...common, ...learning(values) }, onProgress);
      else {
        refuseWithModel(values);
        const other = fields === undefined ? {} : { fields: names(fields) };
        summary = await foldIn({ ...common, ...other, model }, onProgress);
      }
    } finally {
      progress.end();
    }
    const seconds = (performance.now() - started) / 1000;
    print(values.json ? JSON.stringify({ ...summary, seconds }) : report(out, summary, seconds));
    return 0;
  },
};

type Values = Readonly<Partial<Record<string, string | boolean>>>;

/** Flags of learning only. */
const LEARNING = 'topics vocabulary min-count max-share stop-words passes batch alpha eta held-out seed'.split(' ');

function refuseWithModel(values: Values): void {
  const given = LEARNING.find((name) => values[name] !== undefined);
  if (given !== undefined) throw new UsageError(`--${given} is of learning; with --model nothing is learned`);
}

function learning(values: Values) {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const topics = wholeFlag('topics', text('topics'), DEFAULTS.topics, 2, MOST_TOPICS);
  const stopWords = text('stop-words');
  return {
    fields: names(text('fields') ?? DEFAULTS.fields),
    vocabulary: {
      mostWords: wholeFlag('vocabulary', text('vocabulary'), DEFAULTS.vocabulary, 2, 10_000_000),
      minTexts: wholeFlag('min-count', text('min-count'), DEFAULTS.minCount, 1, 1_000_000_000),
      maxShare: decimalFlag('max-share', text('max-share'), DEFAULTS.maxShare, 0, 1),
    },
    ...(stopWords === undefined ? {} : { stopWords }),
    heldOut: decimalFlag('held-out', text('held-out'), DEFAULTS.heldOut, 0, 0.9),
    settings: {
      topics,
      prior: decimalFlag('alpha', text('alpha'), 1 / topics, 1e-4, 100),
      wordPrior: decimalFlag('eta', text('eta'), 1 / topics, 1e-4, 100),
      passes: wholeFlag('passes', text('passes'), DEFAULTS.passes, 1, 1000),
      batch: wholeFlag('batch', text('batch'), DEFAULTS.batch, 16, 65_536),
      seed: wholeFlag('seed', text('seed'), DEFAULTS.seed, 0, Number.MAX_SAFE_INTEGER),
      decay: DEFAULTS.decay,
    },
  };
}

function names(text: string): readonly string[] {
  const fields = text.split(',').filter((field) => field !== '');
  if (fields.length === 0) throw new UsageError('--fields is empty: name fields like title,tags');
  return fields;
}

function decimalFlag(name: string, text: string | undefined, fallback: number, least: number, most: number): number {
  if (text === undefined) return fallback;
  const value = /^[0-9]*\.?[0-9]+(?:e-?[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`--${name} ${text}: expected a number from ${least} to ${most}`);
  }
  return value;
}

function report(out: string, summary: TopicsSummary, seconds: number): string {
  const { texts, empty, words, topics, heldOutTexts, perplexity, modality } = summary;
  const without = empty === 0 ? '' : `, ${empty} without a known word`;
  const measured =
    perplexity === null
      ? 'perplexity not measured: no text was held out, or none has two known words'
      : `perplexity ${perplexity.toFixed(1)} on ${heldOutTexts} texts (document completion)`;
  return [
    `${out}: ${texts} texts${without}, ${words} words, ${topics} topics, in ${seconds.toFixed(1)} s`,
    measured,
    `--modality text=${modality}`,
  ].join('\n');
}
