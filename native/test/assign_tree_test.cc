// Assignment by groups of representatives, against exact assignment; and its kernels against their specification.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "assign.h"
#include "kernels.h"
#include "panels.h"
#include "random_vectors.h"
#include "test.h"

using namespace farsight;
using test::Dense;
using test::Sparse;

namespace {

struct Answer {
  explicit Answer(size_t rows) : nearest(rows, 999999), distances(rows, -1) {}
  std::vector<uint32_t> nearest;
  std::vector<float> distances;
  bool operator==(const Answer&) const = default;
};

Answer assigned(const SparseAssigner& assigner, const SparseVectors& rows, size_t threads, size_t chunk) {
  Answer out(rows.rows);
  for (size_t first = 0; first < rows.rows; first += chunk) {
    const size_t from = first * rows.per_row;
    assigner.assign({rows.ids + from, rows.values + from, std::min(chunk, rows.rows - first), rows.per_row}, threads,
                    out.nearest.data() + first, out.distances.data() + first);
  }
  return out;
}

Answer assigned(const DenseAssigner& assigner, const Sq8Vectors& rows, size_t threads, size_t chunk) {
  Answer out(rows.rows);
  for (size_t first = 0; first < rows.rows; first += chunk) {
    assigner.assign({rows.codes + first * rows.dims, rows.offset, rows.step, std::min(chunk, rows.rows - first),
                     rows.dims},
                    threads, out.nearest.data() + first, out.distances.data() + first);
  }
  return out;
}

constexpr size_t kDims = 300;
// A beam of every group, also where over-full ones were divided.
constexpr uint32_t kAll = 65536;

// Rows and representatives around the same few centres, of lengths that differ by factors up to 10^spread either way.
Sparse scattered(size_t rows, size_t per_row, uint64_t seed, int spread) {
  Sparse out(rows, per_row, kDims, seed);
  std::mt19937_64 random(seed);
  for (size_t row = 0; row < rows; ++row) {
    const size_t centre = random() % 12;
    const float length = std::pow(10.0f, spread == 0 ? 0.0f : static_cast<float>(random() % (20 * spread)) / 10 - spread);
    for (size_t j = row * per_row; j < (row + 1) * per_row; ++j) {
      // Most features are the centre's own; ids stay distinct, since the others are moved by whole multiples of 25.
      if (random() % 4 != 0) out.ids[j] = static_cast<uint16_t>(centre * 25 + (j - row * per_row));
      else out.ids[j] = static_cast<uint16_t>(random() % 12 * 25 + (j - row * per_row));
      out.values[j] *= length;
    }
  }
  return out;
}

TEST("a beam of all groups gives the exact answer, for sparse rows of any length, empty ones and repeated ones") {
  for (const int spread : {0, 1, 3}) {
    const Sparse rows = scattered(400, 6, 1, spread);
    for (const size_t count : {1u, 2u, 33u, 500u}) {
      Sparse representatives = scattered(count, 16, 2, spread);
      // The second half repeats the first: the lower number is the answer.
      std::copy_n(representatives.ids.begin(), count / 2 * 16, representatives.ids.end() - count / 2 * 16);
      std::copy_n(representatives.values.begin(), count / 2 * 16, representatives.values.end() - count / 2 * 16);
      const auto exact = sparse_assigner(representatives.view(), kDims, nullptr, 1);
      const Answer expected = assigned(*exact, rows.view(), 1, 400);
      for (const uint32_t nodes : {1u, 7u, 600u}) {
        const AssignTree tree{nodes, kAll, 5};
        const auto by_groups = sparse_assigner(representatives.view(), kDims, &tree, 2);
        CHECK(assigned(*by_groups, rows.view(), 2, 400) == expected);
      }
    }
  }
}

TEST("a beam of all groups gives the exact answer for dense rows") {
  for (const size_t dims : {1u, 5u, 33u}) {
    const Dense rows(150, dims, dims);
    for (const size_t count : {1u, 2u, 16u, 300u}) {
      std::vector<float> representatives = Dense(count, dims, dims + 1).decoded();
      std::copy_n(representatives.begin(), count / 2 * dims, representatives.end() - count / 2 * dims);
      const auto exact = dense_assigner(representatives.data(), count, dims, nullptr, 1);
      const Answer expected = assigned(*exact, rows.view(), 1, 150);
      for (const uint32_t nodes : {1u, 7u, 400u}) {
        const AssignTree tree{nodes, kAll, 5};
        const auto by_groups = dense_assigner(representatives.data(), count, dims, &tree, 2);
        CHECK(assigned(*by_groups, rows.view(), 2, 150) == expected);
      }
    }
  }
}

// The share of rows with the same representative; every other one must be farther away, or as far.
double agreement(const Answer& found, const Answer& exact) {
  size_t same = 0;
  for (size_t i = 0; i < found.nearest.size(); ++i) {
    same += found.nearest[i] == exact.nearest[i];
    CHECK(found.distances[i] >= exact.distances[i]);
  }
  return static_cast<double>(same) / static_cast<double>(found.nearest.size());
}

TEST("a narrow beam gives one answer at any number of threads and any chunks, nearer to exact than groups by chance") {
  const size_t groups = 24, beam = 2;
  const AssignTree tree{groups, beam, 3};
  const double by_chance = static_cast<double>(beam) / groups;
  const Sparse rows = scattered(3000, 6, 3, 0), representatives = scattered(700, 16, 4, 0);
  const auto exact = sparse_assigner(representatives.view(), kDims, nullptr, 1);
  const auto first = sparse_assigner(representatives.view(), kDims, &tree, 1);
  const Answer expected = assigned(*first, rows.view(), 1, 3000);
  CHECK(agreement(expected, assigned(*exact, rows.view(), 1, 3000)) > 4 * by_chance);
  const Dense dense(1000, 12, 5);
  const std::vector<float> dense_representatives = Dense(700, 12, 5).decoded();
  const auto dense_exact = dense_assigner(dense_representatives.data(), 700, 12, nullptr, 1);
  const auto dense_first = dense_assigner(dense_representatives.data(), 700, 12, &tree, 1);
  const Answer dense_expected = assigned(*dense_first, dense.view(), 1, 1000);
  CHECK(agreement(dense_expected, assigned(*dense_exact, dense.view(), 1, 1000)) > 4 * by_chance);
  for (const size_t threads : {1u, 2u, 3u}) {
    const auto other = sparse_assigner(representatives.view(), kDims, &tree, threads);
    const auto dense_other = dense_assigner(dense_representatives.data(), 700, 12, &tree, threads);
    for (const size_t chunk : {1u, 250u, 999u, 3000u}) {
      if (chunk == 1 && threads > 1) continue;
      CHECK(assigned(*other, rows.view(), threads, chunk) == expected);
      CHECK(assigned(*dense_other, dense.view(), threads, chunk) == dense_expected);
    }
  }
}

// How far vectors are from the mean of their group, on average, in squared distance; and checks the numbers.
double scatter(const std::vector<std::vector<double>>& vectors, const std::vector<uint32_t>& groups, size_t count) {
  std::vector<std::vector<double>> means(count, std::vector<double>(vectors[0].size()));
  std::vector<double> sizes(count);
  for (size_t i = 0; i < vectors.size(); ++i) {
    CHECK(groups[i] < count);
    ++sizes[groups[i]];
    for (size_t d = 0; d < vectors[i].size(); ++d) means[groups[i]][d] += vectors[i][d];
  }
  CHECK(*std::min_element(sizes.begin(), sizes.end()) > 0);
  double sum = 0;
  for (size_t i = 0; i < vectors.size(); ++i) {
    for (size_t d = 0; d < vectors[i].size(); ++d) {
      const double difference = vectors[i][d] - means[groups[i]][d] / sizes[groups[i]];
      sum += difference * difference;
    }
  }
  return sum / static_cast<double>(vectors.size());
}

// Notes which passes are told of, each once and in order.
OnPass passes(std::vector<size_t>& seen) {
  return [&seen](size_t done, size_t all) {
    CHECK(done == (seen.empty() || seen.back() == all ? 0 : seen.back() + 1));
    CHECK(done <= all);
    seen.push_back(done);
  };
}

TEST("groups hold what is near, equal vectors together, for any number of threads") {
  Sparse sparse = scattered(2000, 6, 9, 0);
  std::copy_n(sparse.ids.begin(), 100 * 6, sparse.ids.end() - 100 * 6);
  std::copy_n(sparse.values.begin(), 100 * 6, sparse.values.end() - 100 * 6);
  std::vector<float> dense = Dense(2000, 8, 9).decoded();
  std::copy_n(dense.begin(), 100 * 8, dense.end() - 100 * 8);
  std::vector<std::vector<double>> sparse_rows, dense_rows;
  for (size_t i = 0; i < 2000; ++i) {
    sparse_rows.push_back(sparse.dense(i, kDims));
    dense_rows.emplace_back(dense.begin() + static_cast<ptrdiff_t>(i * 8), dense.begin() + static_cast<ptrdiff_t>(i * 8 + 8));
  }
  const std::vector<uint32_t> one(2000);
  for (const uint32_t nodes : {1u, 60u, 3000u}) {
    std::vector<uint32_t> sparse_expected(2000), dense_expected(2000);
    // Six Lloyd passes for 44 or 45 groups, the root of some 1,900 different vectors; then by 4: 176, 704, 2816, 3000.
    const size_t expected = nodes == 1 ? 6 : nodes == 60 ? 7 : 10;
    std::vector<size_t> seen;
    const size_t sparse_count = sparse_groups(sparse.view(), kDims, {nodes, 1, 3}, 1, sparse_expected.data(), passes(seen));
    const size_t dense_count = dense_groups(dense.data(), 2000, 8, {nodes, 1, 3}, 1, dense_expected.data(), passes(seen));
    CHECK(seen.size() == 2 * (expected + 1) && seen.back() == expected);
    // Groups divide what there is to tell apart: a half of it at least, and of 3,000 groups nearly all.
    const double left = nodes == 1 ? 1.0 : nodes == 60 ? 0.5 : 0.2;
    CHECK(scatter(sparse_rows, sparse_expected, sparse_count) <= left * scatter(sparse_rows, one, 1));
    CHECK(scatter(dense_rows, dense_expected, dense_count) <= left * scatter(dense_rows, one, 1));
    for (size_t i = 0; i < 100; ++i) {
      CHECK(sparse_expected[i] == sparse_expected[1900 + i] && dense_expected[i] == dense_expected[1900 + i]);
    }
    for (const size_t threads : {2u, 5u}) {
      std::vector<uint32_t> groups(2000);
      CHECK(sparse_groups(sparse.view(), kDims, {nodes, 1, 3}, threads, groups.data(), passes(seen)) == sparse_count);
      CHECK(groups == sparse_expected);
      CHECK(dense_groups(dense.data(), 2000, 8, {nodes, 1, 3}, threads, groups.data(), passes(seen)) == dense_count);
      CHECK(groups == dense_expected);
    }
  }
}

TEST("the seed decides the groups: another seed may answer otherwise, the same one does not") {
  const Sparse rows = scattered(2000, 6, 6, 0), representatives = scattered(600, 16, 7, 0);
  const auto answer = [&](uint64_t seed) {
    const AssignTree tree{40, 1, seed};
    return assigned(*sparse_assigner(representatives.view(), kDims, &tree, 2), rows.view(), 2, 2000);
  };
  CHECK(answer(1) == answer(1));
  CHECK(!(answer(1) == answer(2)));
}

TEST("thousands of empty representatives are one, and no rows are no work") {
  Sparse representatives = scattered(5000, 4, 8, 0);
  for (size_t i = 0; i < representatives.values.size(); ++i) {
    if (i / 4 % 10 != 0) representatives.values[i] = 0;
  }
  const Sparse rows = scattered(500, 6, 9, 0);
  const AssignTree tree{64, kAll, 1};
  const auto by_groups = sparse_assigner(representatives.view(), kDims, &tree, 2);
  const auto exact = sparse_assigner(representatives.view(), kDims, nullptr, 1);
  CHECK(assigned(*by_groups, rows.view(), 2, 500) == assigned(*exact, rows.view(), 1, 500));
  by_groups->assign({rows.ids.data(), rows.values.data(), 0, 6}, 2, nullptr, nullptr);
}

TEST("a group of more members than 16 bits number gives the exact answer") {
  const size_t count = 70000;
  Sparse representatives = scattered(count, 4, 13, 0);
  // All differ, so that none is left out of the one group.
  for (size_t r = 0; r < count; ++r) representatives.values[4 * r] = 0.5f + static_cast<float>(r) / count;
  // These rows are the last representatives themselves.
  Sparse rows = scattered(20, 4, 14, 0);
  std::copy_n(representatives.ids.end() - 20 * 4, 20 * 4, rows.ids.begin());
  std::copy_n(representatives.values.end() - 20 * 4, 20 * 4, rows.values.begin());
  const AssignTree tree{1, 1, 1};
  const auto by_groups = sparse_assigner(representatives.view(), kDims, &tree, 2);
  const auto exact = sparse_assigner(representatives.view(), kDims, nullptr, 1);
  const Answer expected = assigned(*exact, rows.view(), 1, 20);
  CHECK(expected.nearest[0] == count - 20);
  CHECK(assigned(*by_groups, rows.view(), 2, 20) == expected);
}

TEST("features up to 65,535 and 255 of them in a row are no different") {
  const size_t dims = 65536;
  const Sparse rows(60, 255, dims, 10), representatives(120, 255, dims, 11);
  const auto exact = sparse_assigner(representatives.view(), dims, nullptr, 1);
  const AssignTree tree{9, kAll, 1};
  const auto by_groups = sparse_assigner(representatives.view(), dims, &tree, 2);
  CHECK(assigned(*by_groups, rows.view(), 2, 60) == assigned(*exact, rows.view(), 1, 60));
}

TEST("panel kernels equal scalar at every number of lanes to 576, negative weights and the largest sums included") {
  std::mt19937 random(12);
  for (size_t lanes = kPanelLanes; lanes <= 576; lanes += kPanelLanes) {
    for (const size_t count : {0u, 1u, 2u, 7u, 33u}) {
      std::vector<int16_t> panel(40 * lanes), weights(count);
      for (int16_t& value : panel) value = static_cast<int16_t>(random() % 30001);
      std::vector<uint32_t> rows(count);
      for (size_t j = 0; j < count; ++j) {
        rows[j] = random() % 40;
        // Shares of at most 1 / count, so that sums stay within int16; a single one takes the whole range.
        const int32_t most = 32767 / static_cast<int32_t>(count);
        weights[j] = static_cast<int16_t>(j == 0 && count == 1 && random() % 2 ? -32768 : random() % (2 * most) - most);
      }
      std::vector<int16_t> expected(lanes);
      const int16_t largest =
          scalar_panels()->panel_scores(panel.data(), lanes, rows.data(), weights.data(), count, expected.data());
      CHECK(largest == *std::max_element(expected.begin(), expected.end()));
      for (const PanelKernels* kernels : {avx2_panels(), avx512_panels(), neon_panels()}) {
        if (kernels == nullptr) continue;
        std::vector<int16_t> scores(lanes);
        CHECK(kernels->panel_scores(panel.data(), lanes, rows.data(), weights.data(), count, scores.data()) == largest);
        CHECK(scores == expected);
        for (const int threshold : {-32768, static_cast<int>(largest) - 3000, int{largest}, 32767}) {
          const auto least = static_cast<int16_t>(std::max(threshold, -32768));
          std::vector<uint32_t> positions(lanes), expected_positions(lanes);
          const size_t found = scalar_panels()->panel_select(expected.data(), lanes, least, expected_positions.data());
          CHECK(kernels->panel_select(scores.data(), lanes, least, positions.data()) == found);
          CHECK(positions == expected_positions);
        }
      }
    }
  }
  CHECK(std::strcmp(panel_kernels().isa, kernels().isa) == 0);
}

} // namespace
