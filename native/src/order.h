// Sorting candidates by score.
#pragma once

#include <cstdint>
#include <span>

namespace farsight {

// Fills order with 0 .. n-1 sorted by scores descending, then items ascending. NaN sorts last.
void order_by_score(std::span<const uint32_t> items, std::span<const double> scores, std::span<uint32_t> order);

} // namespace farsight
