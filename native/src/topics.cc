#include "topics.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <vector>

#include "parallel.h"

namespace farsight {
namespace {

// Below e^-40 a topic has no part in a text or a word; above the smallest floats, products stay out of the denormals.
constexpr double kLeastExponent = -40;

// e^x for x from -40 to 0: 2^n e^r with |r| <= ln 2 / 2, a Taylor polynomial of degree 7 (error below 4e-9).
template <typename T, typename Bits>
inline T exponential(T x) {
  constexpr int mantissa = sizeof(T) == 4 ? 23 : 52;
  constexpr int bias = sizeof(T) == 4 ? 127 : 1023;
  const T scaled = x * T(1.4426950408889634) - T(0.5);
  const auto n = static_cast<int32_t>(scaled);
  const T r = x - T(n) * T(0.693359375) + T(n) * T(2.1219444005469058e-4);
  T e = T(1) / T(5040);
  e = e * r + T(1) / T(720);
  e = e * r + T(1) / T(120);
  e = e * r + T(1) / T(24);
  e = e * r + T(1) / T(6);
  e = e * r + T(0.5);
  e = e * r + T(1);
  e = e * r + T(1);
  return e * std::bit_cast<T>(static_cast<Bits>(n + bias) << mantissa);
}

// exp(psi(x)), x > 0. The recurrence psi(x) = psi(x + 6) - sum_{i<6} 1 / (x + i) brings the argument to where
// psi(y) = ln y - 1/2y - 1/12y^2 + 1/120y^4 is right to 1e-7. The reciprocals of x + i and x + 5 - i go together:
// with u = x (x + 5) the sum is (2x + 5) (3u^2 + 20u + 24) / (u (u + 4) (u + 6)).
template <typename T, typename Bits>
inline T exp_psi(T x) {
  const T u = x * (x + T(5));
  const T sum = (T(2) * x + T(5)) * ((T(3) * u + T(20)) * u + T(24)) / (u * (u + T(4)) * (u + T(6)));
  const T y = x + T(6);
  const T z = T(1) / y;
  const T tail = z * (T(0.5) + z * (T(1) / T(12) - z * z * (T(1) / T(120))));
  return y * exponential<T, Bits>(std::max(-tail - sum, T(kLeastExponent)));
}

// A dot product in eight sums, whose order is part of the result.
inline float dot(const float* a, const float* b, size_t count) {
  float sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (size_t lane = 0; i < count; ++i, ++lane) sums[lane] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

void exp_psi_all(const float* values, size_t count, float* out) {
  for (size_t k = 0; k < count; ++k) out[k] = exp_psi<float, uint32_t>(values[k]);
}

// One text: rounds of theta given phi and phi given theta. Returns how many.
uint32_t infer_text(const TextBatch& batch, size_t text, size_t topics, const float* weights,
                    const TopicInference& options, float* gamma, float* theta, float* ratios, float* sums) {
  const size_t first = batch.starts[text];
  const size_t end = batch.starts[text + 1];
  float length = 0;
  for (size_t i = first; i < end; ++i) length += batch.counts[i];
  std::fill_n(gamma, topics, options.prior + length / static_cast<float>(topics));
  exp_psi_all(gamma, topics, theta);
  const auto ratio = [&](size_t i) {
    return batch.counts[i] / dot(theta, weights + size_t{batch.words[i]} * topics, topics);
  };
  uint32_t rounds = 0;
  for (bool moving = first < end; moving && rounds < options.max_iterations; ++rounds) {
    std::fill_n(sums, topics, 0.0f);
    for (size_t i = first; i < end; ++i) {
      const float* const weight = weights + size_t{batch.words[i]} * topics;
      const float share = ratio(i);
      for (size_t k = 0; k < topics; ++k) sums[k] += share * weight[k];
    }
    float change = 0;
    for (size_t k = 0; k < topics; ++k) {
      const float next = options.prior + theta[k] * sums[k];
      change += std::fabs(next - gamma[k]);
      gamma[k] = next;
    }
    exp_psi_all(gamma, topics, theta);
    moving = change >= options.tolerance * static_cast<float>(topics);
  }
  for (size_t i = first; i < end; ++i) ratios[i] = ratio(i);
  return rounds;
}

} // namespace

void topic_weights(const double* counts, size_t words, size_t topics, const double* totals, size_t threads,
                   float* weights) {
  std::vector<double> scales(topics);
  for (size_t k = 0; k < topics; ++k) scales[k] = 1 / exp_psi<double, uint64_t>(totals[k]);
  parallel(words, threads, [&](size_t first, size_t last) {
    for (size_t w = first; w < last; ++w) {
      for (size_t k = 0; k < topics; ++k) {
        weights[w * topics + k] =
            static_cast<float>(exp_psi<double, uint64_t>(counts[w * topics + k]) * scales[k]);
      }
    }
  });
}

uint64_t infer_topics(const TextBatch& batch, size_t topics, const float* weights, const TopicInference& options,
                      float* gamma, float* exponentials, float* ratios) {
  std::atomic<uint64_t> rounds{0};
  parallel(batch.texts, options.threads, [&](size_t first, size_t last) {
    std::vector<float> sums(topics);
    uint64_t own = 0;
    for (size_t t = first; t < last; ++t) {
      own += infer_text(batch, t, topics, weights, options, gamma + t * topics, exponentials + t * topics, ratios,
                        sums.data());
    }
    rounds += own;
  });
  return rounds;
}

void topic_counts(const TextBatch& batch, size_t words, size_t topics, const float* weights, const float* exponentials,
                  const float* ratios, size_t threads, double* out) {
  // The places of every word, text by text: a thread owns words, so a sum has one order.
  struct Place {
    uint32_t text;
    float ratio;
  };
  std::vector<size_t> ends(words + 1);
  const size_t all = batch.starts[batch.texts];
  for (size_t i = 0; i < all; ++i) ++ends[batch.words[i] + 1];
  for (size_t w = 0; w < words; ++w) ends[w + 1] += ends[w];
  std::vector<size_t> next(ends.begin(), ends.end() - 1);
  std::vector<Place> places(all);
  for (size_t t = 0; t < batch.texts; ++t) {
    for (size_t i = batch.starts[t]; i < batch.starts[t + 1]; ++i) {
      places[next[batch.words[i]]++] = {static_cast<uint32_t>(t), ratios[i]};
    }
  }
  parallel(words, threads, [&](size_t first, size_t last) {
    for (size_t w = first; w < last; ++w) {
      double* const sums = out + w * topics;
      std::fill_n(sums, topics, 0.0);
      for (size_t p = ends[w]; p < ends[w + 1]; ++p) {
        const float* const theta = exponentials + size_t{places[p].text} * topics;
        const double share = places[p].ratio;
        for (size_t k = 0; k < topics; ++k) sums[k] += share * static_cast<double>(theta[k]);
      }
      for (size_t k = 0; k < topics; ++k) sums[k] *= static_cast<double>(weights[w * topics + k]);
    }
  });
}

} // namespace farsight
