// The kernels of byte rows for AVX2.
#include "../bytes.h"
#include "../kernels.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cmath>

#include "begin-avx2.h"

namespace farsight {

namespace {

__m256 eight_of(const int8_t* bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}

void dots(const int8_t* const* rows, const int16_t* v, size_t n, int64_t* out) {
  __m256i lanes[kByteRows];
  for (size_t r = 0; r < kByteRows; ++r) lanes[r] = _mm256_setzero_si256();
  for (size_t d = 0; d < n; d += 16) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v + d));
#pragma GCC unroll 4
    for (size_t r = 0; r < kByteRows; ++r) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + d));
      lanes[r] = _mm256_add_epi32(lanes[r], _mm256_madd_epi16(words, _mm256_cvtepi8_epi16(bytes)));
    }
  }
  for (size_t r = 0; r < kByteRows; ++r) {
    alignas(32) int32_t sums[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums), lanes[r]);
    out[r] = 0;
    for (const int32_t sum : sums) out[r] += sum;
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

float code(const float* x, const float* shares, size_t n, int8_t* codes) {
  const __m256 absolute = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  const size_t whole = n / 8 * 8;
  const auto scaled = [&](size_t d) { return _mm256_mul_ps(_mm256_loadu_ps(x + d), _mm256_loadu_ps(shares + d)); };
  __m256 largest = _mm256_setzero_ps();
  for (size_t d = 0; d < whole; d += 8) largest = _mm256_max_ps(_mm256_and_ps(scaled(d), absolute), largest);
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, largest);
  float magnitude = 0;
  for (const float lane : lanes) magnitude = std::max(magnitude, lane);
  for (size_t d = whole; d < n; ++d) magnitude = std::max(magnitude, std::fabs(x[d] * shares[d]));
  if (!(magnitude >= kLeastMagnitude) || std::isinf(magnitude)) return magnitude;
  const float share = kLargestByte / magnitude;
  for (size_t d = 0; d < whole; d += 8) {
    const __m256i words = _mm256_cvtps_epi32(_mm256_mul_ps(scaled(d), _mm256_set1_ps(share)));
    const __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(codes + d), _mm_packs_epi16(halves, halves));
  }
  for (size_t d = whole; d < n; ++d) codes[d] = static_cast<int8_t>(std::nearbyint(x[d] * shares[d] * share));
  return magnitude;
}

constexpr ByteKernels kTable = {"avx2", dots, sums, code};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const ByteKernels* avx2_bytes() { return avx2_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ByteKernels* avx2_bytes() { return nullptr; }

} // namespace farsight

#endif
