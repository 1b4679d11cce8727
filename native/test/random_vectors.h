// Random vectors with few distinct values, so that rows and ties repeat.
#pragma once

#include <numeric>
#include <random>
#include <vector>

#include "vectors.h"

namespace farsight::test {

struct Sparse {
  Sparse(size_t rows, size_t per_row, size_t dims, uint64_t seed) : rows(rows), per_row(per_row) {
    std::mt19937_64 random(seed);
    std::vector<uint16_t> all(dims);
    std::iota(all.begin(), all.end(), uint16_t{0});
    for (size_t row = 0; row < rows; ++row) {
      for (size_t j = 0; j < per_row; ++j) {
        std::swap(all[j], all[j + random() % (dims - j)]);
        ids.push_back(all[j]);
        // Every eleventh row is empty.
        values.push_back(row % 11 == 10 ? 0 : static_cast<float>(random() % 5) / 3);
      }
    }
  }
  SparseVectors view() const { return {ids.data(), values.data(), rows, per_row}; }
  std::vector<double> dense(size_t row, size_t dims) const {
    std::vector<double> out(dims);
    for (size_t j = row * per_row; j < (row + 1) * per_row; ++j) out[ids[j]] += values[j];
    return out;
  }
  size_t rows, per_row;
  std::vector<uint16_t> ids;
  std::vector<float> values;
};

struct Dense {
  Dense(size_t rows, size_t dims, uint64_t seed)
      : rows(rows), dims(dims), codes(rows * dims), offset(dims), step(dims) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (uint8_t& code : codes) code = random() % 4 * 80;
    for (float& value : offset) value = uniform(random);
    for (float& value : step) value = uniform(random) / 100 + 0.02f;
  }
  Sq8Vectors view() const { return {codes.data(), offset.data(), step.data(), rows, dims}; }
  std::vector<float> decoded() const {
    std::vector<float> out(codes.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = offset[i % dims] + step[i % dims] * codes[i];
    return out;
  }
  size_t rows, dims;
  std::vector<uint8_t> codes;
  std::vector<float> offset, step;
};

} // namespace farsight::test
