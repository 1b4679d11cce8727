// Kernels of assignment: scores of one query against panels of representatives in small integers. Like the table of
// kernels.h: kernels/panels-scalar.cc is the specification, every other form returns the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Lanes of panels of 16-bit values come in whole multiples.
inline constexpr size_t kPanelLanes = 32;

struct PanelKernels {
  const char* isa;

  // scores[l] = sum_j round(weights[j] * panel[rows[j] * lanes + l] / 2^15), halves upwards, for l < lanes; returns the
  // largest. lanes: a multiple of kPanelLanes, at least one. The caller sees to it that no sum leaves int16, and that no
  // product is that of two -2^15.
  int16_t (*panel_scores)(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
                          int16_t* scores);

  // Positions l < lanes with scores[l] >= threshold, ascending, to `positions` (room for lanes); returns how many.
  size_t (*panel_select)(const int16_t* scores, size_t lanes, int16_t threshold, uint32_t* positions);
};

// The form for the instruction set of kernels().
const PanelKernels& panel_kernels();

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const PanelKernels* scalar_panels();
const PanelKernels* avx2_panels();
const PanelKernels* avx512_panels();
const PanelKernels* neon_panels();

} // namespace farsight
