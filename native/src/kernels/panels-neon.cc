// The panel kernels for 64-bit ARM.
#include "../panels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>

namespace farsight {

namespace {

int16_t panel_scores(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
                     int16_t* scores) {
  int16x8_t largest = vdupq_n_s16(INT16_MIN);
  for (size_t l = 0; l < lanes; l += 32) {
    int16x8_t sums[4] = {};
    for (size_t j = 0; j < count; ++j) {
      const int16_t* row = panel + rows[j] * lanes + l;
      // (2 a b + 2^15) >> 16 = (a b + 2^14) >> 15
      for (size_t s = 0; s < 4; ++s) {
        sums[s] = vaddq_s16(sums[s], vqrdmulhq_n_s16(vld1q_s16(row + 8 * s), weights[j]));
      }
    }
    for (size_t s = 0; s < 4; ++s) {
      vst1q_s16(scores + l + 8 * s, sums[s]);
      largest = vmaxq_s16(largest, sums[s]);
    }
  }
  return vmaxvq_s16(largest);
}

size_t panel_select(const int16_t* scores, size_t lanes, int16_t threshold, uint32_t* positions) {
  const int16x8_t least = vdupq_n_s16(threshold);
  size_t found = 0;
  for (size_t l = 0; l < lanes; l += 8) {
    if (vmaxvq_u16(vcgeq_s16(vld1q_s16(scores + l), least)) == 0) continue;
    for (size_t i = l; i < l + 8; ++i) {
      if (scores[i] >= threshold) positions[found++] = static_cast<uint32_t>(i);
    }
  }
  return found;
}

constexpr PanelKernels kTable = {"neon", panel_scores, panel_select};

} // namespace

const PanelKernels* neon_panels() { return &kTable; }

} // namespace farsight

#else

namespace farsight {

const PanelKernels* neon_panels() { return nullptr; }

} // namespace farsight

#endif
