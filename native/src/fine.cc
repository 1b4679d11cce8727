// The fine scan by its definition, and the choice among its forms.
#include "fine.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ratio.h"

namespace farsight {

void portable_ratio_fine(const uint8_t* blocks, const uint8_t* refine, size_t first, size_t end, const FineScan& scan,
                         float* scores) {
  const uint32_t features = scan.shape.features;
  const size_t stride = ratio_block_bytes(scan.shape);
  for (size_t slot = first; slot < end; ++slot) {
    const uint8_t* low = blocks + slot / kRatioBlockItems * stride;
    const uint8_t* values = low + features * size_t{64};
    const uint8_t* upper = values + features * size_t{64};
    float sum = 0;
    for (uint32_t j = 0; j < features; ++j) {
      const size_t at = ratio_position(features, slot % kRatioBlockItems, j);
      uint32_t id = low[at];
      if (scan.shape.id_form == IdForm::kTenBit) {
        const uint8_t* planes = upper + at / 64 * 16 + at % 64 / 8;
        id |= (planes[0] >> (at % 8) & 1) << 8 | (planes[8] >> (at % 8) & 1) << 9;
      }
      int32_t code = static_cast<int32_t>(values[at]) << scan.low_bits;
      for (uint32_t bit = 0; bit < scan.low_bits; ++bit) {
        const size_t from = (slot * features + j) * scan.low_bits + bit;
        const int32_t value = refine[from / 8] >> (from % 8) & 1;
        code += bit + 1 < scan.low_bits ? value << bit : -(value << bit);
      }
      sum = std::fma(scan.weights[id], static_cast<float>(std::max(code, 0)), sum);
    }
    const float product = scan.scale * sum;
    scores[slot - first] = product + scan.bias;
  }
}

RatioFine ratio_fine() {
  static const bool own = avx512_fine() != nullptr && std::strcmp(kernels().isa, "avx512") == 0;
  return own ? avx512_fine() : nullptr;
}

} // namespace farsight
