// Squared distances of several queries to one panel at once.
#pragma once

#include <cstddef>

namespace farsight {

// out[16 * q + r]: kernels().panel_distance for kPanelRows queries, `dims` floats apart, at once: one load of a panel
// row serves them all.
constexpr size_t kPanelRows = 8;
using PanelDistances = void (*)(const float* panel, const float* queries, size_t dims, float* out);

// The form for the instruction set of kernels(); the same bits in each.
PanelDistances panel_distances();

} // namespace farsight
