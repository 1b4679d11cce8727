// Topics as latent Dirichlet allocation learned online (Hoffman, Blei and Bach 2010): each batch of texts moves the
// counts lambda of words in topics a step towards what the batch alone would give for the whole collection,
//   lambda <- (1 - rho) lambda + rho (wordPrior + texts / batch · counts of the batch),  rho = (offset + step)^-decay

import { native } from '../../src/native.ts';
import type { Random } from '../../src/random.ts';
import type { Batch } from './corpus.ts';

export interface TopicSettings {
  readonly topics: number;
  /** Of the Dirichlet over a text's topics (alpha), and over a topic's words (eta). */
  readonly prior: number;
  readonly wordPrior: number;
}

export interface StepSettings {
  readonly offset: number;
  readonly decay: number;
}

/** What learning goes on from, to the bit. */
export interface ModelState {
  readonly steps: number;
  readonly scale: number;
  readonly totals: Float64Array;
  readonly excess: Float64Array;
}

/** As scikit-learn has them: the mean change of pseudo-counts that ends a text, and the most rounds. */
const TOLERANCE = 1e-3;
const MOST_ITERATIONS = 100;
/** The scale is worked into the counts before it leaves what doubles hold with ease. */
const LEAST_SCALE = 1e-100;
/** Counts of words in topics, eight bytes each. */
export const MOST_COUNTS = 2 ** 28;

export class TopicModel {
  readonly settings: TopicSettings;
  readonly words: number;
  readonly #threads: number;
  /**
   * lambda = wordPrior + scale · excess, words x topics: the part of a step that shrinks all counts is a change of the
   * scale, so a step touches only the words of its batch.
   */
  readonly #excess: Float64Array;
  #scale: number;
  /** Sums of lambda over words. */
  readonly #totals: Float64Array;
  #steps: number;
  /** Of every word its number in the batch at hand; only those of that batch are read. */
  readonly #local: Uint32Array;

  /** Of counts lambda, words x topics, or of a state: either is taken over. */
  constructor(settings: TopicSettings, words: number, from: Float64Array | ModelState, threads: number) {
    const { steps, scale, totals, excess } = from instanceof Float64Array ? stateOf(settings, from) : from;
    if (excess.length !== words * settings.topics) {
      throw new RangeError(`lambda: expected ${words} x ${settings.topics} values`);
    }
    this.settings = settings;
    this.words = words;
    this.#threads = threads;
    this.#steps = steps;
    this.#scale = scale;
    this.#totals = totals;
    this.#excess = excess;
    this.#local = new Uint32Array(words);
  }

  /** Counts around 1, with a deviation of 0.1, so that topics differ a little. */
  static random(settings: TopicSettings, words: number, random: Random, threads: number): TopicModel {
    // The sum of three uniforms in [0, 1) has mean 3/2 and deviation 1/2.
    const uniform = (): number => random.below(2 ** 24) / 2 ** 24;
    const lambda = Float64Array.from(
      { length: words * settings.topics },
      () => 1 + 0.2 * (uniform() + uniform() + uniform() - 1.5),
    );
    return new TopicModel(settings, words, lambda, threads);
  }

  /** Learns from a batch of a collection of so many texts. */
  learn(batch: Batch, collection: number, { offset, decay }: StepSettings): void {
    const texts = batch.starts.length - 1;
    const { topics, wordPrior } = this.settings;
    const own = this.#localWords(batch);
    const { weights, exponentials, ratios } = this.#infer(batch, own);
    const counts = new Float64Array(own.unique.length * topics);
    const { starts } = batch;
    native.topicCounts(
      ...([starts, own.words, batch.counts, weights, topics, exponentials, ratios, this.#threads, counts] as const),
    );

    this.#steps++;
    const rate = (offset + this.#steps) ** -decay;
    this.#scale *= 1 - rate;
    if (this.#scale < LEAST_SCALE) this.#settleScale();
    const gain = (rate * collection) / texts;
    for (let k = 0; k < topics; k++) {
      this.#totals[k] = (1 - rate) * (this.#totals[k] as number) + rate * this.words * wordPrior;
    }
    own.unique.forEach((word, local) => {
      for (let k = 0; k < topics; k++) {
        const added = gain * (counts[local * topics + k] as number);
        this.#totals[k] = (this.#totals[k] as number) + added;
        this.#excess[word * topics + k] = (this.#excess[word * topics + k] as number) + added / this.#scale;
      }
    });
  }

  /** The expected shares of topics in each text of a batch, texts x topics. A text without words has equal shares. */
  shares(batch: Batch): Float32Array {
    const { gamma } = this.#infer(batch, this.#localWords(batch));
    const { topics } = this.settings;
    for (let first = 0; first < gamma.length; first += topics) {
      const text = gamma.subarray(first, first + topics);
      let sum = 0;
      for (const count of text) sum += count;
      for (let k = 0; k < topics; k++) text[k] = (text[k] as number) / sum;
    }
    return gamma;
  }

  /** lambda of a word: how often it is in each topic, prior included. */
  countsOf(word: number): Float64Array {
    const { topics, wordPrior } = this.settings;
    return this.#excess.slice(word * topics, (word + 1) * topics).map((excess) => wordPrior + this.#scale * excess);
  }

  /** Sums of lambda over words, by topic. */
  get totals(): Float64Array {
    return this.#totals;
  }

  /** Shared with the model: it changes as that learns. */
  get state(): ModelState {
    return { steps: this.#steps, scale: this.#scale, totals: this.#totals, excess: this.#excess };
  }

  #infer(batch: Batch, { unique, words }: LocalWords) {
    const { topics, prior } = this.settings;
    const lambda = new Float64Array(unique.length * topics);
    unique.forEach((word, local) => {
      lambda.set(this.countsOf(word), local * topics);
    });
    const weights = new Float32Array(lambda.length);
    native.topicWeights(lambda, this.#totals, this.#threads, weights);
    const texts = batch.starts.length - 1;
    const gamma = new Float32Array(texts * topics);
    const exponentials = new Float32Array(texts * topics);
    const ratios = new Float32Array(words.length);
    const options = { prior, maxIterations: MOST_ITERATIONS, tolerance: TOLERANCE, threads: this.#threads };
    const { starts, counts } = batch;
    native.inferTopics(starts, words, counts, weights, topics, options, gamma, exponentials, ratios);
    return { gamma, exponentials, ratios, weights };
  }

  #localWords({ words }: Batch): LocalWords {
    const unique: number[] = [];
    const numbered = new Uint32Array(words.length);
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as number;
      const known = this.#local[word] as number;
      // A number of an earlier batch is not the place of this word among this one's.
      if (unique[known] !== word) {
        this.#local[word] = unique.length;
        unique.push(word);
      }
      numbered[at] = this.#local[word] as number;
    }
    return { unique: Uint32Array.from(unique), words: numbered };
  }

  #settleScale(): void {
    for (let at = 0; at < this.#excess.length; at++) this.#excess[at] = (this.#excess[at] as number) * this.#scale;
    this.#scale = 1;
  }
}

/** Before any step; the counts become the excess. */
function stateOf({ topics, wordPrior }: TopicSettings, lambda: Float64Array): ModelState {
  const totals = new Float64Array(topics);
  for (let at = 0; at < lambda.length; at++) {
    const count = lambda[at] as number;
    totals[at % topics] = (totals[at % topics] as number) + count;
    lambda[at] = count - wordPrior;
  }
  return { steps: 0, scale: 1, totals, excess: lambda };
}

/** The distinct words of a batch, and its words as places among them. */
interface LocalWords {
  readonly unique: Uint32Array;
  readonly words: Uint32Array;
}
