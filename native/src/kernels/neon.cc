// The kernels for 64-bit ARM.
#include "../kernels.h"
#include "ratio-kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "lanes-neon.h"

namespace farsight {

namespace {

void sq8_scan(const uint8_t* blocks, size_t count, size_t dims, const int8_t* high, const int8_t* low, float scale,
              float bias, Ahead ahead, float* scores) {
  const size_t rows = dims / 4;
  Pace pace(ahead, count * rows);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * rows * 64;
    int32x4_t highs[4] = {};
    int32x4_t lows[4] = {};
    for (size_t r = 0; r < rows; ++r) {
      pace.step();
      const int8x16_t high_weights = vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int32_t*>(high) + r));
      const int8x16_t low_weights = vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int32_t*>(low) + r));
      const auto add = [](int32x4_t sum, int8x16_t weights, uint8x16_t codes) {
        const int16x8_t first = multiply(vget_low_s8(weights), vget_low_u8(codes));
        const int16x8_t second = multiply(vget_high_s8(weights), vget_high_u8(codes));
        return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second)));
      };
      for (size_t q = 0; q < 4; ++q) {
        const uint8x16_t codes = vld1q_u8(block + r * 64 + q * 16);
        highs[q] = add(highs[q], high_weights, codes);
        lows[q] = add(lows[q], low_weights, codes);
      }
    }
    for (size_t q = 0; q < 4; ++q) {
      const float32x4_t sum = vaddq_f32(vmulq_n_f32(vcvtq_f32_s32(highs[q]), 256.0f), vcvtq_f32_s32(lows[q]));
      const float32x4_t product = vmulq_n_f32(sum, scale);
      vst1q_f32(scores + b * kSq8BlockItems + q * 4, vaddq_f32(product, vdupq_n_f32(bias)));
    }
  }
}

// TBL looks up four tables side by side: byte k of a lane takes its value from table k.
void rabitq_scan(const uint8_t* blocks, size_t count, size_t rows, const int8_t* table, float step, Ahead ahead,
                 float* scores) {
  const size_t stride = kRabitqHeadBytes + rows * 64;
  const uint8x16_t nibble = vdupq_n_u8(0x0f);
  const uint8x16_t tables = vreinterpretq_u8_u32(vdupq_n_u32(0x30201000));
  Pace pace(ahead, count * (rows + 1));
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * stride;
    int32x4_t sums[4] = {};
    pace.step();
    for (size_t r = 0; r < rows; ++r) {
      pace.step();
      const int8x16x4_t low_table = vld1q_s8_x4(table + r * 128);
      const int8x16x4_t high_table = vld1q_s8_x4(table + r * 128 + 64);
      for (size_t q = 0; q < 4; ++q) {
        const uint8x16_t codes = vld1q_u8(block + kRabitqHeadBytes + r * 64 + q * 16);
        const int8x16_t low = vqtbl4q_s8(low_table, vorrq_u8(vandq_u8(codes, nibble), tables));
        const int8x16_t high = vqtbl4q_s8(high_table, vorrq_u8(vshrq_n_u8(codes, 4), tables));
        sums[q] = vpadalq_s16(sums[q], vaddq_s16(vpaddlq_s8(low), vpaddlq_s8(high)));
      }
    }
    for (size_t q = 0; q < 4; ++q) {
      const uint16x4_t halves = vreinterpret_u16_u8(vld1_u8(block + 8 + q * 8));
      const float32x4_t factors = vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(halves), 16));
      const float32x4_t products = vmulq_n_f32(vcvtq_f32_s32(sums[q]), step);
      vst1q_f32(scores + b * kRabitqBlockItems + q * 4, vmulq_f32(factors, products));
    }
  }
}

double sq8_dot(const double* weights, const uint8_t* row, size_t dims) {
  float64x2_t first = vdupq_n_f64(0);
  float64x2_t second = vdupq_n_f64(0);
  for (size_t d = 0; d < dims; d += 4, row += 64) {
    const uint32_t codes[4] = {row[0], row[1], row[2], row[3]};
    const uint32x4_t lanes = vld1q_u32(codes);
    const float64x2_t low = vcvtq_f64_u64(vmovl_u32(vget_low_u32(lanes)));
    const float64x2_t high = vcvtq_f64_u64(vmovl_u32(vget_high_u32(lanes)));
    first = vaddq_f64(first, vmulq_f64(vld1q_f64(weights + d), low));
    second = vaddq_f64(second, vmulq_f64(vld1q_f64(weights + d + 2), high));
  }
  return vaddvq_f64(first) + vaddvq_f64(second);
}

void sq8_distance(const uint8_t* blocks, size_t count, size_t dims, const float* step, const float* shift,
                  float* distances) {
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * dims * kSq8BlockItems;
    float32x4_t sums[4][4] = {}; // accumulator f, items 4q .. 4q + 3
    for (size_t d = 0; d < dims; d += 4) {
      const uint8x16x4_t codes = vld4q_u8(block + d * 16);
      for (size_t f = 0; f < 4; ++f) {
        const float32x4_t shifts = vdupq_n_f32(shift[d + f]);
        for (size_t q = 0; q < 4; ++q) {
          const float32x4_t difference = vfmaq_n_f32(shifts, quarter_of(codes.val[f], q), step[d + f]);
          sums[f][q] = vfmaq_f32(sums[f][q], difference, difference);
        }
      }
    }
    for (size_t q = 0; q < 4; ++q) {
      const float32x4_t sum = vaddq_f32(vaddq_f32(sums[0][q], sums[1][q]), vaddq_f32(sums[2][q], sums[3][q]));
      vst1q_f32(distances + b * kSq8BlockItems + q * 4, sum);
    }
  }
}

size_t select_at_least(const float* scores, size_t n, float threshold, uint32_t* positions) {
  const float32x4_t thresholds = vdupq_n_f32(threshold);
  size_t found = 0;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint32x4_t any = vcgeq_f32(vld1q_f32(scores + i), thresholds);
    for (size_t k = 4; k < 16; k += 4) any = vorrq_u32(any, vcgeq_f32(vld1q_f32(scores + i + k), thresholds));
    if (vmaxvq_u32(any) == 0) continue;
    for (size_t k = i; k < i + 16; ++k) {
      positions[found] = static_cast<uint32_t>(k);
      found += scores[k] >= threshold;
    }
  }
  for (; i < n; ++i) {
    positions[found] = static_cast<uint32_t>(i);
    found += scores[i] >= threshold;
  }
  return found;
}

float dot(const float* x, const float* y, size_t n) {
  float32x4_t sums[8] = {};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (size_t k = 0; k < 8; ++k) sums[k] = vfmaq_f32(sums[k], vld1q_f32(x + i + k * 4), vld1q_f32(y + i + k * 4));
  }
  float lanes[32];
  for (size_t k = 0; k < 8; ++k) vst1q_f32(lanes + k * 4, sums[k]);
  for (size_t l = 0; i < n; ++l, ++i) lanes[l] = __builtin_fmaf(x[i], y[i], lanes[l]);
  for (size_t k = 0; k < 8; ++k) sums[k] = vld1q_f32(lanes + k * 4);
  for (size_t k = 0; k < 4; ++k) sums[k] = vaddq_f32(sums[k], sums[k + 4]);
  const float32x4_t four = vaddq_f32(vaddq_f32(sums[0], sums[2]), vaddq_f32(sums[1], sums[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

void axpy(float a, const float* x, float* y, size_t n) {
  const float32x4_t factor = vdupq_n_f32(a);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(y + i, vfmaq_f32(vld1q_f32(y + i), factor, vld1q_f32(x + i)));
  for (; i < n; ++i) y[i] = __builtin_fmaf(a, x[i], y[i]);
}

void panel_distance(const float* panel, const float* query, size_t dims, float* out) {
  float32x4_t sums[4] = {};
  for (size_t d = 0; d < dims; ++d) {
    const float32x4_t value = vdupq_n_f32(query[d]);
    for (size_t k = 0; k < 4; ++k) {
      const float32x4_t difference = vsubq_f32(vld1q_f32(panel + 16 * d + 4 * k), value);
      sums[k] = vfmaq_f32(sums[k], difference, difference);
    }
  }
  for (size_t k = 0; k < 4; ++k) vst1q_f32(out + 4 * k, sums[k]);
}

constexpr Kernels kTable = {
  "neon", ratio_scan_neon, sq8_scan, rabitq_scan, sq8_dot, ratio_distance_neon,
  sq8_distance, select_at_least, dot, axpy, panel_distance,
};

} // namespace

const Kernels* neon_kernels() { return &kTable; }

} // namespace farsight

#else

namespace farsight {

const Kernels* neon_kernels() { return nullptr; }

} // namespace farsight

#endif
