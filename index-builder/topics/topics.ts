// farsight topics: texts → the shares of topics in each, with a model learned from them or one learned before.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Identity } from '../stages/journal.ts';
import { versionOf } from '../stages/source.ts';
import type { Corpus } from './corpus.ts';
import {
  type ModelRecord,
  modelIdentity,
  readModel,
  readRecord,
  readVocabulary,
  writeModel,
  writeVocabulary,
} from './files.ts';
import { drawHeldOut, type LearnSettings, learningOffset, learnTopics } from './learn.ts';
import { MOST_COUNTS, type TopicModel } from './model.ts';
import { countWords, numberWords } from './numbering.ts';
import { completionPerplexity } from './perplexity.ts';
import { modalityOf, writeShares } from './shares.ts';
import { TopicError } from './topic-error.ts';
import type { VocabularyLimits } from './vocabulary.ts';
import { parseStopWords, type Words, wordSplitter } from './words.ts';
import { Workspace } from './workspace.ts';

interface CommonOptions {
  readonly path: string;
  readonly out: string;
  readonly key?: string;
  /** Topics kept per text, strongest first; null writes all, as a dense array. */
  readonly kept: number | null;
  readonly threads: number;
  /** Goes on from what a killed run left. */
  readonly resume: boolean;
  /** How often progress is made durable: a kill costs at most so much work, and a batch. */
  readonly checkpointMs: number;
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

/** Learns topics and writes them with their model to the folder `options.out`; until then `out` is what it was. */
export function topicsOf(options: LearnOptions, onProgress: OnProgress): Promise<TopicsSummary> {
  const { fields, vocabulary: limits, heldOut: share } = options;
  const stopWords = options.stopWords === undefined ? [] : [...readStopWords(options.stopWords)].sort();
  const identity = {
    ...identityOf(options, fields),
    'the choice of words': JSON.stringify([limits, digestOf(stopWords)]),
    'the settings of learning': JSON.stringify([share, options.settings]),
  };
  return inWorkspace(options, identity, async (workspace) => {
    const { corpus, vocabulary } = workspace.isNumbered
      ? { corpus: workspace.openCorpus(), vocabulary: readVocabulary(workspace.folder) }
      : await numbered(options, wordSplitter(new Set(stopWords)), workspace, onProgress);
    try {
      const settings = { ...options.settings, offset: learningOffset(corpus, vocabulary.length, options.settings) };
      const heldOut = drawHeldOut(corpus.texts, share, settings.seed);
      const model = learned(corpus, vocabulary.length, heldOut, settings, options.threads, workspace, onProgress);
      const summary = written(options, model, corpus, (text) => heldOut[text] !== 0, workspace, onProgress);
      writeModel(workspace.folder, model, vocabulary, { ...settings, ...summary, ...limits, fields, stopWords });
      return summary;
    } finally {
      corpus.close();
    }
  });
}

/** Writes the topics of other texts under a model learned before. */
export async function foldIn(options: FoldInOptions, onProgress: OnProgress): Promise<TopicsSummary> {
  const { model, vocabulary, record } = readModel(options.model, options.threads);
  const fields = options.fields ?? record.fields;
  const identity = { ...identityOf(options, fields), '--model': modelIdentity(options.model) };
  return inWorkspace(options, identity, async (workspace) => {
    const { corpusPath, folder } = workspace;
    if (!workspace.isNumbered) {
      const split = wordSplitter(new Set(record.stopWords));
      const onRead = (done: number, total: number): void => onProgress('number words', done, total);
      const ends = await numberWords({ ...options, fields }, split, vocabulary, corpusPath, folder, onRead);
      writeVocabulary(folder, vocabulary);
      workspace.numbered(ends);
    }
    const corpus = workspace.openCorpus();
    try {
      const summary = written(options, model, corpus, () => true, workspace, onProgress);
      writeModel(folder, model, vocabulary, { ...record, ...summary, fields } as ModelRecord);
      return summary;
    } finally {
      corpus.close();
    }
  });
}

async function inWorkspace(
  { out, resume, checkpointMs }: CommonOptions,
  identity: Identity,
  work: (workspace: Workspace) => Promise<TopicsSummary>,
): Promise<TopicsSummary> {
  const workspace = new Workspace(out, identity, resume, checkpointMs);
  if (workspace.isFinished) {
    workspace.abandon();
    return summaryIn(out);
  }
  try {
    const summary = await work(workspace);
    workspace.commit();
    return summary;
  } catch (error) {
    workspace.leave();
    throw error;
  }
}

/** Counts the words, numbers those that count, and makes that durable. */
async function numbered(
  options: LearnOptions,
  split: Words,
  workspace: Workspace,
  onProgress: OnProgress,
): Promise<{ corpus: Corpus; vocabulary: readonly string[] }> {
  const { corpusPath, folder } = workspace;
  const counting = (done: number, total: number): void => onProgress('count words', done, total);
  const vocabulary = await countWords(options, split, options.vocabulary, counting);
  const { topics } = options.settings;
  if (vocabulary.length * topics > MOST_COUNTS) {
    throw new TopicError(
      `${vocabulary.length} words x ${topics} topics are too many counts; keep the product below ${MOST_COUNTS}: lower --vocabulary`,
    );
  }
  const numbering = (done: number, total: number): void => onProgress('number words', done, total);
  const ends = await numberWords(options, split, vocabulary, corpusPath, folder, numbering);
  writeVocabulary(folder, vocabulary);
  workspace.numbered(ends);
  return { corpus: workspace.openCorpus(), vocabulary };
}

function learned(
  corpus: Corpus,
  words: number,
  heldOut: Uint8Array,
  settings: LearnSettings,
  threads: number,
  workspace: Workspace,
  onProgress: OnProgress,
): TopicModel {
  const onBatch = (model: TopicModel, batches: number, done: number, total: number): void => {
    onProgress('learn topics', done, total);
    if (workspace.isDue || done === total) workspace.keepLearned({ batches, state: model.state });
  };
  const before = workspace.learned(words, settings.topics);
  return learnTopics(corpus, words, heldOut, settings, threads, onBatch, before);
}

/** Measures, writes the rows, and sums up. */
function written(
  { kept, out }: CommonOptions,
  model: TopicModel,
  corpus: Corpus,
  isScored: (text: number) => boolean,
  workspace: Workspace,
  onProgress: OnProgress,
): TopicsSummary {
  const { topics } = model.settings;
  if (workspace.progress.measured === null) {
    workspace.checkpoint({ ...workspace.progress, measured: completionPerplexity(model, corpus, isScored) });
  }
  writeShares(model, corpus, kept, workspace, (done, total) => onProgress('write topics', done, total));
  const { measured, empty } = workspace.progress;
  let heldOutTexts = 0;
  for (let text = 0; text < corpus.texts; text++) if (isScored(text)) heldOutTexts++;
  return {
    texts: corpus.texts,
    empty,
    words: model.words,
    topics,
    heldOutTexts,
    perplexity: measured !== null && measured.words > 0 ? measured.perplexity : null,
    modality: modalityOf(out, kept, topics),
  };
}

/** What a run that was killed after its last step had to say. */
function summaryIn(out: string): TopicsSummary {
  const { texts, empty, words, topics, heldOutTexts, perplexity, modality } = readRecord(
    out,
  ) as unknown as TopicsSummary;
  return { texts, empty, words, topics, heldOutTexts, perplexity, modality };
}

function identityOf({ path, key, kept }: CommonOptions, fields: readonly string[]): Identity {
  return {
    'the file of texts': `${resolve(path)}, ${versionOf(path)}`,
    '--fields': JSON.stringify(fields),
    '--key': key ?? '',
    '--keep': `${kept}`,
  };
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
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
