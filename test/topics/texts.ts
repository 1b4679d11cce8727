// Texts of known topics for tests.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { drawnTexts } from '../../bench/topics-reference/corpora.ts';
import { Corpus, CorpusWriter } from '../../index-builder/topics/corpus.ts';
import { WordCounter } from '../../index-builder/topics/vocabulary.ts';
import { temporaryFolder } from '../support.ts';

export const TOPICS = 5;
/** Words are w0 … w99; those of topic k are the twenty from w20·k on, but for one in ten, which is any. */
export const OWN_WORDS = 20;

export function texts(count: number): readonly (readonly string[])[] {
  return drawnTexts(count, TOPICS * OWN_WORDS, TOPICS, 1).texts;
}

export function writeJsonLines(path: string, all: readonly (readonly string[])[]): string {
  const rows = all.map((words, i) =>
    JSON.stringify({ key: `text ${i}`, title: words.slice(0, 3).join(' '), tags: words.slice(3) }),
  );
  writeFileSync(path, rows.map((row) => `${row}\n`).join(''));
  return path;
}

/** Nine batches of 1,024 texts to learn from, three of 4,096 to write. */
export function manyTexts(t: Test) {
  const folder = temporaryFolder(t);
  return { folder, path: writeJsonLines(join(folder, 'texts.jsonl'), texts(9000)), out: join(folder, 'out') };
}

export function corpusOf(
  path: string,
  all: readonly (readonly string[])[],
): { corpus: Corpus; vocabulary: readonly string[] } {
  const counter = new WordCounter();
  for (const words of all) counter.add(words);
  const vocabulary = counter.vocabulary({ mostWords: 10_000, minTexts: 1, maxShare: 1 });
  const writer = new CorpusWriter(path, vocabulary);
  for (const words of all) writer.add(words);
  return { corpus: new Corpus(path, writer.end()), vocabulary };
}
