// farsight topics: texts → the shares of topics in each, with a model learned from them or one learned before.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AsideFolder } from '../stages/aside.ts';
import { writeDurably } from '../stages/disk.ts';
import { type Corpus, CorpusWriter } from './corpus.ts';
import { type Documents, openDocuments } from './documents.ts';
import { MODEL_FILE, MODEL_START, type ModelRecord, RowFile, readModel, writeModel } from './files.ts';
import { drawHeldOut, type LearnSettings, learningOffset, learnTopics } from './learn.ts';
import { MOST_COUNTS, type TopicModel } from './model.ts';
import { completionPerplexity, type Perplexity } from './perplexity.ts';
import { strongest } from './strongest.ts';
import { TopicError } from './topic-error.ts';
import { type VocabularyLimits, WordCounter } from './vocabulary.ts';
import { parseStopWords, type Words, wordSplitter } from './words.ts';

interface CommonOptions {
  readonly path: string;
  readonly out: string;
  readonly key?: string;
  /** Topics kept per text, strongest first; null writes all, as a dense array. */
  readonly kept: number | null;
  readonly threads: number;
}

export interface LearnOptions extends CommonOptions {
  readonly fields: readonly string[];
  readonly vocabulary: VocabularyLimits;
  readonly stopWords?: string;
  /** Share of the texts. */
  readonly heldOut: number;
  /** The offset follows from the corpus. */
  readonly settings: Omit<LearnSettings, 'offset'>;
}

export interface FoldInOptions extends CommonOptions {
  /** A folder that an earlier run made. */
  readonly model: string;
  /** Other fields than those it was learned from. */
  readonly fields?: readonly string[];
}

export interface TopicsSummary {
  readonly texts: number;
  /** Texts without a word of the vocabulary: their rows are all 0. */
  readonly empty: number;
  readonly words: number;
  readonly topics: number;
  readonly heldOutTexts: number;
  /** Null where no text has two known words to spare. */
  readonly perplexity: number | null;
  /** Files of the rows, as --modality takes them. */
  readonly modality: string;
}

/** What is counted in each stage. */
export const STAGES = {
  'count words': 'bytes',
  'number words': 'bytes',
  'learn topics': 'texts',
  'write topics': 'texts',
} as const;
export type Stage = keyof typeof STAGES;
type OnProgress = (stage: Stage, done: number, total: number) => void;

const KIND = { name: 'topics', suffix: 'learning', file: MODEL_FILE, start: MODEL_START };
const CORPUS_FILE = 'corpus.u32';
const BATCH_TEXTS = 4096;

/** Learns topics and writes them with their model to the folder `options.out`; until then `out` is what it was. */
export function topicsOf(options: LearnOptions, onProgress: OnProgress): Promise<TopicsSummary> {
  return writingAside(options.out, async (folder) => {
    const { fields } = options;
    const documents = openDocuments(options);
    const stopWords = options.stopWords === undefined ? new Set<string>() : readStopWords(options.stopWords);
    const split = wordSplitter(stopWords);
    const vocabulary = await countWords(documents, split, options.vocabulary, onProgress);
    if (vocabulary.length * options.settings.topics > MOST_COUNTS) {
      throw new TopicError(
        `${vocabulary.length} words x ${options.settings.topics} topics are too many counts; keep the product below ${MOST_COUNTS}: lower --vocabulary`,
      );
    }
    const corpus = await numberWords(documents, split, vocabulary, folder, options.key !== undefined, onProgress);
    try {
      const offset = learningOffset(corpus, vocabulary.length, options.settings);
      const settings = { ...options.settings, offset };
      const heldOut = drawHeldOut(corpus.texts, options.heldOut, settings.seed);
      const model = learnTopics(corpus, vocabulary.length, heldOut, settings, options.threads, (done, total) =>
        onProgress('learn topics', done, total),
      );
      const measured = completionPerplexity(model, corpus, (text) => heldOut[text] !== 0);
      const heldOutTexts = heldOut.reduce((sum, held) => sum + held, 0);
      const { empty, modality } = writeShares(model, corpus, options, folder, onProgress);
      const summary = summaryOf(corpus.texts, empty, model, heldOutTexts, measured, modality);
      const record = { ...settings, ...summary, ...options.vocabulary, fields, stopWords: [...stopWords].sort() };
      writeModel(folder, model, vocabulary, record);
      return summary;
    } finally {
      corpus.close();
    }
  });
}

/** Writes the topics of other texts under a model learned before. */
export function foldIn(options: FoldInOptions, onProgress: OnProgress): Promise<TopicsSummary> {
  return writingAside(options.out, async (folder) => {
    const { model, vocabulary, record } = readModel(options.model, options.threads);
    const split = wordSplitter(new Set(record.stopWords));
    const fields = options.fields ?? record.fields;
    const documents = openDocuments({ ...options, fields });
    const corpus = await numberWords(documents, split, vocabulary, folder, options.key !== undefined, onProgress);
    try {
      const measured = completionPerplexity(model, corpus, () => true);
      const { empty, modality } = writeShares(model, corpus, options, folder, onProgress);
      const summary = summaryOf(corpus.texts, empty, model, corpus.texts, measured, modality);
      writeModel(folder, model, vocabulary, { ...record, ...summary, fields } as ModelRecord);
      return summary;
    } finally {
      corpus.close();
    }
  });
}

async function writingAside(out: string, work: (folder: string) => Promise<TopicsSummary>): Promise<TopicsSummary> {
  const aside = new AsideFolder(out, KIND);
  try {
    aside.begin(false);
    const summary = await work(aside.result);
    rmSync(join(aside.result, CORPUS_FILE));
    aside.commit();
    return summary;
  } catch (error) {
    if (existsSync(aside.directory)) aside.abandon();
    throw error;
  }
}

function readStopWords(path: string): ReadonlySet<string> {
  try {
    return parseStopWords(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new TopicError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); name a file of stop words`,
    );
  }
}

async function countWords(
  documents: Documents,
  split: Words,
  limits: VocabularyLimits,
  onProgress: OnProgress,
): Promise<readonly string[]> {
  const counter = new WordCounter();
  for await (const { text } of documents((done, total) => onProgress('count words', done, total))) {
    counter.add(split(text));
  }
  return counter.vocabulary(limits);
}

async function numberWords(
  documents: Documents,
  split: Words,
  vocabulary: readonly string[],
  folder: string,
  withKeys: boolean,
  onProgress: OnProgress,
): Promise<Corpus> {
  const writer = new CorpusWriter(join(folder, CORPUS_FILE), vocabulary);
  const keys: string[] = [];
  let texts = 0;
  for await (const { text, key } of documents((done, total) => onProgress('number words', done, total))) {
    writer.add(split(text));
    if (key !== null) keys.push(key);
    texts++;
  }
  if (texts === 0) throw new TopicError('the file holds no texts; expected at least one');
  if (withKeys) writeDurably(join(folder, 'keys.txt'), Buffer.from(keys.map((key) => `${key}\n`).join('')));
  return writer.end();
}

/** One row a text: the strongest topics and their shares, or all shares. */
function writeShares(
  model: TopicModel,
  corpus: Corpus,
  { kept, out }: CommonOptions,
  folder: string,
  onProgress: OnProgress,
): { empty: number; modality: string } {
  const { topics } = model.settings;
  const columns = kept === null ? topics : Math.min(kept, topics);
  const name = kept === null ? 'topics.npy' : 'topic_scores.npy';
  const scores = new RowFile(join(folder, name), 'f4', [corpus.texts, columns]);
  const ids = kept === null ? null : new RowFile(join(folder, 'topic_ids.npy'), 'u2', [corpus.texts, columns]);
  let empty = 0;
  for (let first = 0; first < corpus.texts; first += BATCH_TEXTS) {
    const batch = corpus.read([{ first, count: Math.min(BATCH_TEXTS, corpus.texts - first) }]);
    const shares = model.shares(batch);
    for (let text = 0; text < batch.starts.length - 1; text++) {
      if (batch.starts[text] !== batch.starts[text + 1]) continue;
      // Nothing is known of it: no topic, rather than a little of every one.
      shares.fill(0, text * topics, (text + 1) * topics);
      empty++;
    }
    if (ids === null) scores.append(shares);
    else {
      const best = strongest(shares, topics, columns);
      scores.append(best.scores);
      ids.append(best.ids);
    }
    onProgress('write topics', first + batch.starts.length - 1, corpus.texts);
  }
  scores.end();
  ids?.end();
  const path = join(out, name);
  return { empty, modality: ids === null ? path : `${path},ids=${join(out, 'topic_ids.npy')},dims=${topics}` };
}

function summaryOf(
  texts: number,
  empty: number,
  model: TopicModel,
  heldOutTexts: number,
  { perplexity, words }: Perplexity,
  modality: string,
): TopicsSummary {
  return {
    texts,
    empty,
    words: model.words,
    topics: model.settings.topics,
    heldOutTexts,
    perplexity: words > 0 ? perplexity : null,
    modality,
  };
}
