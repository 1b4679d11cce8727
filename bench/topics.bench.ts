// Our online LDA beside scikit-learn's at the same settings: how well held-out words are foretold, and CPU time.
//
//   node dist/bench/topics.bench.js [seeds=3] [topics=100] [passes=5] [batch=1024] [drawn=TEXTS]
//
// `perplexity` is by document completion (index-builder/topics/perplexity.ts), the same function for both models;
// `bound` is scikit-learn's own perplexity(), for its model and for ours put into it. Lower is better. Both learn from the
// same texts with the same vocabulary, priors, batches and passes; scikit-learn gets them shuffled once. `drawn` takes so
// many texts drawn from known topics over 20,000 words in place of the real ones.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, Corpus, CorpusWriter } from '../index-builder/topics/corpus.ts';
import { drawHeldOut, type LearnSettings, learningOffset, learnTopics } from '../index-builder/topics/learn.ts';
import { TopicModel } from '../index-builder/topics/model.ts';
import { completionPerplexity } from '../index-builder/topics/perplexity.ts';
import { WordCounter } from '../index-builder/topics/vocabulary.ts';
import { sampleOutside, seededRandom } from '../src/random.ts';
import { cpuMs, mean, printTable, short, writeRun } from './measure.ts';
import { drawnTexts, type TextCorpus, textCorpora } from './topics-reference/corpora.ts';
import {
  INSTALL_HINT,
  type ReferenceResult,
  referenceVersion,
  trainReference,
  writeTexts,
} from './topics-reference/reference.ts';

const HELD_OUT = 0.05;
const THREADS = 1;

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const topics = Number(given['topics'] ?? 100);
const SETTINGS = {
  topics,
  prior: 1 / topics,
  wordPrior: 1 / topics,
  passes: Number(given['passes'] ?? 5),
  batch: Number(given['batch'] ?? 1024),
  decay: 0.7,
};
const seeds = Array.from({ length: Number(given['seeds'] ?? 3) }, (_, seed) => seed);

const version = referenceVersion();
if (version === null) process.stdout.write(`${INSTALL_HINT}\nShowing our own figures only.\n`);
const drawn = Number(given['drawn'] ?? 0);
const corpora = drawn > 0 ? [drawnTexts(drawn, 20_000, topics, 1)] : textCorpora();
const rows = corpora.flatMap((corpus) => measure(corpus, version !== null));
const named = `scikit-learn ${version ?? '(absent)'}`;
printTable(
  `Held-out perplexity, ${topics} topics, ${SETTINGS.passes} passes in batches of ${SETTINGS.batch}; ours and ${named}`,
  rows.map(({ corpus, seed, texts, words, unigram, ours, theirs }) => ({
    corpus,
    seed,
    texts,
    words,
    'no topics': short(unigram),
    ours: short(ours.perplexity),
    ...(theirs === null
      ? { 'CPU s': short(ours.seconds) }
      : {
          'scikit-learn': short(theirs.perplexity),
          'bound, ours': short(theirs.boundOfOurs),
          'bound, scikit-learn': short(theirs.bound),
          'CPU s': short(ours.seconds),
          'CPU s, scikit-learn': short(theirs.seconds),
        }),
  })),
);
for (const name of new Set(rows.map(({ corpus }) => corpus))) summarise(name);
const subject = drawn > 0 ? `drawn-${drawn}` : undefined;
process.stdout.write(`${writeRun('topics', { settings: SETTINGS, reference: version, rows }, subject)}\n`);

interface Row {
  readonly corpus: string;
  readonly seed: number;
  readonly texts: number;
  readonly words: number;
  /** Perplexity of the frequencies of words alone. */
  readonly unigram: number;
  readonly ours: { readonly perplexity: number; readonly seconds: number };
  readonly theirs: (Omit<ReferenceResult, 'counts'> & { readonly perplexity: number }) | null;
}

function measure({ name, texts }: TextCorpus, withReference: boolean): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'farsight-topics-'));
  const counter = new WordCounter();
  for (const words of texts) counter.add(words);
  const vocabulary = counter.vocabulary({ mostWords: 20_000, minTexts: 5, maxShare: 0.5 });
  const path = join(folder, 'corpus');
  const writer = new CorpusWriter(path, vocabulary);
  for (const words of texts) writer.add(words);
  const corpus = new Corpus(path, writer.end());
  try {
    const offset = learningOffset(corpus, vocabulary.length, SETTINGS);
    return seeds.map((seed) =>
      measureSeed(name, corpus, vocabulary.length, folder, { ...SETTINGS, offset, seed }, withReference),
    );
  } finally {
    corpus.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureSeed(
  name: string,
  corpus: Corpus,
  words: number,
  folder: string,
  settings: LearnSettings,
  withReference: boolean,
): Row {
  const heldOut = drawHeldOut(corpus.texts, HELD_OUT, settings.seed);
  const score = (model: TopicModel): number =>
    completionPerplexity(model, corpus, (text) => heldOut[text] === 1).perplexity;
  const before = cpuMs();
  const model = learnTopics(corpus, words, heldOut, settings, THREADS);
  const seconds = (cpuMs() - before) / 1000;
  const row = {
    corpus: name,
    seed: settings.seed,
    texts: corpus.texts,
    words,
    unigram: score(unigramModel(corpus, words, heldOut, settings)),
    ours: { perplexity: score(model), seconds },
  };
  if (!withReference) return { ...row, theirs: null };
  writeTexts(
    folder,
    'train',
    shuffledTexts(corpus, (text) => heldOut[text] === 0, settings.seed),
  );
  writeTexts(
    folder,
    'held_out',
    corpus.read([{ first: 0, count: corpus.texts }], (text) => heldOut[text] === 0),
  );
  const ours = new Float32Array(words * settings.topics);
  for (let word = 0; word < words; word++) ours.set(model.countsOf(word), word * settings.topics);
  const { counts, ...theirs } = trainReference(folder, words, ours, settings);
  const reference = new TopicModel(settings, words, Float64Array.from(counts), THREADS);
  return { ...row, theirs: { ...theirs, perplexity: score(reference) } };
}

/** All topics alike: the frequencies of words in the texts learned from. */
function unigramModel(corpus: Corpus, words: number, heldOut: Uint8Array, settings: LearnSettings): TopicModel {
  const lambda = new Float64Array(words * settings.topics).fill(settings.wordPrior);
  const all = corpus.read([{ first: 0, count: corpus.texts }], (text) => heldOut[text] === 1);
  for (let at = 0; at < all.words.length; at++) {
    const first = (all.words[at] as number) * settings.topics;
    for (let k = 0; k < settings.topics; k++) {
      lambda[first + k] = (lambda[first + k] as number) + (all.counts[at] as number);
    }
  }
  return new TopicModel(settings, words, lambda, THREADS);
}

function shuffledTexts(corpus: Corpus, keeps: (text: number) => boolean, seed: number): Batch {
  const order = sampleOutside(seededRandom(seed, 'reference order'), corpus.texts, corpus.texts, new Uint32Array());
  const ranges = Array.from(order.filter(keeps), (first) => ({ first, count: 1 }));
  return corpus.read(ranges);
}

/** Whether we are no worse than scikit-learn, by the seeds' own spread. */
function summarise(name: string): void {
  const differences = rows.flatMap(({ corpus, ours, theirs }) =>
    corpus === name && theirs !== null ? [Math.log(ours.perplexity / theirs.perplexity)] : [],
  );
  if (differences.length === 0) return;
  const centre = mean(differences);
  const spread = Math.sqrt(mean(differences.map((each) => (each - centre) ** 2)));
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  process.stdout.write(
    `${name}: perplexity ${percent(Math.exp(centre) - 1)} against scikit-learn's, deviation over seeds ${percent(spread)}: ` +
      `${centre <= spread ? 'no worse' : 'WORSE'}\n`,
  );
}
