// The kernels of ratio blocks for 64-bit ARM. Weights are looked up in scalar code (a table of 256 bytes or more is
// past what TBL holds cheaply); products and sums are vectors.
#include "ratio-kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "lanes-neon.h"
#include "ratio-forms.h"

namespace farsight {

namespace {

// Id k of a chunk: its low byte and what the id form adds (see ratio.h).
template <IdForm kForm>
uint32_t id_at(const uint8_t* low, const uint8_t* upper, size_t k) {
  uint32_t id = low[k];
  if constexpr (kForm == IdForm::kWord) id |= static_cast<uint32_t>(upper[k]) << 8;
  if constexpr (kForm == IdForm::kTenBit) {
    id |= (static_cast<uint32_t>(upper[k / 8]) >> (k % 8) & 1) << 8;
    id |= (static_cast<uint32_t>(upper[8 + k / 8]) >> (k % 8) & 1) << 9;
  }
  return id;
}

template <IdForm kForm>
void look_up(const uint8_t* low, const uint8_t* upper, const int8_t* table, int8_t weights[64]) {
  for (size_t k = 0; k < 64; ++k) weights[k] = table[id_at<kForm>(low, upper, k)];
}

// Per 32-bit lane, the sums of bytes 0, 1 ([0]) and of bytes 2, 3 ([1]) of 16 products.
void multiply_pairs(const int8_t* weights, const uint8_t* values, int32x4_t pairs[2]) {
  const int8x16_t w = vld1q_s8(weights);
  const uint8x16_t v = vld1q_u8(values);
  const int32x4_t first = vpaddlq_s16(multiply(vget_low_s8(w), vget_low_u8(v)));
  const int32x4_t second = vpaddlq_s16(multiply(vget_high_s8(w), vget_high_u8(v)));
  pairs[0] = vuzp1q_s32(first, second);
  pairs[1] = vuzp2q_s32(first, second);
}

template <IdForm kForm>
void scan(const uint8_t* blocks, size_t count, size_t chunks, const int8_t* table, float scale, float bias,
          float* scores) {
  constexpr size_t kUpper = upper_bytes_of(kForm);
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t fours = chunks & ~size_t{3};
  const size_t pairs = chunks & ~size_t{1};
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    int32x4_t sums[16] = {}; // accumulator t, lanes 4q .. 4q + 3 at 4t + q
    for (size_t c = 0; c < pairs; ++c) {
      int8_t weights[64];
      look_up<kForm>(low + c * 64, upper + c * kUpper, table, weights);
      const size_t first = c < fours ? c % 4 : (c - fours) * 2;
      const size_t second = c < fours ? first : first + 1;
      for (size_t q = 0; q < 4; ++q) {
        int32x4_t products[2];
        multiply_pairs(weights + q * 16, values + c * 64 + q * 16, products);
        sums[first * 4 + q] = vaddq_s32(sums[first * 4 + q], products[0]);
        sums[second * 4 + q] = vaddq_s32(sums[second * 4 + q], products[1]);
      }
    }
    if (chunks > pairs) {
      int8_t weights[64];
      look_up<kForm>(low + pairs * 64, upper + pairs * kUpper, table, weights);
      for (size_t q = 0; q < 4; ++q) {
        // vld4 takes byte t of every lane apart; four lanes' worth fill half a register each.
        const int8x8x4_t w = vld4_s8(weights + q / 2 * 32);
        const uint8x8x4_t v = vld4_u8(values + pairs * 64 + q / 2 * 32);
        for (size_t t = 0; t < 4; ++t) {
          const int16x8_t product = multiply(w.val[t], v.val[t]);
          const int16x4_t half = q % 2 == 0 ? vget_low_s16(product) : vget_high_s16(product);
          sums[t * 4 + q] = vaddw_s16(sums[t * 4 + q], half);
        }
      }
    }
    for (size_t s = 0; s < 16; ++s) {
      const float32x4_t product = vmulq_n_f32(vcvtq_f32_s32(sums[s]), scale);
      vst1q_f32(scores + b * kRatioBlockItems + s * 4, vaddq_f32(product, vdupq_n_f32(bias)));
    }
  }
}

template <IdForm kForm>
void distance(const uint8_t* blocks, size_t count, size_t chunks, const float* twice, float step, float norm,
              float* distances) {
  constexpr size_t kUpper = upper_bytes_of(kForm);
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t fours = chunks & ~size_t{3};
  const size_t pairs = chunks & ~size_t{1};
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    float32x4_t sums[16] = {}; // accumulator t, lanes 4q .. 4q + 3 at 4t + q
    for (size_t c = 0; c < chunks; ++c) {
      // Byte f of lane l at 16f + l, as vld4 takes the values apart.
      float looked_up[64];
      for (size_t k = 0; k < 64; ++k) {
        looked_up[k % 4 * 16 + k / 4] = twice[id_at<kForm>(low + c * 64, upper + c * kUpper, k)];
      }
      const uint8x16x4_t bytes = vld4q_u8(values + c * 64);
      for (size_t f = 0; f < 4; ++f) {
        const size_t t = c < fours ? c % 4 : c < pairs ? (c - fours) * 2 + f / 2 : f;
        for (size_t q = 0; q < 4; ++q) {
          const float32x4_t value = vmulq_n_f32(quarter_of(bytes.val[f], q), step);
          const float32x4_t factor = vsubq_f32(value, vld1q_f32(looked_up + f * 16 + q * 4));
          sums[t * 4 + q] = vfmaq_f32(sums[t * 4 + q], value, factor);
        }
      }
    }
    for (size_t s = 0; s < 16; ++s) {
      const float32x4_t distance = vaddq_f32(vdupq_n_f32(norm), sums[s]);
      const float32x4_t zero = vdupq_n_f32(0);
      vst1q_f32(distances + b * kRatioBlockItems + s * 4, vbslq_f32(vcgtq_f32(zero, distance), zero, distance));
    }
  }
}

} // namespace

void ratio_scan_neon(const uint8_t* blocks, size_t count, RatioShape shape, const int8_t* table, float scale,
                     float bias, float* scores) {
  with_form(shape.id_form, [&](auto form) {
    scan<decltype(form)::value>(blocks, count, shape.features, table, scale, bias, scores);
  });
}

void ratio_distance_neon(const uint8_t* blocks, size_t count, RatioShape shape, const float* twice, float step,
                         float norm, float* distances) {
  with_form(shape.id_form, [&](auto form) {
    distance<decltype(form)::value>(blocks, count, shape.features, twice, step, norm, distances);
  });
}

} // namespace farsight

#endif
