// The final sweep (IRIS, steps 3 to 8): the score of every item. A modality is scored in the order of its slots; the scores of
// items are then looked up in the order of items, standardised, and added up. Nothing here depends on how a caller cuts the
// work into calls, but for ScoreSums, whose sums are added in that order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "score-sums.h"
#include "search.h"

namespace farsight {

// The approximate scores of slots [first, last) to the same places of `scores`, which has room for all slots, and to `sums`.
// Returns how far they may be from the exact ones: query.error(), or where that is infinite, what exact scores lose as
// floats, which is what these are then.
double sweep_slots(const Cells& cells, const Query& query, size_t first, size_t last, std::span<float> scores,
                   ScoreSums& sums);

// fused[item] += factor * (scores[slot of the item] - offset) for the items [first, last) that have one. Neighbours among the
// items lie far apart among the slots: look-ups are fetched ahead, many at a time. Of 99.2 million items that takes 0.7 to 0.9
// s of a core; to write to places far apart took 1.2, and to sort the scores into regions of items that fit the cache 1.0 to
// 1.5, by the size of regions and buffers, of which there is none now. Rounded to float twice: the part, and the sum.
void add_to_items(const Cells& cells, std::span<const float> scores, size_t first, size_t last, double factor,
                  double offset, std::span<float> fused);

// The score of an item that is left out of a sweep. No item has it else: scores are finite.
inline constexpr float kLeftOut = -std::numeric_limits<float>::infinity();

// Leaves out the items without a bit in `admitted` (bit i % 32 of word i / 32 is item i's).
void leave_out(std::span<const uint32_t> admitted, std::span<float> scores);

// The slots of items, ascending, and of each the place of its item in the list. An item without a slot comes last, with
// kNoSlot. All three have one length.
inline constexpr uint32_t kNoSlot = 0xffffffff;
void sort_by_slot(const Cells& cells, std::span<const uint32_t> items, std::span<uint32_t> slots,
                  std::span<uint32_t> places);

// sums[places[i]] += factor * (exact score of slots[i] - offset), minus infinity for slots that there are not. Ascending
// slots share cache lines and pages. Every place is one of sums.
void add_exact(const Cells& cells, const Query& query, std::span<const uint32_t> slots, std::span<const uint32_t> places,
               double factor, double offset, std::span<double> sums);

// Writes the numbers of the values that are at least `bound`, ascending, as far as there is room; returns how many there
// are. No value is NaN.
size_t numbers_at_least(std::span<const float> values, double bound, std::span<uint32_t> numbers);

// out[i] = the ranks[i]-th greatest value, from 1, at most as many as there are values (infinity of no values), without
// sorting them: counts over the upper, then over the lower halves of their bit patterns.
void greatest_values(std::span<const float> values, std::span<const uint32_t> ranks, std::span<float> out);

} // namespace farsight
