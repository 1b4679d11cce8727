// The kernels of byte rows for AVX-512; see avx512.cc for what that means.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// GCC 12's own AVX-512 headers read their "undefined" registers (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vnni,bmi2,fma")

namespace farsight {

namespace {

__m512 sixteen(const int8_t* bytes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))));
}

void dots(const int8_t* const* rows, const float* v, size_t n, float* out) {
  __m512 low[kByteRows], high[kByteRows];
#pragma GCC unroll 4
  for (size_t r = 0; r < kByteRows; ++r) low[r] = high[r] = _mm512_setzero_ps();
  for (size_t d = 0; d < n; d += 32) {
    const __m512 first = _mm512_loadu_ps(v + d), second = _mm512_loadu_ps(v + d + 16);
#pragma GCC unroll 4
    for (size_t r = 0; r < kByteRows; ++r) {
      low[r] = _mm512_fmadd_ps(first, sixteen(rows[r] + d), low[r]);
      high[r] = _mm512_fmadd_ps(second, sixteen(rows[r] + d + 16), high[r]);
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < kByteRows; ++r) {
    const __m512 lanes = _mm512_add_ps(low[r], high[r]);
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    out[r] = _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
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

constexpr ByteKernels kTable = {"avx512", dots, sums};

} // namespace

} // namespace farsight

#pragma GCC pop_options

namespace farsight {

const ByteKernels* avx512_bytes() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* avx512_bytes() { return nullptr; }

} // namespace farsight

#endif
