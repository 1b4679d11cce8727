// The files of a model of topics: the words, their counts in topics, what was set, and the strongest words to look at.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type NpyType, npyHeader, openNpyArray } from '../readers/npy-array.ts';
import { changing, writeAt, writeDurably } from '../stages/disk.ts';
import { versionOf } from '../stages/source.ts';
import { TopicModel, type TopicSettings } from './model.ts';
import { TopicError } from './topic-error.ts';
import { parseVocabulary, vocabularyText } from './vocabulary.ts';

export const MODEL_FILE = 'topics.json';
export const MODEL_START = '{"kind":"farsight-topics"';
const VOCABULARY_FILE = 'vocabulary.txt';
const COUNTS_FILE = 'word_topics.npy';
const TOP_WORDS_FILE = 'top_words.json';

const TOP_WORDS = 20;
const ROWS_AT_ONCE = 4096;

/** What a model is and how it came about. */
export interface ModelRecord extends TopicSettings {
  readonly words: number;
  readonly fields: readonly string[];
  readonly stopWords: readonly string[];
  readonly [more: string]: unknown;
}

/** A file of rows that are appended. */
export class RowFile {
  readonly #path: string;
  readonly #file: number;
  #position: number;

  /** Of a file that was begun before, `rows` are kept. */
  constructor(path: string, type: NpyType, shape: readonly [number, number], rows = 0) {
    const header = npyHeader(type, shape);
    this.#path = path;
    this.#position = header.length + rows * shape[1] * Number(type.slice(1));
    this.#file = changing(path, () => {
      const file = openSync(path, rows > 0 ? 'r+' : 'w');
      writeAt(file, header, 0);
      // What came after the rows may be torn; it is made again.
      ftruncateSync(file, this.#position);
      return file;
    });
  }

  append(values: Float32Array | Uint16Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    changing(this.#path, () => writeAt(this.#file, bytes, this.#position));
    this.#position += bytes.length;
  }

  /** Waits until what was appended is on disk. */
  sync(): void {
    changing(this.#path, () => fsyncSync(this.#file));
  }

  end(): void {
    this.sync();
    changing(this.#path, () => closeSync(this.#file));
  }
}

export function writeVocabulary(folder: string, vocabulary: readonly string[]): void {
  writeDurably(join(folder, VOCABULARY_FILE), Buffer.from(vocabularyText(vocabulary)));
}

export function readVocabulary(folder: string): readonly string[] {
  const path = join(folder, VOCABULARY_FILE);
  return parseVocabulary(path, textOf(path));
}

/** All of a model but its vocabulary. */
export function writeModel(
  folder: string,
  model: TopicModel,
  vocabulary: readonly string[],
  record: ModelRecord,
): void {
  const { topics } = model.settings;
  const counts = new RowFile(join(folder, COUNTS_FILE), 'f4', [model.words, topics]);
  for (let first = 0; first < model.words; first += ROWS_AT_ONCE) {
    const rows = new Float32Array(Math.min(ROWS_AT_ONCE, model.words - first) * topics);
    for (let at = 0; at < rows.length; at += topics) rows.set(model.countsOf(first + at / topics), at);
    counts.append(rows);
  }
  counts.end();
  writeDurably(join(folder, TOP_WORDS_FILE), Buffer.from(`${JSON.stringify(topWords(model, vocabulary), null, 1)}\n`));
  writeDurably(join(folder, MODEL_FILE), Buffer.from(`${MODEL_START},${JSON.stringify(record, null, 2).slice(1)}\n`));
}

/** The same as long as nobody writes the model again. */
export function modelIdentity(folder: string): string {
  const path = resolve(folder, COUNTS_FILE);
  return `${path}, ${versionOf(path)}`;
}

/** Throws TopicError or InputError for a folder that holds no model, or a damaged one. */
export function readModel(
  folder: string,
  threads: number,
): { model: TopicModel; vocabulary: readonly string[]; record: ModelRecord } {
  const record = readRecord(folder);
  const vocabulary = readVocabulary(folder);
  const counts = openNpyArray(join(folder, COUNTS_FILE), ['f4']);
  try {
    if (counts.rows !== vocabulary.length || counts.columns !== record.topics || record.words !== counts.rows) {
      throw new TopicError(
        `${counts.path}: holds ${counts.rows} x ${counts.columns} counts; expected ${vocabulary.length} words x ` +
          `${record.topics} topics: learn the topics again`,
      );
    }
    const lambda = Float64Array.from(counts.read(0, counts.rows, counts.allocate(counts.rows)) as Float32Array);
    if (!lambda.every((count) => count > 0 && count < Infinity)) {
      throw new TopicError(`${counts.path}: holds counts that are not above 0; learn the topics again`);
    }
    return { model: new TopicModel(record, vocabulary.length, lambda, threads), vocabulary, record };
  } finally {
    counts.close();
  }
}

/** Throws TopicError for a folder that holds no model. */
export function readRecord(folder: string): ModelRecord {
  const path = join(folder, MODEL_FILE);
  const text = textOf(path);
  if (!text.startsWith(MODEL_START)) {
    throw new TopicError(`${path}: is no record of topics; name a folder that farsight topics made`);
  }
  return JSON.parse(text) as ModelRecord;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TopicError(`${path}: cannot be read (${code}); name a folder that farsight topics made`);
  }
}

/** Of each topic: how much of the collection it has, and its most probable words. */
function topWords(model: TopicModel, vocabulary: readonly string[]) {
  const { topics } = model.settings;
  const best = Array.from({ length: topics }, () => [] as { word: string; probability: number }[]);
  for (let word = 0; word < model.words; word++) {
    const counts = model.countsOf(word);
    best.forEach((list, k) => {
      const probability = (counts[k] as number) / (model.totals[k] as number);
      if (list.length === TOP_WORDS && probability <= (list.at(-1)?.probability as number)) return;
      // The vocabulary goes from frequent to rare: of equals the first stays in front.
      const place = list.findIndex((other) => other.probability < probability);
      list.splice(place < 0 ? list.length : place, 0, { word: vocabulary[word] as string, probability });
      list.length = Math.min(list.length, TOP_WORDS);
    });
  }
  const all = model.totals.reduce((sum, total) => sum + total, 0);
  return best.map((words, topic) => ({
    topic,
    share: rounded((model.totals[topic] as number) / all),
    words: words.map(({ word, probability }) => ({ word, probability: rounded(probability) })),
  }));
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
