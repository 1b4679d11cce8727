// The final sweep (IRIS, steps 3 to 8): the score of every item, in passes that read and write memory in order. A modality
// is scored in the order of its slots; its scores are then brought into the order of items, standardised, and added up.
// Nothing here depends on how a caller cuts the slots into calls, but for ScoreSums, whose sums are added in that order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "search.h"

namespace farsight {

// What moments are made of, added up in double precision. Deviations are taken from `shift`, the mean of the first scores, so
// that a large mean costs no digits.
struct ScoreSums {
  double count = 0;
  double shift = 0;
  double sum = 0;     // of score - shift
  double squares = 0; // of (score - shift)^2
  double least = 0, greatest = 0;

  void add(std::span<const float> scores);
};

// The approximate scores of slots [first, last) to the same places of `scores`, which has room for all slots, and to `sums`.
// Returns how far they may be from the exact ones: query.error(), or where that is infinite, what exact scores lose as
// floats, which is what these are then.
double sweep_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores,
                   ScoreSums& sums);

// Items of a region: its fused scores (1 MB) stay in the cache while they are added to.
inline constexpr size_t kRegionItems = size_t{1} << 18;
// Scores that wait for their region lie in blocks of so many.
inline constexpr size_t kWaitingBlock = 64;

// The scratch that add_to_items needs at least for so many items, in numbers of 64 bits; the more, the fewer the passes.
size_t least_scratch(size_t items);

// fused[item] += factor * (scores[slot] - offset) for the slots [first, last). Items of neighbouring slots lie far apart, and
// a line fetched for each would be 128 bytes moved for 4. So scores wait, with their items, in the scratch, and are added
// region by region when it is full. Rounded to float twice: the part, and the sum.
void add_to_items(const Cells& cells, std::span<const float> scores, size_t first, size_t last, double factor,
                  double offset, std::span<uint64_t> scratch, std::span<float> fused);

// sums[i] += factor * (exact score of items[i] - offset). Looks up in the order of slots, where neighbours share cache
// lines and pages. An item without a slot gets minus infinity.
void add_exact(const Cells& cells, const Query& query, std::span<const uint32_t> items, double factor, double offset,
               std::span<double> sums);

// Writes the numbers of the values that are at least `bound`, ascending, as far as there is room; returns how many there
// are. No value is NaN.
size_t numbers_at_least(std::span<const float> values, double bound, std::span<uint32_t> numbers);

// out[i] = the ranks[i]-th greatest value, from 1, at most as many as there are values (infinity of no values), without
// sorting them: counts over the upper, then over the lower halves of their bit patterns.
void greatest_values(std::span<const float> values, std::span<const uint32_t> ranks, std::span<float> out);

} // namespace farsight
