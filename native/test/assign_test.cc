// Assignment against brute force: sparse and dense, exact and by tree, ties, empty rows, any number of threads.
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

// Two levels above `count` representatives: every third of them, and every ninth; parents at random.
struct OwnedTree {
  OwnedTree(uint32_t count, uint32_t beam) : beam(beam) {
    std::mt19937_64 random(count);
    level_sizes = {count, (count + 2) / 3, (count + 8) / 9};
    for (uint32_t level = 1; level < 3; ++level) {
      for (uint32_t n = 0; n < level_sizes[level]; ++n) nodes.push_back(n * (level == 1 ? 3 : 9));
      for (uint32_t n = 0; n < level_sizes[level - 1]; ++n) parents.push_back(random() % level_sizes[level]);
    }
  }
  Tree view() const { return {level_sizes, nodes, parents, beam}; }
  std::vector<uint32_t> level_sizes, nodes, parents;
  uint32_t beam;
};

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
      nearest_exact(rows.view(), representatives.view(), dims, threads, out.nearest.data(), out.distances.data());
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
  nearest_exact(rows.view(), representatives.view(), 4, 1, out.nearest.data(), out.distances.data());
  CHECK(out.nearest[0] == 1 && out.distances[0] == 0.5f);
  CHECK(out.nearest[1] == 0 && out.distances[1] == 1);
  std::fill(representatives.values.begin(), representatives.values.end(), 0.0f);
  nearest_exact(rows.view(), representatives.view(), 4, 1, out.nearest.data(), out.distances.data());
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
          nearest_exact(rows.view(), representatives.data(), count, threads, out.nearest.data(), out.distances.data());
          CHECK(out == expected);
        }
      }
    }
  }
}

TEST("a tree whose beam holds all nodes gives the exact answer, a narrow one a representative and its distance") {
  const size_t dims = 40;
  for (const uint32_t count : {1u, 10u, 90u}) {
    const Sparse rows(200, 5, dims, 5), representatives(count, 7, dims, 6);
    Answer expected(200);
    nearest_exact(rows.view(), representatives.view(), dims, 1, expected.nearest.data(), expected.distances.data());
    const Dense dense(200, 24, 7);
    const std::vector<float> dense_representatives = Dense(count, 24, 8).decoded();
    Answer dense_expected(200);
    nearest_exact(dense.view(), dense_representatives.data(), count, 1, dense_expected.nearest.data(),
                  dense_expected.distances.data());
    for (const uint32_t beam : {0u, 1u, 2u, 1000u}) {
      const OwnedTree tree(count, beam);
      Answer first(200), dense_first(200);
      for (const size_t threads : {1u, 2u, 3u}) {
        Answer out(200), dense_out(200);
        nearest_tree(rows.view(), representatives.view(), dims, tree.view(), threads, out.nearest.data(),
                     out.distances.data());
        nearest_tree(dense.view(), dense_representatives.data(), tree.view(), threads, dense_out.nearest.data(),
                     dense_out.distances.data());
        if (beam == 1000) CHECK(out == expected && dense_out == dense_expected);
        if (threads == 1) {
          first = out;
          dense_first = dense_out;
        }
        CHECK(out == first && dense_out == dense_first);
        for (size_t i = 0; i < 200; ++i) {
          CHECK(out.nearest[i] < count && out.distances[i] >= expected.distances[i]);
          CHECK(dense_out.nearest[i] < count && dense_out.distances[i] >= dense_expected.distances[i]);
        }
      }
    }
  }
}

TEST("a node without children is itself the answer") {
  Sparse rows(1, 1, 4, 9), representatives(3, 1, 4, 9);
  rows.ids = {2};
  rows.values = {1};
  representatives.ids = {0, 1, 2};
  representatives.values = {1, 1, 1};
  const std::vector<uint32_t> level_sizes{3, 2}, nodes{0, 2}, parents{0, 0, 0};
  Answer out(1);
  nearest_tree(rows.view(), representatives.view(), 4, {level_sizes, nodes, parents, 1}, 1, out.nearest.data(),
               out.distances.data());
  CHECK(out.nearest[0] == 2 && out.distances[0] == 0);
}

} // namespace
