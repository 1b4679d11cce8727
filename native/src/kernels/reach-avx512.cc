// The scan above a threshold for AVX-512.
#include "../reach.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cmath>

#include "ratio-tables-avx512.h"

#include "begin-avx512.h"

namespace farsight {

namespace {

// No sum below it has a score that reaches the threshold. A score is float(float(scale * sum) + bias); its two roundings
// move it by less than 2^-22 (|threshold| + |bias|) where it is near the threshold, and by a part of `scale` where it is too
// small for a normal float.
int32_t least_sum(const RatioScan& scan, float threshold) {
  if (!(scan.scale > 0)) return INT32_MIN;
  const double bias = static_cast<double>(scan.bias), reach = static_cast<double>(threshold);
  const double rounding = std::ldexp(std::fabs(reach) + std::fabs(bias), -20);
  const double least = std::floor((reach - bias - rounding) / static_cast<double>(scan.scale)) - 2;
  return static_cast<int32_t>(std::clamp<double>(least, INT32_MIN, INT32_MAX));
}

// Adds the products of the chunks from `c` on to the sums of the four accumulators.
template <typename Weights>
void add_chunks(size_t c, size_t chunks, const uint8_t* values, const Weights& weights, __m512i sums[4]) {
  const auto value = [&](size_t chunk) { return _mm512_loadu_si512(values + chunk * 64); };
  const auto some = [&](size_t chunk, __mmask64 bytes) { return _mm512_maskz_loadu_epi8(bytes, values + chunk * 64); };
  for (; c + 4 <= chunks; c += 4) {
    for (size_t t = 0; t < 4; ++t) sums[t] = _mm512_dpbusd_epi32(sums[t], value(c + t), weights(c + t));
  }
  if (chunks & 2) {
    for (size_t p = 0; p < 4; p += 2, ++c) {
      const __m512i pair = weights(c);
      sums[p] = _mm512_dpbusd_epi32(sums[p], some(c, 0x3333333333333333), pair);
      sums[p + 1] = _mm512_dpbusd_epi32(sums[p + 1], some(c, 0xcccccccccccccccc), pair);
    }
  }
  if (chunks & 1) {
    const __m512i single = weights(c);
    for (size_t t = 0; t < 4; ++t) sums[t] = _mm512_dpbusd_epi32(sums[t], some(c, 0x1111111111111111 << t), single);
  }
}

bool any_at_least(__m512i least, const __m512i sums[4]) {
  const __m512i most = _mm512_max_epi32(_mm512_max_epi32(sums[0], sums[1]), _mm512_max_epi32(sums[2], sums[3]));
  return _mm512_cmpge_epi32_mask(most, least) != 0;
}

// The look-ups are most of the work. Those of the first four features are made; with the largest weight for all others the
// sums are upper bounds, and a block in which none of them reaches the threshold is done.
template <typename Table>
size_t reach(const uint8_t* blocks, size_t count, const RatioScan& scan, const Table table, float threshold,
             uint32_t* positions, float* scores) {
  constexpr size_t kUpper = Table::kUpperBytes;
  const size_t chunks = scan.shape.features;
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t bounded = chunks > 4 ? 4 : 0;
  const __m512 scales = _mm512_set1_ps(scan.scale);
  const __m512 biases = _mm512_set1_ps(scan.bias);
  const __m512 thresholds = _mm512_set1_ps(threshold);
  const __m512i least = _mm512_set1_epi32(least_sum(scan, threshold));
  const __m512i largest = _mm512_set1_epi8(scan.largest);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0;
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    const auto weights = [&](size_t c) { return table.weights(low + c * 64, upper + c * kUpper); };
    __m512i sums[4] = {};
    if (bounded != 0) {
      add_chunks(0, bounded, values, weights, sums);
      __m512i bounds[4] = {sums[0], sums[1], sums[2], sums[3]};
      add_chunks(bounded, chunks, values, [&](size_t) { return largest; }, bounds);
      if (!any_at_least(least, bounds)) continue;
    }
    add_chunks(bounded, chunks, values, weights, sums);
    if (!any_at_least(least, sums)) continue;
    for (size_t t = 0; t < 4; ++t) {
      const __m512 score = _mm512_add_ps(_mm512_mul_ps(scales, _mm512_cvtepi32_ps(sums[t])), biases);
      const __mmask16 mask = _mm512_cmp_ps_mask(score, thresholds, _CMP_GE_OQ);
      const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(b * kRatioBlockItems + t * kLanes)));
      // Compressing in a register and storing all of it beats the compressing store.
      _mm512_storeu_si512(positions + found, _mm512_maskz_compress_epi32(mask, at));
      _mm512_storeu_ps(scores + found, _mm512_maskz_compress_ps(mask, score));
      found += static_cast<size_t>(__builtin_popcount(mask));
    }
  }
  return found;
}

size_t ratio_reach(const uint8_t* blocks, size_t count, const RatioScan& scan, float threshold, uint32_t* positions,
                   float* scores) {
  return with_table(scan.shape, scan.table, [&](const auto& lookup) {
    return reach(blocks, count, scan, lookup, threshold, positions, scores);
  });
}

constexpr ReachKernels kTable = {"avx512", ratio_reach};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const ReachKernels* avx512_reach() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const ReachKernels* avx512_reach() { return nullptr; }

} // namespace farsight

#endif
