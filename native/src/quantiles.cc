// Radix selection of all boundaries at once, then one pass that gives every item its segment.
#include "quantiles.h"

#include <algorithm>
#include <array>
#include <vector>

#include "order.h"
#include "parallel.h"

namespace farsight {

namespace {

constexpr uint32_t kDigitBits = 16;
constexpr size_t kDigits = size_t{1} << kDigitBits;
constexpr uint32_t kKeyBits = 64;

// The first item of a segment, by rank: `rank` keys come before it, and of the keys equal to it `equal` do.
struct Boundary {
  uint64_t key = 0;
  uint64_t rank = 0;
  uint64_t equal = 0;
};

// Adds how many keys that begin with one of `prefixes` (ascending, the upper bits) continue with each digit.
void count_digits(std::span<const double> values, std::span<const uint64_t> prefixes, uint32_t shift, size_t threads,
                  std::vector<uint64_t>& counts) {
  counts.assign(prefixes.size() * kDigits, 0);
  const size_t parts = std::max<size_t>(1, threads);
  std::vector<std::vector<uint64_t>> own(parts);
  run_parts(parts, [&](size_t p) {
    own[p].assign(counts.size(), 0);
    for (size_t i = values.size() * p / parts; i < values.size() * (p + 1) / parts; ++i) {
      const uint64_t key = descending(values[i]) >> shift;
      const auto at = std::lower_bound(prefixes.begin(), prefixes.end(), key >> kDigitBits);
      if (at == prefixes.end() || *at != key >> kDigitBits) continue;
      ++own[p][static_cast<size_t>(at - prefixes.begin()) * kDigits + (key & (kDigits - 1))];
    }
  });
  for (const auto& part : own) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += part[i];
  }
}

std::vector<Boundary> boundaries_of(std::span<const double> values, uint32_t segments, size_t threads) {
  std::vector<Boundary> boundaries(segments - 1);
  for (uint32_t s = 1; s < segments; ++s) {
    // The least rank with rank * segments / items >= s.
    boundaries[s - 1].rank = (static_cast<uint64_t>(s) * values.size() + segments - 1) / segments;
    boundaries[s - 1].equal = boundaries[s - 1].rank;
  }
  std::vector<uint64_t> counts;
  for (uint32_t shift = kKeyBits; shift > 0;) {
    shift -= kDigitBits;
    std::vector<uint64_t> prefixes;
    for (const Boundary& boundary : boundaries) {
      if (prefixes.empty() || prefixes.back() != boundary.key) prefixes.push_back(boundary.key);
    }
    count_digits(values, prefixes, shift, threads, counts);
    for (Boundary& boundary : boundaries) {
      const auto at = std::lower_bound(prefixes.begin(), prefixes.end(), boundary.key);
      const uint64_t* digits = counts.data() + static_cast<size_t>(at - prefixes.begin()) * kDigits;
      uint64_t digit = 0;
      // Ranks past the last item (fewer items than segments) stop at the last digit.
      while (digit + 1 < kDigits && boundary.equal >= digits[digit]) boundary.equal -= digits[digit++];
      boundary.key = boundary.key << kDigitBits | digit;
    }
  }
  return boundaries;
}

} // namespace

void append_segments(std::span<const double> values, uint32_t segments, size_t threads, std::span<uint32_t> cells) {
  const std::vector<Boundary> boundaries = boundaries_of(values, segments, threads);
  // Of every boundary, the items so far that equal it; boundaries of one key count alike.
  std::array<uint64_t, kMaxSegments> seen{};
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t key = descending(values[i]);
    auto at = std::lower_bound(boundaries.begin(), boundaries.end(), key,
                               [](const Boundary& boundary, uint64_t wanted) { return boundary.key < wanted; });
    auto segment = static_cast<uint32_t>(at - boundaries.begin());
    for (; at != boundaries.end() && at->key == key; ++at) {
      const auto b = static_cast<size_t>(at - boundaries.begin());
      segment += seen[b]++ >= at->equal ? 1 : 0;
    }
    cells[i] = cells[i] * segments + segment;
  }
}

} // namespace farsight
