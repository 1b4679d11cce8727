// Sorting candidates by score.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <span>

namespace farsight {

// Doubles in the order of unsigned numbers: negative ones have all bits flipped, the others the sign; then all of them,
// for the largest to come first. Zeros are equal, and NaN is the smallest.
inline uint64_t descending(double score) {
  if (score != score) score = -std::numeric_limits<double>::infinity();
  const auto bits = std::bit_cast<uint64_t>(score + 0.0); // -0 becomes 0
  return bits >> 63 ? bits : ~(bits | uint64_t{1} << 63);
}

// Fills order with 0 .. n-1 sorted by scores descending, then items ascending. NaN sorts last.
void order_by_score(std::span<const uint32_t> items, std::span<const double> scores, std::span<uint32_t> order);

} // namespace farsight
