// The kernel of long scans: of ratio blocks, only the items whose score reaches a threshold. Next to none do once a scan
// knows its best, so most blocks are left as soon as an upper bound tells.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace farsight {

// A query as ratio_scan takes it, and the largest weight of its table, 0 at least.
struct RatioScan {
  RatioShape shape;
  const int8_t* table;
  int8_t largest;
  float scale;
  float bias;
};

struct ReachKernels {
  const char* isa;

  // The positions i of the items of `count` ratio blocks (item i % 64 of block i / 64) that ratio_scan scores at least
  // `threshold`, ascending, and their scores; returns how many. Both have room for 64 * count + 16.
  size_t (*ratio_reach)(const uint8_t* blocks, size_t count, const RatioScan& scan, float threshold, uint32_t* positions,
                        float* scores);
};

// Keeps those of `count` scores that reach the threshold, in place, and writes their positions; returns how many.
// positions: room for count + 16.
size_t keep_reaching(const Kernels& kernels, float* scores, size_t count, float threshold, uint32_t* positions);

// The form for the instruction set of kernels().
const ReachKernels& reach_kernels();

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set. The composed form is ratio_scan
// and select_at_least of kernels(), the specification.
const ReachKernels* composed_reach();
const ReachKernels* avx512_reach();

} // namespace farsight
