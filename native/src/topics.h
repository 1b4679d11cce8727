// Topics of texts: the inner loops of online variational Bayes for latent Dirichlet allocation (Hoffman, Blei and Bach,
// "Online learning for latent Dirichlet allocation", NIPS 2010, algorithm 2). Only sums, products and an exponential of
// our own: the bits do not depend on the machine's libm, and not on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Texts as counted words: those of text t are [starts[t], starts[t + 1]), numbered within the batch.
struct TextBatch {
  size_t texts;
  const uint32_t* starts;
  const uint32_t* words;
  const float* counts;
};

struct TopicInference {
  // Of the Dirichlet over a text's topics.
  float prior;
  uint32_t max_iterations;
  // Ends when the mean change of a text's pseudo-counts is below.
  float tolerance;
  size_t threads;
};

// weights[w][k] = exp(E[log beta_kw]) = exp(psi(counts[w][k]) - psi(totals[k])), words x topics.
void topic_weights(const double* counts, size_t words, size_t topics, const double* totals, size_t threads,
                   float* weights);

// The E step. Of each text its pseudo-counts gamma (texts x topics), exp(psi(gamma)) and, of each counted word,
// count / sum_k exp(psi(gamma_k)) weights_k. A text without words keeps the prior. Returns the iterations of all texts.
uint64_t infer_topics(const TextBatch& batch, size_t topics, const float* weights, const TopicInference& options,
                      float* gamma, float* exponentials, float* ratios);

// What the M step adds: out[w][k] = weights[w][k] sum over texts of exponentials[t][k] ratios of w in t, words x topics.
void topic_counts(const TextBatch& batch, size_t words, size_t topics, const float* weights, const float* exponentials,
                  const float* ratios, size_t threads, double* out);

} // namespace farsight
