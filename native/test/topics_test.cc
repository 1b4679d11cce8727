// Topics against their definition in double, with digamma by its recurrence and asymptotic series.
#include "topics.h"

#include <cmath>
#include <random>
#include <vector>

#include "test.h"

using namespace farsight;

namespace {

double digamma(double x) {
  double shift = 0;
  for (; x < 40; ++x) shift -= 1 / x;
  const double z = 1 / (x * x);
  return shift + std::log(x) - 0.5 / x - z * (1.0 / 12 - z * (1.0 / 120 - z / 252));
}

struct Texts {
  std::vector<uint32_t> starts{0}, words;
  std::vector<float> counts;
  TextBatch batch() const { return {starts.size() - 1, starts.data(), words.data(), counts.data()}; }
};

constexpr size_t kWords = 23;

// The third text has no words.
Texts random_texts(size_t count) {
  std::mt19937 random(3);
  Texts texts;
  for (size_t t = 0; t < count; ++t) {
    for (uint32_t w = 0; w < kWords && t != 2; ++w) {
      if (random() % 3 != 0) continue;
      texts.words.push_back(w);
      texts.counts.push_back(static_cast<float>(1 + random() % 3));
    }
    texts.starts.push_back(static_cast<uint32_t>(texts.words.size()));
  }
  return texts;
}

std::vector<double> random_counts(size_t topics) {
  std::mt19937 random(4);
  std::vector<double> counts(kWords * topics);
  for (double& count : counts) count = 0.01 + static_cast<double>(random() % 1000) / 50;
  return counts;
}

std::vector<double> totals_of(const std::vector<double>& counts, size_t topics) {
  std::vector<double> totals(topics);
  for (size_t at = 0; at < counts.size(); ++at) totals[at % topics] += counts[at];
  return totals;
}

std::vector<float> weights_of(const std::vector<double>& counts, size_t topics, size_t threads) {
  std::vector<float> weights(counts.size());
  topic_weights(counts.data(), kWords, topics, totals_of(counts, topics).data(), threads, weights.data());
  return weights;
}

} // namespace

TEST("topic weights are exp of differences of digamma") {
  for (const size_t topics : {1, 7, 8, 21}) {
    const auto counts = random_counts(topics);
    const auto totals = totals_of(counts, topics);
    const auto weights = weights_of(counts, topics, 2);
    for (size_t at = 0; at < counts.size(); ++at) {
      // Below e^-40 the value is cut; above, the series and the polynomial are right to 1e-6, and so is single precision.
      const double expected = std::exp(std::max(digamma(counts[at]), std::log(counts[at] + 6) - 40) -
                                       digamma(totals[at % topics]));
      CHECK(std::fabs(weights[at] - expected) <= 1e-6 * expected);
    }
  }
}

TEST("texts get the topics of the coordinate ascent in double") {
  for (const size_t topics : {2, 9, 16}) {
    const auto texts = random_texts(12);
    const auto batch = texts.batch();
    const auto weights = weights_of(random_counts(topics), topics, 1);
    const TopicInference options{0.1f, 50, 0, 1};
    std::vector<float> gamma(batch.texts * topics), theta(gamma.size()), ratios(texts.words.size());
    infer_topics(batch, topics, weights.data(), options, gamma.data(), theta.data(), ratios.data());
    for (size_t t = 0; t < batch.texts; ++t) {
      double length = 0;
      for (size_t i = batch.starts[t]; i < batch.starts[t + 1]; ++i) length += batch.counts[i];
      std::vector<double> expected(topics, 0.1 + length / static_cast<double>(topics));
      for (int round = 0; round < 50 && length > 0; ++round) {
        std::vector<double> next(topics, 0.1);
        for (size_t i = batch.starts[t]; i < batch.starts[t + 1]; ++i) {
          const float* const weight = &weights[texts.words[i] * topics];
          double norm = 0;
          for (size_t k = 0; k < topics; ++k) norm += std::exp(digamma(expected[k])) * weight[k];
          for (size_t k = 0; k < topics; ++k) {
            next[k] += texts.counts[i] * std::exp(digamma(expected[k])) * weight[k] / norm;
          }
        }
        expected = next;
      }
      // Pseudo-counts add up to the words; fifty rounds in single precision stay within a ten-thousandth of that.
      for (size_t k = 0; k < topics; ++k) {
        CHECK(std::fabs(gamma[t * topics + k] - expected[k]) <= 1e-4 * (1 + length));
      }
    }
  }
}

TEST("counts of a batch are the sums over its texts and threads change no bit") {
  const size_t topics = 11;
  const auto texts = random_texts(40);
  const auto batch = texts.batch();
  const auto weights = weights_of(random_counts(topics), topics, 1);
  std::vector<float> gamma(batch.texts * topics), theta(gamma.size()), ratios(texts.words.size());
  std::vector<double> counts(kWords * topics);
  const auto run = [&](size_t threads) {
    infer_topics(batch, topics, weights.data(), {0.1f, 100, 1e-3f, threads}, gamma.data(), theta.data(), ratios.data());
    topic_counts(batch, kWords, topics, weights.data(), theta.data(), ratios.data(), threads, counts.data());
  };
  run(1);
  const auto gamma_of_one = gamma;
  const auto counts_of_one = counts;
  for (const size_t threads : {2, 3, 64}) {
    run(threads);
    CHECK(gamma == gamma_of_one);
    CHECK(counts == counts_of_one);
    CHECK(weights_of(random_counts(topics), topics, threads) == weights);
  }
  std::vector<double> expected(counts.size());
  for (size_t t = 0; t < batch.texts; ++t) {
    for (size_t i = batch.starts[t]; i < batch.starts[t + 1]; ++i) {
      for (size_t k = 0; k < topics; ++k) {
        expected[texts.words[i] * topics + k] +=
            double{theta[t * topics + k]} * ratios[i] * weights[texts.words[i] * topics + k];
      }
    }
  }
  double all = 0;
  double words = 0;
  for (size_t at = 0; at < counts.size(); ++at) {
    CHECK(std::fabs(counts[at] - expected[at]) <= 1e-12 * expected[at]);
    all += counts[at];
  }
  for (const float count : texts.counts) words += count;
  // Every occurrence of a word is shared out among the topics; shares are single precision.
  CHECK(std::fabs(all - words) <= 1e-5 * words);
}
