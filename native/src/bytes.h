// The kernels of rows of bytes, which training walks many times: a quarter of what float rows take from memory. Like the
// table of kernels.h: kernels/bytes-scalar.cc is the specification, every other form returns the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Rows that are taken at once, and what the length of a row is a multiple of.
inline constexpr size_t kByteRows = 4;
inline constexpr size_t kByteLanes = 32;
inline constexpr float kLargestByte = 127;
inline constexpr float kLeastMagnitude = 0x1p-100f; // of what is coded: less is as good as nothing

// Four lanes of int32, the fewest of any form, then hold the sum of n products with bytes.
constexpr int32_t largest_word(size_t n) {
  constexpr int64_t kLanes = 4;
  const int64_t most = kLanes * INT32_MAX / (128 * static_cast<int64_t>(n < kByteLanes ? kByteLanes : n));
  return most < INT16_MAX ? static_cast<int32_t>(most) : INT16_MAX;
}

struct ByteKernels {
  const char* isa;

  // out[r] = sum_d v[d] * rows[r][d] for r < kByteRows and d < n, exactly; |v[d]| <= largest_word(n).
  void (*dots)(const int8_t* const* rows, const int16_t* v, size_t n, int64_t* out);

  // y[d] = fma(shares[r], rows[r][d], y[d]) for r = 0 ... kByteRows - 1 in turn, d < n.
  void (*sums)(const int8_t* const* rows, const float* shares, float* y, size_t n);

  // codes[d] = scaled_d * (127 / magnitude) rounded to the nearest, to even from halfway, with scaled_d = x[d] *
  // shares[d] and magnitude their largest absolute value, which is returned. Below kLeastMagnitude, or
  // infinite: nothing is written. Any n; finite values.
  float (*code)(const float* x, const float* shares, size_t n, int8_t* codes);
};

// The form for the instruction set of kernels().
const ByteKernels& byte_kernels();

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const ByteKernels* scalar_bytes();
const ByteKernels* avx2_bytes();
const ByteKernels* avx512_bytes();
const ByteKernels* neon_bytes();

} // namespace farsight
