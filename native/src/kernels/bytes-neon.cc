// The kernels of byte rows for NEON.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>
#include <cmath>

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

void dots(const int8_t* const* rows, const int16_t* v, size_t n, int64_t* out) {
  for (size_t r = 0; r < kByteRows; ++r) {
    int32x4_t lanes = vdupq_n_s32(0);
    for (size_t d = 0; d < n; d += 8) {
      const int16x8_t words = vld1q_s16(v + d), codes = vmovl_s8(vld1_s8(rows[r] + d));
      lanes = vmlal_s16(lanes, vget_low_s16(words), vget_low_s16(codes));
      lanes = vmlal_s16(lanes, vget_high_s16(words), vget_high_s16(codes));
    }
    out[r] = vaddlvq_s32(lanes);
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

float code(const float* x, const float* shares, size_t n, int8_t* codes) {
  const size_t whole = n / 8 * 8;
  const auto scaled = [&](size_t d) { return vmulq_f32(vld1q_f32(x + d), vld1q_f32(shares + d)); };
  float32x4_t largest = vdupq_n_f32(0);
  for (size_t d = 0; d < whole; d += 4) largest = vmaxq_f32(largest, vabsq_f32(scaled(d)));
  float magnitude = vmaxvq_f32(largest);
  for (size_t d = whole; d < n; ++d) magnitude = std::max(magnitude, std::fabs(x[d] * shares[d]));
  if (!(magnitude >= kLeastMagnitude) || std::isinf(magnitude)) return magnitude;
  const float share = kLargestByte / magnitude;
  for (size_t d = 0; d < whole; d += 8) {
    const int32x4_t low = vcvtnq_s32_f32(vmulq_n_f32(scaled(d), share));
    const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(scaled(d + 4), share));
    vst1_s8(codes + d, vmovn_s16(vcombine_s16(vmovn_s32(low), vmovn_s32(high))));
  }
  for (size_t d = whole; d < n; ++d) codes[d] = static_cast<int8_t>(std::nearbyint(x[d] * shares[d] * share));
  return magnitude;
}

constexpr ByteKernels kTable = {"neon", dots, sums, code};

} // namespace

const ByteKernels* neon_bytes() { return neon_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* neon_bytes() { return nullptr; }

} // namespace farsight

#endif
