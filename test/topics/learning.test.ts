// What is learned: topics that texts were drawn from are found again, and held-out words are foretold as well as by them.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { drawnTexts } from '../../bench/topics-reference/corpora.ts';
import type { Batch, Corpus } from '../../index-builder/topics/corpus.ts';
import { drawHeldOut, type LearnSettings, learningOffset, learnTopics } from '../../index-builder/topics/learn.ts';
import { TopicModel } from '../../index-builder/topics/model.ts';
import { completionPerplexity, splitBatch } from '../../index-builder/topics/perplexity.ts';
import { temporaryFolder } from '../support.ts';
import { corpusOf, OWN_WORDS, TOPICS, texts } from './texts.ts';

const SETTINGS: LearnSettings = {
  topics: TOPICS,
  prior: 1 / TOPICS,
  wordPrior: 1 / TOPICS,
  passes: 3,
  batch: 256,
  seed: 1,
  offset: 1,
  decay: 0.7,
};

t.test('the topics that texts were drawn from are found again', async (t) => {
  const { corpus, vocabulary, heldOut } = collection(t);
  const model = learnTopics(corpus, vocabulary.length, heldOut, SETTINGS, 1);
  const owners = Array.from({ length: TOPICS }, (_, k) => {
    const strong = vocabulary
      .map((word, number) => ({ word, count: model.countsOf(number)[k] as number }))
      .sort((a, b) => b.count - a.count)
      .slice(0, OWN_WORDS / 2);
    return new Set(strong.map(({ word }) => Math.floor(Number(word.slice(1)) / OWN_WORDS)));
  });
  for (const own of owners) t.equal(own.size, 1, 'the strongest words of a topic are of one topic');
  t.equal(new Set(owners.flatMap((own) => [...own])).size, TOPICS, 'and each is found once');
});

t.test(
  'held-out words are foretold nearly as well as by the topics themselves, and much better than by frequency',
  async (t) => {
    const { corpus, vocabulary, heldOut } = collection(t);
    const score = (model: TopicModel): number =>
      completionPerplexity(model, corpus, (text) => heldOut[text] === 1).perplexity;
    const learned = score(learnTopics(corpus, vocabulary.length, heldOut, SETTINGS, 1));
    const truth = score(drawnFrom(vocabulary));
    const alike = score(
      new TopicModel(SETTINGS, vocabulary.length, new Float64Array(vocabulary.length * TOPICS).fill(1), 1),
    );
    // All words alike: the perplexity is their number, whatever the shares.
    t.ok(Math.abs(alike - vocabulary.length) < 1e-4 * vocabulary.length);
    // 600 held-out texts score some 3,500 words of deviation about 1 in log: 2 % of noise. Learned from 11,400 texts.
    t.ok(learned < 1.05 * truth, `${learned} against ${truth}`);
    t.ok(learned < alike / 2);
  },
);

t.test('of many small batches over many words, held-out words are foretold better than by frequency', async (t) => {
  // 150 batches of some 1,500 words over a vocabulary of 4,000; 50 topics of 80 words.
  const topics = 50;
  const drawn = drawnTexts(19_200, 4000, topics, 1).texts;
  const { corpus, vocabulary } = corpusOf(join(temporaryFolder(t), 'corpus'), drawn);
  t.teardown(() => corpus.close());
  const words = vocabulary.length;
  const given = { ...SETTINGS, topics, prior: 1 / topics, wordPrior: 1 / topics, passes: 1, batch: 128 };
  const settings = { ...given, offset: learningOffset(corpus, words, given) };
  const heldOut = drawHeldOut(corpus.texts, 0.05, 1);
  const score = (model: TopicModel): number =>
    completionPerplexity(model, corpus, (text) => heldOut[text] === 1).perplexity;
  const learned = score(learnTopics(corpus, words, heldOut, settings, 2));
  const counts = Float64Array.from({ length: words }, () => settings.wordPrior);
  const { words: all, counts: times } = corpus.read([{ first: 0, count: corpus.texts }], (text) => heldOut[text] === 1);
  all.forEach((word, at) => {
    counts[word] = (counts[word] as number) + (times[at] as number);
  });
  const frequencies = Float64Array.from(
    { length: words * topics },
    (_, at) => counts[Math.floor(at / topics)] as number,
  );
  const byFrequency = score(new TopicModel(settings, words, frequencies, 1));
  t.ok(learned < byFrequency, `${learned} against ${byFrequency}`);
});

t.test(
  'the more words to a batch of so many, the longer the first steps average, up to the number of steps',
  async (t) => {
    const { corpus, vocabulary } = collection(t);
    const offset = (words: number, passes: number): number =>
      learningOffset(corpus, words, { batch: 120, passes, decay: 0.5 });
    // 100 batches; offset^.5 batches hold 20 times each word.
    const perBatch = corpus.pairs / 100;
    const words = 10 * vocabulary.length;
    t.ok(Math.abs(offset(words, 10) / ((20 * words) / perBatch) ** 2 - 1) < 1e-9);
    t.equal(offset(words, 1), 100);
    t.equal(offset(1, 1), 1);
  },
);

t.test('threads change nothing, and another seed does', async (t) => {
  const { corpus, vocabulary, heldOut } = collection(t);
  const counts = (seed: number, threads: number): number[] => {
    const model = learnTopics(corpus, vocabulary.length, heldOut, { ...SETTINGS, seed, passes: 1 }, threads);
    return vocabulary.flatMap((_, word) => [...model.countsOf(word)]);
  };
  const one = counts(1, 1);
  t.strictSame(counts(1, 3), one);
  t.notSame(counts(2, 1), one);
});

t.test('a step moves all counts towards what the batch says, and their sums stay the sums', async (t) => {
  const { corpus, vocabulary } = collection(t);
  const words = vocabulary.length;
  const lambda = Float64Array.from({ length: words * TOPICS }, (_, at) => 1 + (at % 7) / 10);
  const model = new TopicModel(SETTINGS, words, lambda.slice(), 1);
  const batch = corpus.read([{ first: 0, count: 50 }]);
  const collectionTexts = 1000;
  model.learn(batch, collectionTexts, { offset: 3, decay: 1 });
  // rho = (3 + 1)^-1; the batch shares out each of its occurrences: sum of added counts = rho · texts / batch · words.
  const rho = 1 / 4;
  const occurrences = batch.counts.reduce((sum, count) => sum + count, 0);
  const before = lambda.reduce((sum, count) => sum + count, 0);
  const after = vocabulary.flatMap((_, word) => [...model.countsOf(word)]);
  const expected =
    (1 - rho) * before + rho * words * TOPICS * SETTINGS.wordPrior + (rho * collectionTexts * occurrences) / 50;
  t.ok(Math.abs(after.reduce((sum, count) => sum + count, 0) / expected - 1) < 1e-5);
  const untouched = vocabulary.findIndex((_, word) => !batch.words.includes(word));
  t.ok(untouched >= 0, 'fifty texts do not hold every word');
  model.countsOf(untouched).forEach((count, k) => {
    const old = lambda[untouched * TOPICS + k] as number;
    t.ok(Math.abs(count - ((1 - rho) * old + rho * SETTINGS.wordPrior)) < 1e-12);
  });
  model.totals.forEach((total, k) => {
    const sum = after.reduce((part, count, at) => part + (at % TOPICS === k ? count : 0), 0);
    t.ok(Math.abs(total / sum - 1) < 1e-12);
  });
});

t.test('thousands of steps leave the counts finite and as many as the collection has words', async (t) => {
  const { corpus, vocabulary } = collection(t);
  const model = new TopicModel(SETTINGS, vocabulary.length, new Float64Array(vocabulary.length * TOPICS).fill(1), 1);
  const batch: Batch = corpus.read([{ first: 0, count: 2 }]);
  // Each step keeps 1 - 3^-0.1 = .10 of what was and later ones a little more: far below the least scale in 300 steps.
  for (let step = 0; step < 300; step++) model.learn(batch, 100, { offset: 2, decay: 0.1 });
  const all = model.totals.reduce((sum, total) => sum + total, 0);
  const words = batch.counts.reduce((sum, count) => sum + count, 0) * 50;
  const prior = vocabulary.length * TOPICS * SETTINGS.wordPrior;
  t.ok(Math.abs(all / (words + prior) - 1) < 1e-4, `${all}`);
});

t.test('texts are split by turns of their words, and a share of them is held out', async (t) => {
  const halves = splitBatch({
    starts: Uint32Array.of(0, 2, 3, 3),
    words: Uint32Array.of(7, 9, 4),
    counts: Float32Array.of(3, 2, 1),
  });
  t.strictSame(halves, {
    seen: { starts: Uint32Array.of(0, 2, 3, 3), words: Uint32Array.of(7, 9, 4), counts: Float32Array.of(2, 1, 1) },
    asked: { starts: Uint32Array.of(0, 2, 2, 2), words: Uint32Array.of(7, 9), counts: Float32Array.of(1, 1) },
  });
  const held = drawHeldOut(100_000, 0.05, 3).reduce((sum, each) => sum + each, 0);
  // Binomial: 5000 with a deviation of 69; six of them.
  t.ok(Math.abs(held - 5000) < 6 * 69, `${held}`);
  t.equal(
    drawHeldOut(1000, 0, 3).reduce((sum, each) => sum + each, 0),
    0,
  );
});

function collection(t: Test): { corpus: Corpus; vocabulary: readonly string[]; heldOut: Uint8Array } {
  const { corpus, vocabulary } = corpusOf(join(temporaryFolder(t), 'corpus'), texts(12_000));
  t.teardown(() => corpus.close());
  return { corpus, vocabulary, heldOut: drawHeldOut(corpus.texts, 0.05, 1) };
}

/** The topics of `drawnTexts`, as counts of a million words: nine in ten of a topic's own, the smaller of two draws. */
function drawnFrom(vocabulary: readonly string[]): TopicModel {
  const lambda = vocabulary.flatMap((word) => {
    const number = Number(word.slice(1));
    const place = number % OWN_WORDS;
    const own = (2 * (OWN_WORDS - place) - 1) / OWN_WORDS ** 2;
    return Array.from({ length: TOPICS }, (_, k) => {
      const isOwn = Math.floor(number / OWN_WORDS) === k;
      return 1e6 * ((isOwn ? 0.9 * own : 0) + 0.1 / (TOPICS * OWN_WORDS));
    });
  });
  return new TopicModel(SETTINGS, vocabulary.length, Float64Array.from(lambda), 1);
}
