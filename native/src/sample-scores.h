// The scores of a sample of a large collection, standardised: one pass in 8 bits, and a few exact scores to correct it by.
#pragma once

#include <span>

#include "search.h"

namespace farsight {

struct ScoreMoments {
  double mean;
  double deviation; // of the population
};

// Slots of a sample whose scan is compared with their exact scores: what 8 bits get wrong is so small a part of a
// deviation that a few tell it for all.
inline constexpr size_t kCompared = 16384;

// Approximate scores of all items (cells: of the sample, item i in slot i), moved and stretched so that those of evenly
// spaced items have the mean and the deviation of their exact ones. Returns the moments of what it writes.
ScoreMoments scan_sample(const Cells& cells, const Query& query, std::span<double> scores);

// sums[i] += factor * (scores[i] - offset); returns the moments of the sums.
ScoreMoments add_standardised(std::span<const double> scores, double factor, double offset, std::span<double> sums);

} // namespace farsight
