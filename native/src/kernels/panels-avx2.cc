// The panel kernels for AVX2.
#include "../kernels.h"
#include "../panels.h"

#if defined(__x86_64__)

#include <algorithm>

#include "begin-avx2.h"

namespace farsight {

namespace {

// kSums registers of 16 lanes at once.
template <int kSums>
__m256i score(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
              int16_t* scores, __m256i largest) {
  __m256i sums[kSums];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (size_t j = 0; j < count; ++j) {
    const int16_t* row = panel + rows[j] * lanes;
    const __m256i weight = _mm256_set1_epi16(weights[j]);
#pragma GCC unroll 8
    for (int s = 0; s < kSums; ++s) {
      const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 16 * s));
      sums[s] = _mm256_add_epi16(sums[s], _mm256_mulhrs_epi16(values, weight));
    }
  }
  for (int s = 0; s < kSums; ++s) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(scores + 16 * s), sums[s]);
    largest = _mm256_max_epi16(largest, sums[s]);
  }
  return largest;
}

int16_t largest_of(__m256i values) {
  // The smallest unsigned complement is the largest value: phminposuw finds it among eight.
  const __m128i eight = _mm_max_epi16(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  const __m128i smallest = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(0x7fff)));
  return static_cast<int16_t>(_mm_extract_epi16(smallest, 0) ^ 0x7fff);
}

int16_t panel_scores(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
                     int16_t* scores) {
  __m256i largest = _mm256_set1_epi16(INT16_MIN);
  size_t l = 0;
  for (; l + 128 <= lanes; l += 128) largest = score<8>(panel + l, lanes, rows, weights, count, scores + l, largest);
  for (; l < lanes; l += 32) largest = score<2>(panel + l, lanes, rows, weights, count, scores + l, largest);
  return largest_of(largest);
}

size_t panel_select(const int16_t* scores, size_t lanes, int16_t threshold, uint32_t* positions) {
  const __m256i least = _mm256_set1_epi16(threshold);
  size_t found = 0;
  for (size_t l = 0; l < lanes; l += 16) {
    const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(scores + l));
    // Two equal bits a lane; below is the complement of at least.
    uint32_t mask = ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi16(least, values))) & 0x55555555;
    for (; mask != 0; mask &= mask - 1) positions[found++] = static_cast<uint32_t>(l + __builtin_ctz(mask) / 2);
  }
  return found;
}

constexpr PanelKernels kTable = {"avx2", panel_scores, panel_select};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const PanelKernels* avx2_panels() { return avx2_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const PanelKernels* avx2_panels() { return nullptr; }

} // namespace farsight

#endif
