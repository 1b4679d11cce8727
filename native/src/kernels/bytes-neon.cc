// The kernels of byte rows for NEON.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

namespace farsight {

namespace {

// Sixteen bytes as floats, in order.
struct Sixteen {
  float32x4_t four[4];

  explicit Sixteen(const int8_t* bytes) {
    const int8x16_t all = vld1q_s8(bytes);
    const int16x8_t low = vmovl_s8(vget_low_s8(all)), high = vmovl_s8(vget_high_s8(all));
    four[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
    four[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
    four[2] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
    four[3] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
  }
};

void dots(const int8_t* const* rows, const float* v, size_t n, float* out) {
  for (size_t r = 0; r < kByteRows; ++r) {
    float32x4_t lanes[8];
    for (size_t k = 0; k < 8; ++k) lanes[k] = vdupq_n_f32(0);
    for (size_t d = 0; d < n; d += 32) {
      const Sixteen low(rows[r] + d), high(rows[r] + d + 16);
      for (size_t k = 0; k < 4; ++k) {
        lanes[k] = vfmaq_f32(lanes[k], vld1q_f32(v + d + 4 * k), low.four[k]);
        lanes[k + 4] = vfmaq_f32(lanes[k + 4], vld1q_f32(v + d + 16 + 4 * k), high.four[k]);
      }
    }
    for (size_t k = 0; k < 4; ++k) lanes[k] = vaddq_f32(lanes[k], lanes[k + 4]);
    const float32x4_t four = vaddq_f32(vaddq_f32(lanes[0], lanes[2]), vaddq_f32(lanes[1], lanes[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    out[r] = vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
}

void sums(const int8_t* const* rows, const float* shares, float* y, size_t n) {
  for (size_t d = 0; d < n; d += 16) {
    float32x4_t sum[4];
    for (size_t k = 0; k < 4; ++k) sum[k] = vld1q_f32(y + d + 4 * k);
    for (size_t r = 0; r < kByteRows; ++r) {
      const Sixteen row(rows[r] + d);
      for (size_t k = 0; k < 4; ++k) sum[k] = vfmaq_f32(sum[k], vdupq_n_f32(shares[r]), row.four[k]);
    }
    for (size_t k = 0; k < 4; ++k) vst1q_f32(y + d + 4 * k, sum[k]);
  }
}

constexpr ByteKernels kTable = {"neon", dots, sums};

} // namespace

const ByteKernels* neon_bytes() { return neon_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* neon_bytes() { return nullptr; }

} // namespace farsight

#endif
