// From texts to numbered words: one pass counts in how many texts each word is, the next writes the corpus and the keys.

import { join } from 'node:path';
import type { OnRead } from '../readers/reader.ts';
import { writeDurably } from '../stages/disk.ts';
import { CorpusWriter } from './corpus.ts';
import { type DocumentOptions, openDocuments } from './documents.ts';
import { TopicError } from './topic-error.ts';
import { type VocabularyLimits, WordCounter } from './vocabulary.ts';
import type { Words } from './words.ts';

export async function countWords(
  options: DocumentOptions,
  split: Words,
  limits: VocabularyLimits,
  onRead: OnRead,
): Promise<readonly string[]> {
  const documents = await openDocuments(options);
  const counter = new WordCounter();
  try {
    for await (const { text } of documents.all(onRead)) counter.add(split(text));
  } finally {
    documents.close();
  }
  return counter.vocabulary(limits);
}

/** Writes the corpus to `path`, and with a key keys.txt to `folder`. Returns what opens the corpus beside its path. */
export async function numberWords(
  options: DocumentOptions,
  split: Words,
  vocabulary: readonly string[],
  path: string,
  folder: string,
  onRead: OnRead,
): Promise<Float64Array> {
  const documents = await openDocuments(options);
  const writer = new CorpusWriter(path, vocabulary);
  const keys: string[] = [];
  let texts = 0;
  try {
    for await (const { text, key } of documents.all(onRead)) {
      writer.add(split(text));
      if (key !== null) keys.push(key);
      texts++;
    }
  } finally {
    documents.close();
  }
  if (texts === 0) throw new TopicError(`${options.path}: holds no texts; expected at least one; name another file`);
  if (options.key !== undefined)
    writeDurably(join(folder, 'keys.txt'), Buffer.from(keys.map((key) => `${key}\n`).join('')));
  return writer.end();
}
