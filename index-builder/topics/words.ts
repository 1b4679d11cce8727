// From a text to its words: compatibility forms made one (NFKC), lower case, runs of letters, marks and digits. Scripts
// that are written without spaces are cut by Unicode's rules and ICU's dictionaries (Intl.Segmenter).

const RUN = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Longer runs are no words but addresses and hashes. */
const LONGEST_WORD = 40;

export type Words = (text: string) => readonly string[];

/** Words in the order of the text. Single letters and digits say nothing and are left out; single ideographs stay. */
export function wordSplitter(stopWords: ReadonlySet<string>): Words {
  const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
  const keeps = (word: string): boolean => word.length <= LONGEST_WORD && !stopWords.has(word);
  return (text) => {
    const words: string[] = [];
    for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(RUN)) {
      if (UNSPACED.test(run)) {
        for (const { segment, isWordLike } of segmenter.segment(run)) {
          if (isWordLike && keeps(segment)) words.push(segment);
        }
      } else if (run.length > 1 && keeps(run)) words.push(run.replaceAll('’', "'"));
    }
    return words;
  };
}

/** One word a line; # begins a comment. */
export function parseStopWords(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().normalize('NFKC').toLowerCase());
  return new Set(lines.filter((line) => line !== ''));
}
