// The kernels of rows of bytes, which training walks many times: a quarter of what float rows take from memory. Like the
// table of kernels.h: kernels/bytes-scalar.cc is the specification, every other form returns the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Rows that are taken at once, and what the length of a row is a multiple of.
inline constexpr size_t kByteRows = 4;
inline constexpr size_t kByteLanes = 32;

struct ByteKernels {
  const char* isa;

  // out[r] = sum_d v[d] * rows[r][d] for r < kByteRows and d < n: in 32 float lanes (element d in lane d % 32, fused
  // multiply-add), lanes then added pairwise as in Kernels::dot.
  void (*dots)(const int8_t* const* rows, const float* v, size_t n, float* out);

  // y[d] = fma(shares[r], rows[r][d], y[d]) for r = 0 ... kByteRows - 1 in turn, d < n.
  void (*sums)(const int8_t* const* rows, const float* shares, float* y, size_t n);
};

// The form for the instruction set of kernels().
const ByteKernels& byte_kernels();

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const ByteKernels* scalar_bytes();
const ByteKernels* avx2_bytes();
const ByteKernels* avx512_bytes();
const ByteKernels* neon_bytes();

} // namespace farsight
