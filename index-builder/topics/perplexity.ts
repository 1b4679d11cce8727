// How well a model foretells words it has not seen, by document completion (Wallach et al., "Evaluation methods for topic
// models", ICML 2009): topics are inferred from every other word of a text, the words between are scored,
//   perplexity = exp(-mean log p),  p(word | text) = sum_k E[theta_k] E[beta_k,word]
// Unlike the variational bound it needs no bound on the model's own evidence, and is comparable between programs.

import type { Batch, Corpus } from './corpus.ts';
import type { TopicModel } from './model.ts';

export interface Perplexity {
  readonly perplexity: number;
  /** Words that were scored; 0 makes the perplexity NaN. */
  readonly words: number;
}

const BATCH_TEXTS = 1024;

/** Over the texts for which `isScored` holds. */
export function completionPerplexity(
  model: TopicModel,
  corpus: Corpus,
  isScored: (text: number) => boolean,
): Perplexity {
  let logs = 0;
  let words = 0;
  for (let first = 0; first < corpus.texts; first += BATCH_TEXTS) {
    const count = Math.min(BATCH_TEXTS, corpus.texts - first);
    const { seen, asked } = splitBatch(corpus.read([{ first, count }], (text) => !isScored(text)));
    const shares = model.shares(seen);
    for (let text = 0; text < asked.starts.length - 1; text++) {
      const own = shares.subarray(text * model.settings.topics, (text + 1) * model.settings.topics);
      for (let at = asked.starts[text] as number; at < (asked.starts[text + 1] as number); at++) {
        logs += (asked.counts[at] as number) * Math.log(likelihood(model, own, asked.words[at] as number));
        words += asked.counts[at] as number;
      }
    }
  }
  return { perplexity: Math.exp(-logs / words), words };
}

function likelihood(model: TopicModel, shares: Float32Array, word: number): number {
  const counts = model.countsOf(word);
  let sum = 0;
  for (let k = 0; k < shares.length; k++) {
    sum += ((shares[k] as number) * (counts[k] as number)) / (model.totals[k] as number);
  }
  return sum;
}

/** Occurrences in turns: the first of a text is seen, the second asked for, and so on. */
export function splitBatch({ starts, words, counts }: Batch): { seen: Batch; asked: Batch } {
  const halves = [0, 1].map(() => ({ starts: [0], words: [] as number[], counts: [] as number[] }));
  for (let text = 0; text < starts.length - 1; text++) {
    let position = 0;
    for (let at = starts[text] as number; at < (starts[text + 1] as number); at++) {
      const count = counts[at] as number;
      halves.forEach((half, h) => {
        // Places position … position + count - 1, of which those with position % 2 = h belong to half h.
        const own = Math.floor((position + count + 1 - h) / 2) - Math.floor((position + 1 - h) / 2);
        if (own === 0) return;
        half.words.push(words[at] as number);
        half.counts.push(own);
      });
      position += count;
    }
    for (const half of halves) half.starts.push(half.words.length);
  }
  const [seen, asked] = halves.map((half) => ({
    starts: Uint32Array.from(half.starts),
    words: Uint32Array.from(half.words),
    counts: Float32Array.from(half.counts),
  })) as [Batch, Batch];
  return { seen, asked };
}
