// Principal components of a sample of items: the axes of GridS (IRIS).
#pragma once

#include "survey.h"

namespace farsight {

inline constexpr size_t kMaxComponents = 6;

// The `count` (up to kMaxComponents) directions of largest variance of the sampled items' vectors, concatenated with
// each space scaled by the root of its weight; total dims floats each, row after row, of unit length and orthogonal.
// Largest variance first; the entry of largest magnitude is positive. Where there are fewer directions with any variance,
// the rest are zero.
//
// Block power iteration with Rayleigh-Ritz steps (Golub and Van Loan, 8.2) from a fixed start, in double, until the
// variances stand still to kTolerance or for kMaxIterations: the same sample gives the same bits on any machine that
// rounds as IEEE 754 says.
inline constexpr double kTolerance = 1e-7;
inline constexpr size_t kMaxIterations = 100;
void principal_components(std::span<const Space> spaces, std::span<const uint32_t> sample, size_t count, float* out);

} // namespace farsight
