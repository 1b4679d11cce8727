// The kernels of byte rows for AVX2.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace farsight {

namespace {

__m256 eight_of(const int8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}

// Two rows at a time: their 32 lanes are eight registers.
void dots(const int8_t* const* rows, const float* v, size_t n, float* out) {
  for (size_t r = 0; r < kByteRows; r += 2) {
    __m256 lanes[2][4] = {};
    for (size_t d = 0; d < n; d += 32) {
#pragma GCC unroll 4
      for (size_t k = 0; k < 4; ++k) {
        const __m256 values = _mm256_loadu_ps(v + d + 8 * k);
        lanes[0][k] = _mm256_fmadd_ps(values, eight_of(rows[r] + d + 8 * k), lanes[0][k]);
        lanes[1][k] = _mm256_fmadd_ps(values, eight_of(rows[r + 1] + d + 8 * k), lanes[1][k]);
      }
    }
    for (size_t k = 0; k < 2; ++k) {
      const __m256 eight = _mm256_add_ps(_mm256_add_ps(lanes[k][0], lanes[k][2]), _mm256_add_ps(lanes[k][1], lanes[k][3]));
      const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
      const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
      out[r + k] = _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
    }
  }
}

void sums(const int8_t* const* rows, const float* shares, float* y, size_t n) {
  __m256 share[kByteRows];
  for (size_t r = 0; r < kByteRows; ++r) share[r] = _mm256_set1_ps(shares[r]);
  for (size_t d = 0; d < n; d += 8) {
    __m256 sum = _mm256_loadu_ps(y + d);
#pragma GCC unroll 4
    for (size_t r = 0; r < kByteRows; ++r) sum = _mm256_fmadd_ps(share[r], eight_of(rows[r] + d), sum);
    _mm256_storeu_ps(y + d, sum);
  }
}

constexpr ByteKernels kTable = {"avx2", dots, sums};

} // namespace

} // namespace farsight

#pragma GCC pop_options

namespace farsight {

const ByteKernels* avx2_bytes() { return avx2_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* avx2_bytes() { return nullptr; }

} // namespace farsight

#endif
