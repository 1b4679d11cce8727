// Squared distances of several queries to one panel: what kernels().panel_distance returns, with every load shared.
#include "panel-distances.h"

#include <cstring>

#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farsight {

namespace {

void panel_distances_any(const float* panel, const float* queries, size_t dims, float* out) {
  for (size_t q = 0; q < kPanelRows; ++q) kernels().panel_distance(panel, queries + q * dims, dims, out + q * kLanes);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void panel_distances_avx512(const float* panel, const float* queries, size_t dims,
                                                               float* out) {
  __m512 sums[kPanelRows];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  for (size_t d = 0; d < dims; ++d) {
    const __m512 row = _mm512_loadu_ps(panel + d * kLanes);
#pragma GCC unroll 8
    for (size_t q = 0; q < kPanelRows; ++q) {
      const __m512 difference = _mm512_sub_ps(row, _mm512_set1_ps(queries[q * dims + d]));
      sums[q] = _mm512_fmadd_ps(difference, difference, sums[q]);
    }
  }
  for (size_t q = 0; q < kPanelRows; ++q) _mm512_storeu_ps(out + q * kLanes, sums[q]);
}

__attribute__((target("avx2,fma"))) void panel_distances_avx2(const float* panel, const float* queries, size_t dims,
                                                              float* out) {
  // Four queries by two halves of a panel row: eight sums stay in registers.
  for (size_t first = 0; first < kPanelRows; first += 4, queries += 4 * dims, out += 4 * kLanes) {
    __m256 sums[8];
    for (__m256& sum : sums) sum = _mm256_setzero_ps();
    for (size_t d = 0; d < dims; ++d) {
      const __m256 low = _mm256_loadu_ps(panel + d * kLanes), high = _mm256_loadu_ps(panel + d * kLanes + 8);
#pragma GCC unroll 4
      for (size_t q = 0; q < 4; ++q) {
        const __m256 value = _mm256_set1_ps(queries[q * dims + d]);
        const __m256 l = _mm256_sub_ps(low, value), h = _mm256_sub_ps(high, value);
        sums[2 * q] = _mm256_fmadd_ps(l, l, sums[2 * q]);
        sums[2 * q + 1] = _mm256_fmadd_ps(h, h, sums[2 * q + 1]);
      }
    }
    for (size_t s = 0; s < 8; ++s) _mm256_storeu_ps(out + 8 * s, sums[s]);
  }
}
#endif

} // namespace

PanelDistances panel_distances() {
#if defined(__x86_64__)
  if (std::strcmp(kernels().isa, "avx512") == 0) return panel_distances_avx512;
  if (std::strcmp(kernels().isa, "avx2") == 0) return panel_distances_avx2;
#endif
  return panel_distances_any;
}

} // namespace farsight
