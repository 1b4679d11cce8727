// Which words count: those in enough texts and in not too many, the most frequent first.

import { TopicError } from './topic-error.ts';

export interface VocabularyLimits {
  readonly mostWords: number;
  /** Texts a word must be in. */
  readonly minTexts: number;
  /** A word in a larger share of all texts tells none from another. */
  readonly maxShare: number;
}

/** Words counted at a time, some hundred bytes each; beyond, the rarest are dropped (lossy counting). */
const MOST_COUNTED = 4_000_000;

export class WordCounter {
  readonly #texts = new Map<string, number>();
  readonly #mostCounted: number;
  #total = 0;
  /** Words in up to this many texts were dropped at some time, and may have been in as many texts more. */
  #dropped = 0;

  constructor(mostCounted = MOST_COUNTED) {
    this.#mostCounted = mostCounted;
  }

  /** Texts counted. */
  get total(): number {
    return this.#total;
  }

  add(words: readonly string[]): void {
    this.#total++;
    for (const word of new Set(words)) this.#texts.set(word, (this.#texts.get(word) ?? 0) + 1);
    while (this.#texts.size > this.#mostCounted) {
      this.#dropped++;
      for (const [word, texts] of this.#texts) if (texts <= this.#dropped) this.#texts.delete(word);
    }
  }

  /** By the number of texts, then by code units; throws TopicError when no word is left. */
  vocabulary({ mostWords, minTexts, maxShare }: VocabularyLimits): readonly string[] {
    const words = [...this.#texts].filter(([, texts]) => texts >= minTexts && texts <= maxShare * this.#total);
    if (words.length === 0) {
      throw new TopicError(
        `no word is in at least ${minTexts} and at most ${maxShare * 100} % of ${this.#total} texts; ` +
          'lower --min-count, raise --max-share or choose other --fields',
      );
    }
    words.sort(([a, textsOfA], [b, textsOfB]) => textsOfB - textsOfA || (a < b ? -1 : 1));
    return words.slice(0, mostWords).map(([word]) => word);
  }
}

/** Words a user's line break, or a file's, cannot hold. */
export function vocabularyText(words: readonly string[]): string {
  return words.map((word) => `${word}\n`).join('');
}

export function parseVocabulary(path: string, text: string): readonly string[] {
  const words = text.split('\n');
  if (words.pop() !== '' || words.length === 0 || words.includes('') || new Set(words).size !== words.length) {
    throw new TopicError(`${path}: is no vocabulary; expected distinct words, one a line: learn the topics again`);
  }
  return words;
}
