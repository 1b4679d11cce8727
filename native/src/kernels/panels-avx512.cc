// The panel kernels for AVX-512.
#include "../kernels.h"
#include "../panels.h"

#if defined(__x86_64__)

#include <algorithm>

#include "begin-avx512.h"

namespace farsight {

namespace {

// kSums registers of 32 lanes at once.
template <int kSums>
__m512i score(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
              int16_t* scores, __m512i largest) {
  __m512i sums[kSums];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  for (size_t j = 0; j < count; ++j) {
    const int16_t* row = panel + rows[j] * lanes;
    const __m512i weight = _mm512_set1_epi16(weights[j]);
#pragma GCC unroll 8
    for (int s = 0; s < kSums; ++s) {
      const __m512i values = _mm512_loadu_si512(row + 32 * s);
      sums[s] = _mm512_add_epi16(sums[s], _mm512_mulhrs_epi16(values, weight));
    }
  }
  for (int s = 0; s < kSums; ++s) {
    _mm512_storeu_si512(scores + 32 * s, sums[s]);
    largest = _mm512_max_epi16(largest, sums[s]);
  }
  return largest;
}

int16_t largest_of(__m512i values) {
  // The smallest unsigned complement is the largest value: phminposuw finds it among eight.
  const __m256i half = _mm256_max_epi16(_mm512_castsi512_si256(values), _mm512_extracti64x4_epi64(values, 1));
  const __m128i eight = _mm_max_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i smallest = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(0x7fff)));
  return static_cast<int16_t>(_mm_extract_epi16(smallest, 0) ^ 0x7fff);
}

int16_t panel_scores(const int16_t* panel, size_t lanes, const uint32_t* rows, const int16_t* weights, size_t count,
                     int16_t* scores) {
  __m512i largest = _mm512_set1_epi16(INT16_MIN);
  size_t l = 0;
  for (; l + 256 <= lanes; l += 256) largest = score<8>(panel + l, lanes, rows, weights, count, scores + l, largest);
  if ((lanes - l) & 128) {
    largest = score<4>(panel + l, lanes, rows, weights, count, scores + l, largest);
    l += 128;
  }
  if ((lanes - l) & 64) {
    largest = score<2>(panel + l, lanes, rows, weights, count, scores + l, largest);
    l += 64;
  }
  if (l < lanes) largest = score<1>(panel + l, lanes, rows, weights, count, scores + l, largest);
  return largest_of(largest);
}

size_t panel_select(const int16_t* scores, size_t lanes, int16_t threshold, uint32_t* positions) {
  const __m512i least = _mm512_set1_epi16(threshold);
  size_t found = 0;
  for (size_t l = 0; l < lanes; l += 32) {
    uint32_t mask = _mm512_cmpge_epi16_mask(_mm512_loadu_si512(scores + l), least);
    for (; mask != 0; mask &= mask - 1) positions[found++] = static_cast<uint32_t>(l + __builtin_ctz(mask));
  }
  return found;
}

constexpr PanelKernels kTable = {"avx512", panel_scores, panel_select};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const PanelKernels* avx512_panels() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const PanelKernels* avx512_panels() { return nullptr; }

} // namespace farsight

#endif
