// The kernels of byte rows for AVX-512.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__x86_64__)

#include <cmath>

#include "begin-avx512.h"

namespace farsight {

namespace {

__m512 sixteen(const int8_t* bytes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))));
}

void dots(const int8_t* const* rows, const int16_t* v, size_t n, int64_t* out) {
  __m512i lanes[kByteRows];
#pragma GCC unroll 4
  for (size_t r = 0; r < kByteRows; ++r) lanes[r] = _mm512_setzero_si512();
  for (size_t d = 0; d < n; d += 32) {
    const __m512i words = _mm512_loadu_si512(v + d);
#pragma GCC unroll 4
    for (size_t r = 0; r < kByteRows; ++r) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[r] + d));
      lanes[r] = _mm512_dpwssd_epi32(lanes[r], words, _mm512_cvtepi8_epi16(bytes));
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < kByteRows; ++r) {
    out[r] = _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(lanes[r])),
                                                      _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(lanes[r], 1))));
  }
}

void sums(const int8_t* const* rows, const float* shares, float* y, size_t n) {
  __m512 share[kByteRows];
#pragma GCC unroll 4
  for (size_t r = 0; r < kByteRows; ++r) share[r] = _mm512_set1_ps(shares[r]);
  for (size_t d = 0; d < n; d += 32) {
    __m512 first = _mm512_loadu_ps(y + d), second = _mm512_loadu_ps(y + d + 16);
#pragma GCC unroll 4
    for (size_t r = 0; r < kByteRows; ++r) {
      first = _mm512_fmadd_ps(share[r], sixteen(rows[r] + d), first);
      second = _mm512_fmadd_ps(share[r], sixteen(rows[r] + d + 16), second);
    }
    _mm512_storeu_ps(y + d, first);
    _mm512_storeu_ps(y + d + 16, second);
  }
}

float code(const float* x, const float* shares, size_t n, int8_t* codes) {
  const auto present = [n](size_t d) { return static_cast<__mmask16>(n - d < 16 ? (1u << (n - d)) - 1 : 0xffff); };
  const auto scaled = [&](size_t d) {
    return _mm512_mul_ps(_mm512_maskz_loadu_ps(present(d), x + d), _mm512_maskz_loadu_ps(present(d), shares + d));
  };
  __m512 largest = _mm512_setzero_ps();
  for (size_t d = 0; d < n; d += 16) largest = _mm512_max_ps(_mm512_abs_ps(scaled(d)), largest);
  const float magnitude = _mm512_reduce_max_ps(largest);
  if (!(magnitude >= kLeastMagnitude) || std::isinf(magnitude)) return magnitude;
  const __m512 share = _mm512_set1_ps(kLargestByte / magnitude);
  for (size_t d = 0; d < n; d += 16) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(scaled(d), share));
    _mm_mask_storeu_epi8(codes + d, present(d), _mm512_cvtepi32_epi8(rounded));
  }
  return magnitude;
}

constexpr ByteKernels kTable = {"avx512", dots, sums, code};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const ByteKernels* avx512_bytes() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* avx512_bytes() { return nullptr; }

} // namespace farsight

#endif
