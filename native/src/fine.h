// The kernel of short scans that few slots come in doubt from: ratio codes with every bit they have, in float. An 8-bit scan
// of the best clusters leaves one item in four to be scored exactly; this one leaves those that are wanted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace farsight {

// weights: one per id, 256 or 1024 entries by the form of ids, 0 from `dims` on. low_bits: of a rest, 0..16.
struct FineScan {
  RatioShape shape;
  const float* weights;
  uint32_t low_bits;
  float scale;
  float bias;
};

// scores[i] = bias + scale * sum_j weights[id_ij] * code_ij for the slots first + i < end of a section of ratio blocks and that
// of their rests; first is a multiple of kLanes. Features ascending from 0: sum = fma(weight, float(code), sum); then a
// float multiplication and an addition. A code below 0 (a corrupt file) counts as 0. scores: room for whole kLanes.
using RatioFine = void (*)(const uint8_t* blocks, const uint8_t* refine, size_t first, size_t end,
                           const FineScan& scan, float* scores);

// The form for the instruction set of kernels(); nullptr where scoring one slot after the other is as fast.
RatioFine ratio_fine();

// For tests: the specification, and the form that this build and CPU may lack.
void portable_ratio_fine(const uint8_t* blocks, const uint8_t* refine, size_t first, size_t end, const FineScan& scan,
                         float* scores);
RatioFine avx512_fine();

} // namespace farsight
