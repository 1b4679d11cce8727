// Learning from a corpus: passes over its texts in a new order each time. Neighbours are often alike, and a batch of them
// teaches less, so single texts are drawn; of a large corpus short blocks, so that reading stays fast.

import { seededRandom, shuffled } from '../../src/random.ts';
import type { Corpus } from './corpus.ts';
import { type ModelState, type StepSettings, TopicModel, type TopicSettings } from './model.ts';

export interface LearnSettings extends TopicSettings, StepSettings {
  readonly passes: number;
  readonly batch: number;
  readonly seed: number;
}

/** Texts up to which a corpus is small enough to stay in the page cache and be read in any order. */
const SMALL_CORPUS = 4_000_000;
const BLOCK_TEXTS = 16;
/** Of each word, in the texts that the first steps average over; see docs/embedding.md for how it was picked. */
const COVERAGE = 20;

/** Hears what is learned after each batch, and how many texts that took of all there are to take. */
export type OnBatch = (model: TopicModel, batches: number, done: number, total: number) => void;

/**
 * Texts for which `heldOut` is not 0 are not learned from. Goes on after `learned`, of the same corpus and settings, to
 * the same bits.
 */
export function learnTopics(
  corpus: Corpus,
  words: number,
  heldOut: Uint8Array,
  settings: LearnSettings,
  threads: number,
  onBatch: OnBatch = () => {},
  learned: { readonly batches: number; readonly state: ModelState } | null = null,
): TopicModel {
  const { seed, passes } = settings;
  const model =
    learned === null
      ? TopicModel.random(settings, words, seededRandom(seed, 'topics'), threads)
      : new TopicModel(settings, words, learned.state, threads);
  const collection = heldOut.reduce((count, held) => count + (held === 0 ? 1 : 0), 0);
  const block = corpus.texts > SMALL_CORPUS ? BLOCK_TEXTS : 1;
  const blocksPerBatch = Math.max(1, Math.floor(settings.batch / block));
  let done = 0;
  let batches = 0;
  for (let pass = 0; pass < passes; pass++) {
    const order = shuffled(Math.ceil(corpus.texts / block), seededRandom(seed, `topics pass ${pass}`));
    for (let next = 0; next < order.length; next += blocksPerBatch) {
      const ranges = Array.from(order.subarray(next, next + blocksPerBatch), (number) => ({
        first: number * block,
        count: Math.min(block, corpus.texts - number * block),
      }));
      done += textsOf(ranges, heldOut);
      if (++batches <= (learned?.batches ?? 0)) continue;
      const batch = corpus.read(ranges, (text) => heldOut[text] !== 0);
      if (batch.words.length > 0) model.learn(batch, collection, settings);
      onBatch(model, batches, done, passes * collection);
    }
  }
  return model;
}

function textsOf(ranges: readonly { first: number; count: number }[], heldOut: Uint8Array): number {
  let texts = 0;
  for (const { first, count } of ranges) {
    for (let text = first; text < first + count; text++) if (heldOut[text] === 0) texts++;
  }
  return texts;
}

/**
 * The offset of the steps' rates. The rates forget the random start within the first steps, and a word that a topic did not
 * get by then has a weight of exp(psi(wordPrior)), e^-100 for .01, in it: it never comes back. So what the first steps
 * average over, about 1 / rate = offset^decay batches, must hold every word several times in the mean:
 *   offset^decay · words of a batch >= COVERAGE · words of the vocabulary.
 * No more than the steps there are, or the random start would outweigh them.
 */
export function learningOffset(
  corpus: Corpus,
  words: number,
  { batch, passes, decay }: Pick<LearnSettings, 'batch' | 'passes' | 'decay'>,
): number {
  const batches = Math.max(1, corpus.texts / batch);
  const perWord = Math.max(1, corpus.pairs) / batches / words;
  return Math.max(1, Math.min((COVERAGE / perWord) ** (1 / decay), passes * batches));
}

/** Draws the texts that are kept from learning: each with the same chance. */
export function drawHeldOut(texts: number, share: number, seed: number): Uint8Array {
  const random = seededRandom(seed, 'topics held out');
  const limit = Math.round(share * 2 ** 32);
  return Uint8Array.from({ length: texts }, () => (random.below(2 ** 32) < limit ? 1 : 0));
}
