// Cluster moments against their definition, over decoded rows in double.
#include "moments.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "random_vectors.h"
#include "test.h"

using namespace farsight;
using test::Dense;
using test::Sparse;

namespace {

constexpr size_t kDims = 30, kDenseDims = 19, kClusters = 5;
// The second cluster is empty.
const std::vector<uint32_t> kStarts{0, 50, 50, 51, 110, 120};

std::vector<uint32_t> shuffled(size_t rows) {
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(12));
  return order;
}

// Mean and variance over a cluster of value(row).
template <typename Value>
std::pair<double, double> moments_of(const std::vector<uint32_t>& order, size_t c, Value value) {
  const double count = kStarts[c + 1] - kStarts[c];
  double mean = 0, variance = 0;
  for (size_t s = kStarts[c]; s < kStarts[c + 1]; ++s) mean += value(order[s]) / count;
  for (size_t s = kStarts[c]; s < kStarts[c + 1]; ++s) variance += std::pow(value(order[s]) - mean, 2) / count;
  return {mean, variance};
}

TEST("sparse moments are the largest of their definition; empty clusters keep what was there") {
  const Sparse rows(120, 4, kDims, 10);
  const std::vector<uint32_t> order = shuffled(120);
  std::vector<std::vector<double>> decoded;
  for (size_t row = 0; row < 120; ++row) decoded.push_back(rows.dense(row, kDims));
  for (const size_t threads : {1u, 2u, 3u, 9u}) {
    for (const size_t features : {1u, 6u, 40u}) {
      std::vector<uint16_t> mean_ids(kClusters * features, 77), variance_ids(kClusters * features, 77);
      std::vector<float> mean(kClusters * features, 7), variance(kClusters * features, 7);
      means(rows.view(), kDims, order.data(), kStarts.data(), kClusters, features, threads, mean_ids.data(),
            mean.data());
      for (size_t c = 0; c < kClusters; ++c) {
        SparseSums sums(kDims);
        if (c == 1) continue;
        for (size_t s = kStarts[c]; s < kStarts[c + 1]; ++s) {
          for (size_t j = order[s] * size_t{4}; j < order[s] * size_t{4} + 4; ++j) {
            if (rows.values[j] != 0) sums.add(rows.ids[j], rows.values[j]);
          }
        }
        sums.variance(kStarts[c + 1] - kStarts[c], c, {features, variance_ids.data(), variance.data()});
      }
      for (size_t c = 0; c < kClusters; ++c) {
        if (c == 1) {
          CHECK(mean[c * features] == 7 && variance[c * features] == 7 && mean_ids[c * features] == 77);
          continue;
        }
        std::vector<double> expected_means(kDims), expected_variances(kDims);
        for (size_t d = 0; d < kDims; ++d) {
          std::tie(expected_means[d], expected_variances[d]) =
              moments_of(order, c, [&](uint32_t row) { return decoded[row][d]; });
        }
        const auto check = [&](const std::vector<double>& expected, const uint16_t* ids, const float* values) {
          std::vector<double> sorted = expected;
          std::sort(sorted.rbegin(), sorted.rend());
          for (size_t j = 0; j < features; ++j) {
            const double largest = j < kDims ? sorted[j] : 0;
            CHECK(std::fabs(values[j] - largest) < 1e-6);
            CHECK(values[j] == 0 || std::fabs(expected[ids[j]] - values[j]) < 1e-6);
            CHECK(j == 0 || values[j - 1] > values[j] || (values[j - 1] == values[j] && (values[j] == 0 || ids[j - 1] < ids[j])));
          }
        };
        check(expected_means, mean_ids.data() + c * features, mean.data() + c * features);
        check(expected_variances, variance_ids.data() + c * features, variance.data() + c * features);
      }
    }
  }
}

TEST("dense moments are those of their definition; empty clusters keep what was there") {
  const Dense rows(120, kDenseDims, 11);
  const std::vector<float> values = rows.decoded();
  const std::vector<uint32_t> order = shuffled(120);
  for (const size_t threads : {1u, 2u, 3u, 9u}) {
    std::vector<float> mean(kClusters * kDenseDims, 7), variance(kClusters * kDenseDims, 7);
    means(rows.view(), order.data(), kStarts.data(), kClusters, threads, mean.data());
    for (size_t c = 0; c < kClusters; ++c) {
      DenseSums sums(kDenseDims);
      if (c == 1) continue;
      for (size_t s = kStarts[c]; s < kStarts[c + 1]; ++s) sums.add(rows.codes.data() + order[s] * kDenseDims);
      sums.variance(kStarts[c + 1] - kStarts[c], rows.step.data(), variance.data() + c * kDenseDims);
    }
    for (size_t c = 0; c < kClusters; ++c) {
      for (size_t d = 0; d < kDenseDims; ++d) {
        const size_t at = c * kDenseDims + d;
        if (c == 1) {
          CHECK(mean[at] == 7 && variance[at] == 7);
          continue;
        }
        const auto [expected_mean, expected_variance] =
            moments_of(order, c, [&](uint32_t row) { return values[row * kDenseDims + d]; });
        CHECK(std::fabs(mean[at] - expected_mean) < 1e-5);
        CHECK(std::fabs(variance[at] - expected_variance) < 1e-5 * (1 + expected_variance));
      }
    }
  }
}

} // namespace
