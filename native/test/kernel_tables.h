// The kernel tables that are tested against the scalar one, and random input for them.
#pragma once

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

#include "kernels.h"

namespace farsight::test {

inline std::vector<const Kernels*> vector_tables() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : {avx2_kernels(), avx512_kernels(), neon_kernels()}) {
    if (table != nullptr) tables.push_back(table);
  }
  return tables;
}

template <typename T>
std::vector<T> random_integers(std::mt19937& random, size_t count) {
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(random());
  return values;
}

// Mostly ordinary values, some negative zeros and some so small that products underflow.
inline std::vector<float> random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) {
    const uint32_t kind = random() % 16;
    value = kind == 0 ? -0.0f : kind == 1 ? normal(random) * 1e-30f : normal(random);
  }
  return values;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y); });
}

} // namespace farsight::test
