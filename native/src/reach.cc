// The scan above a threshold by its definition, and the choice among its forms.
#include "reach.h"

#include <cstring>

namespace farsight {

namespace {

size_t ratio_reach(const uint8_t* blocks, size_t count, const RatioScan& scan, float threshold, uint32_t* positions,
                   float* scores) {
  kernels().ratio_scan(blocks, count, scan.shape, scan.table, scan.scale, scan.bias, scores);
  return keep_reaching(kernels(), scores, count * kRatioBlockItems, threshold, positions);
}

constexpr ReachKernels kComposed = {"any", ratio_reach};

const ReachKernels& choose() {
  const ReachKernels* const own = avx512_reach();
  return own != nullptr && std::strcmp(own->isa, kernels().isa) == 0 ? *own : kComposed;
}

} // namespace

size_t keep_reaching(const Kernels& kernels, float* scores, size_t count, float threshold, uint32_t* positions) {
  const size_t found = kernels.select_at_least(scores, count, threshold, positions);
  // No position is below its place in the list, so none is overwritten before it is read.
  for (size_t i = 0; i < found; ++i) scores[i] = scores[positions[i]];
  return found;
}

const ReachKernels* composed_reach() { return &kComposed; }

const ReachKernels& reach_kernels() {
  static const ReachKernels& chosen = choose();
  return chosen;
}

} // namespace farsight
