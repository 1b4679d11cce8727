// Cutting items into segments of equal size by a value: the cells of GridS (IRIS).
#pragma once

#include <cstdint>
#include <span>

namespace farsight {

inline constexpr uint32_t kMaxSegments = 32;

// Appends a digit to every item's cell: cells[i] = cells[i] * segments + floor(rank * segments / items), where the largest
// value has rank 0, equal values rank by item number, and NaN is the smallest. segments: 2 to kMaxSegments.
// No copy of the values is sorted: boundaries are found 16 bits at a time by counting, so it holds no memory to speak of.
void append_segments(std::span<const double> values, uint32_t segments, size_t threads, std::span<uint32_t> cells);

} // namespace farsight
