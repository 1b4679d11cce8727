// What NEON kernels of several files do with bytes.
#pragma once

#include <arm_neon.h>

#include <cstddef>

namespace farsight {

namespace {

// |weight * value| <= 128 * 255 < 2^15.
inline int16x8_t multiply(int8x8_t weights, uint8x8_t values) {
  return vmulq_s16(vmovl_s8(weights), vreinterpretq_s16_u16(vmovl_u8(values)));
}

// Lanes 4q .. 4q + 3 of sixteen bytes, as floats.
inline float32x4_t quarter_of(uint8x16_t bytes, size_t q) {
  const uint16x8_t eight = q < 2 ? vmovl_u8(vget_low_u8(bytes)) : vmovl_u8(vget_high_u8(bytes));
  return vcvtq_f32_u32(q % 2 == 0 ? vmovl_u16(vget_low_u16(eight)) : vmovl_u16(vget_high_u16(eight)));
}

} // namespace

} // namespace farsight
