// Texts as sparse vectors: tf-idf over the words that occur in more than one text.
//   score(word, text) = times in the text x ln(texts / texts with the word), the strongest kept, scaled to unit length

/** Words kept per text. */
const WORDS_PER_TEXT = 8;
/** The index remaps no features up to this many (SPEED.md, vpermi2b tables). */
const LARGEST_VOCABULARY = 1024;
const STOP_WORDS: ReadonlySet<string> = new Set([
  'a',
  'an',
  'and',
  'at',
  'for',
  'in',
  'of',
  'on',
  'other',
  'the',
  'with',
]);

export interface WordFeatures {
  /** Id to word; ids go from the most frequent word down. */
  readonly vocabulary: readonly string[];
  readonly perRow: number;
  /** texts x perRow. */
  readonly ids: Uint16Array;
  /** texts x perRow, descending in a row; 0 pads. */
  readonly scores: Float32Array;
}

export function wordFeatures(texts: readonly string[]): WordFeatures {
  const counts = texts.map(countWords);
  const textsWith = new Map<string, number>();
  for (const words of counts) {
    for (const word of words.keys()) textsWith.set(word, (textsWith.get(word) ?? 0) + 1);
  }
  const known = [...textsWith]
    .filter(([, frequency]) => frequency > 1)
    .sort(([wordA, a], [wordB, b]) => b - a || (wordA < wordB ? -1 : 1))
    .slice(0, LARGEST_VOCABULARY);
  const idOf = new Map(known.map(([word], id) => [word, id]));
  const weights = known.map(([, frequency]) => Math.log(texts.length / frequency));

  const ids = new Uint16Array(texts.length * WORDS_PER_TEXT);
  const scores = new Float32Array(texts.length * WORDS_PER_TEXT);
  for (const [text, words] of counts.entries()) {
    const strongest = [...words]
      .map(([word, times]) => ({ id: idOf.get(word) ?? -1, times }))
      .filter(({ id }) => id >= 0)
      .map(({ id, times }) => ({ id, score: times * (weights[id] as number) }))
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .slice(0, WORDS_PER_TEXT);
    const length = Math.hypot(...strongest.map(({ score }) => score)) || 1;
    for (const [at, { id, score }] of strongest.entries()) {
      ids[text * WORDS_PER_TEXT + at] = id;
      scores[text * WORDS_PER_TEXT + at] = score / length;
    }
  }
  return { vocabulary: known.map(([word]) => word), perRow: WORDS_PER_TEXT, ids, scores };
}

function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!STOP_WORDS.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
