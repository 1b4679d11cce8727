// Exact assignment against brute force: sparse and dense, ties, empty rows, any number of threads.
#include "assign.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels.h"
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

// By its definition: |x|^2 + |r|^2 - 2 x.r over ascending dimensions.
Answer brute_force(const Sparse& rows, const Sparse& representatives, size_t dims) {
  Answer out(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) {
    const std::vector<double> x = rows.dense(i, dims);
    double best = std::numeric_limits<double>::infinity(), square = 0;
    for (const double v : x) square += v * v;
    for (size_t r = 0; r < representatives.rows; ++r) {
      const std::vector<double> y = representatives.dense(r, dims);
      double dot = 0, norm = 0, direct = 0;
      for (size_t d = 0; d < dims; ++d) {
        dot += x[d] * y[d];
        norm += y[d] * y[d];
        direct += (x[d] - y[d]) * (x[d] - y[d]);
      }
      CHECK(std::fabs(square + norm - 2 * dot - direct) < 1e-12);
      if (norm - 2 * dot < best) {
        best = norm - 2 * dot;
        out.nearest[i] = static_cast<uint32_t>(r);
        out.distances[i] = static_cast<float>(std::max(0.0, square + best));
      }
    }
  }
  return out;
}

Answer brute_force(const Dense& rows, const std::vector<float>& representatives) {
  Answer out(rows.rows);
  const std::vector<float> values = rows.decoded();
  for (size_t i = 0; i < rows.rows; ++i) {
    float best = std::numeric_limits<float>::infinity();
    for (size_t r = 0; r < representatives.size() / rows.dims; ++r) {
      float distance = 0;
      for (size_t d = 0; d < rows.dims; ++d) {
        const float difference = values[i * rows.dims + d] - representatives[r * rows.dims + d];
        distance = std::fma(difference, difference, distance);
      }
      if (distance < best) {
        best = distance;
        out.nearest[i] = static_cast<uint32_t>(r);
      }
    }
    out.distances[i] = best;
  }
  return out;
}

TEST("sparse nearest representatives are those of brute force, ties to the lower, for any number of threads") {
  const size_t dims = 40;
  const Sparse rows(300, 5, dims, 1);
  for (const size_t count : {1u, 2u, 17u, 100u}) {
    Sparse representatives(count, 7, dims, 2);
    // The second half repeats the first: a tie for every row.
    std::copy_n(representatives.ids.begin(), count / 2 * 7, representatives.ids.end() - count / 2 * 7);
    std::copy_n(representatives.values.begin(), count / 2 * 7, representatives.values.end() - count / 2 * 7);
    const Answer expected = brute_force(rows, representatives, dims);
    for (const size_t threads : {0u, 1u, 2u, 3u, 400u}) {
      Answer out(rows.rows);
      sparse_assigner(representatives.view(), dims, nullptr, threads)
          ->assign(rows.view(), threads, out.nearest.data(), out.distances.data());
      CHECK(out == expected);
    }
  }
}

TEST("an empty row goes to the shortest representative, and rows among empty representatives to the first") {
  Sparse rows(2, 2, 4, 3), representatives(3, 2, 4, 4);
  rows.values = {0, 0, 1, 2};
  representatives.ids = {0, 1, 1, 2, 2, 3};
  representatives.values = {1, 1, .5f, .5f, .5f, .5f};
  rows.ids = {0, 0, 0, 1};
  Answer out(2);
  sparse_assigner(representatives.view(), 4, nullptr, 1)
      ->assign(rows.view(), 1, out.nearest.data(), out.distances.data());
  CHECK(out.nearest[0] == 1 && out.distances[0] == 0.5f);
  CHECK(out.nearest[1] == 0 && out.distances[1] == 1);
  std::fill(representatives.values.begin(), representatives.values.end(), 0.0f);
  sparse_assigner(representatives.view(), 4, nullptr, 1)
      ->assign(rows.view(), 1, out.nearest.data(), out.distances.data());
  CHECK(out.nearest[0] == 0 && out.distances[0] == 0 && out.nearest[1] == 0 && out.distances[1] == 5);
}

TEST("dense nearest representatives are those of brute force at every tail length and number of threads") {
  for (const size_t dims : {1u, 3u, 16u, 33u}) {
    for (const size_t count : {1u, 15u, 16u, 17u, 50u}) {
      for (const size_t size : {1u, 7u, 8u, 9u, 200u}) {
        const Dense rows(size, dims, dims + size);
        std::vector<float> representatives = Dense(count, dims, dims + size).decoded();
        std::copy_n(representatives.begin(), count / 2 * dims, representatives.end() - count / 2 * dims);
        const Answer expected = brute_force(rows, representatives);
        for (const size_t threads : {1u, 2u, 3u}) {
          Answer out(size);
          dense_assigner(representatives.data(), count, dims, nullptr, threads)
              ->assign(rows.view(), threads, out.nearest.data(), out.distances.data());
          CHECK(out == expected);
        }
      }
    }
  }
}

} // namespace
