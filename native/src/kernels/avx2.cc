// The kernels for AVX2.
#include "../kernels.h"
#include "ratio-kernels.h"

#if defined(__x86_64__)

#include <cstring>

#include "lanes-avx2.h"

#include "begin-avx2.h"

namespace farsight {

namespace {

// Four int8 weights as 16-bit pairs in every 32-bit lane, in the order widened codes come in (see sq8_scan).
__m256i broadcast_weights(const int8_t* weights) {
  int32_t four;
  std::memcpy(&four, weights, sizeof four);
  return _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
}

void sq8_scan(const uint8_t* blocks, size_t count, size_t dims, const int8_t* high, const int8_t* low, float scale,
              float bias, Ahead ahead, float* scores) {
  const size_t rows = dims / 4;
  const __m256 scales = _mm256_set1_ps(scale);
  const __m256 biases = _mm256_set1_ps(bias);
  const __m256 base = _mm256_set1_ps(256.0f);
  Pace pace(ahead, count * rows);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * rows * 64;
    // Accumulator q holds items 4q .. 4q + 3, two 32-bit sums each (dimensions 0, 1 and 2, 3 of a group).
    __m256i highs[4] = {};
    __m256i lows[4] = {};
    for (size_t r = 0; r < rows; ++r) {
      pace.step();
      const __m256i high_weights = broadcast_weights(high + r * 4);
      const __m256i low_weights = broadcast_weights(low + r * 4);
      for (size_t q = 0; q < 4; ++q) {
        const __m256i codes =
          _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + r * 64 + q * 16)));
        highs[q] = _mm256_add_epi32(highs[q], _mm256_madd_epi16(codes, high_weights));
        lows[q] = _mm256_add_epi32(lows[q], _mm256_madd_epi16(codes, low_weights));
      }
    }
    // Items 8h .. 8h + 7 in order: vphaddd leaves 0 1 4 5 2 3 6 7.
    const auto total = [](const __m256i sums[4], size_t h) {
      const __m256i added = _mm256_hadd_epi32(sums[2 * h], sums[2 * h + 1]);
      return _mm256_cvtepi32_ps(_mm256_permute4x64_epi64(added, 0xd8));
    };
    for (size_t h = 0; h < 2; ++h) {
      const __m256 sum = _mm256_add_ps(_mm256_mul_ps(total(highs, h), base), total(lows, h));
      _mm256_storeu_ps(scores + b * kSq8BlockItems + h * 8, _mm256_add_ps(_mm256_mul_ps(scales, sum), biases));
    }
  }
}

// What 32 nibbles look up: byte k of a lane in table k of four, the others masked away. A byte adds |entry| <= 127.
__m256i look_up_nibbles(__m256i nibbles, const int8_t* tables) {
  __m256i found = _mm256_setzero_si256();
  for (int k = 0; k < 4; ++k) {
    const __m128i one = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tables + k * 16));
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffu << (8 * k)));
    const __m256i values = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(one), nibbles);
    found = _mm256_or_si256(found, _mm256_and_si256(values, mask));
  }
  return found;
}

void rabitq_scan(const uint8_t* blocks, size_t count, size_t rows, const int8_t* table, float step, Ahead ahead,
                 float* scores) {
  const size_t stride = kRabitqHeadBytes + rows * 64;
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256 steps = _mm256_set1_ps(step);
  Pace pace(ahead, count * (rows + 1));
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * stride;
    __m256i sums[2] = {};
    pace.step();
    for (size_t r = 0; r < rows; ++r) {
      pace.step();
      for (size_t h = 0; h < 2; ++h) {
        const __m256i codes = load(block + kRabitqHeadBytes + r * 64 + h * 32);
        const __m256i low = look_up_nibbles(_mm256_and_si256(codes, nibble), table + r * 128);
        const __m256i high =
          look_up_nibbles(_mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble), table + r * 128 + 64);
        const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(ones, low), _mm256_maddubs_epi16(ones, high));
        sums[h] = _mm256_add_epi32(sums[h], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      }
    }
    for (size_t h = 0; h < 2; ++h) {
      const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 8 + h * 16));
      const __m256 factors = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
      const __m256 products = _mm256_mul_ps(steps, _mm256_cvtepi32_ps(sums[h]));
      _mm256_storeu_ps(scores + b * kRabitqBlockItems + h * 8, _mm256_mul_ps(factors, products));
    }
  }
}

double sq8_dot(const double* weights, const uint8_t* row, size_t dims) {
  __m256d sums = _mm256_setzero_pd();
  for (size_t d = 0; d < dims; d += 4, row += 64) {
    int32_t codes;
    std::memcpy(&codes, row, sizeof codes);
    const __m256d widened = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(codes)));
    sums = _mm256_add_pd(sums, _mm256_mul_pd(_mm256_loadu_pd(weights + d), widened));
  }
  const __m128d low = _mm256_castpd256_pd128(sums);
  const __m128d high = _mm256_extractf128_pd(sums, 1);
  const __m128d pairs = _mm_hadd_pd(low, high);
  return _mm_cvtsd_f64(pairs) + _mm_cvtsd_f64(_mm_unpackhi_pd(pairs, pairs));
}

void sq8_distance(const uint8_t* blocks, size_t count, size_t dims, const float* step, const float* shift,
                  float* distances) {
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * dims * kSq8BlockItems;
    // Items 0 .. 7 and 8 .. 15, four accumulators each.
    __m256 sums[2][4] = {};
    for (size_t d = 0; d < dims; d += 4) {
      const __m256i codes[2] = {load(block + d * 16), load(block + d * 16 + 32)};
      for (int f = 0; f < 4; ++f) {
        const __m256 steps = _mm256_set1_ps(step[d + f]);
        const __m256 shifts = _mm256_set1_ps(shift[d + f]);
        for (size_t h = 0; h < 2; ++h) {
          const __m256 difference = _mm256_fmadd_ps(steps, bytes_of(codes[h], f), shifts);
          sums[h][f] = _mm256_fmadd_ps(difference, difference, sums[h][f]);
        }
      }
    }
    for (size_t h = 0; h < 2; ++h) {
      const __m256 sum = _mm256_add_ps(_mm256_add_ps(sums[h][0], sums[h][1]), _mm256_add_ps(sums[h][2], sums[h][3]));
      _mm256_storeu_ps(distances + b * kSq8BlockItems + h * 8, sum);
    }
  }
}

size_t select_at_least(const float* scores, size_t n, float threshold, uint32_t* positions) {
  const __m256 thresholds = _mm256_set1_ps(threshold);
  size_t found = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 reached = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), thresholds, _CMP_GE_OQ);
    for (uint32_t mask = static_cast<uint32_t>(_mm256_movemask_ps(reached)); mask != 0; mask &= mask - 1) {
      positions[found++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(mask));
    }
  }
  for (; i < n; ++i) {
    positions[found] = static_cast<uint32_t>(i);
    found += scores[i] >= threshold;
  }
  return found;
}

// All ones in the first `present` of eight lanes (none when it is negative).
__m256i first_lanes(int present) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(present), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

float dot(const float* x, const float* y, size_t n) {
  __m256 sums[4] = {};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (size_t k = 0; k < 4; ++k) {
      sums[k] = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + k * 8), _mm256_loadu_ps(y + i + k * 8), sums[k]);
    }
  }
  for (size_t k = 0; i < n; ++k, i += 8) {
    // Lanes past the end keep their sum untouched: adding a zero product could turn -0 into +0.
    const __m256i present = first_lanes(n - i < 8 ? static_cast<int>(n - i) : 8);
    const __m256 sum = _mm256_fmadd_ps(_mm256_maskload_ps(x + i, present), _mm256_maskload_ps(y + i, present), sums[k]);
    sums[k] = _mm256_blendv_ps(sums[k], sum, _mm256_castsi256_ps(present));
  }
  const __m256 eight = _mm256_add_ps(_mm256_add_ps(sums[0], sums[2]), _mm256_add_ps(sums[1], sums[3]));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

void axpy(float a, const float* x, float* y, size_t n) {
  const __m256 factor = _mm256_set1_ps(a);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(y + i, _mm256_fmadd_ps(factor, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
  }
  if (i < n) {
    const __m256i present = first_lanes(static_cast<int>(n - i));
    const __m256 sum = _mm256_fmadd_ps(factor, _mm256_maskload_ps(x + i, present), _mm256_maskload_ps(y + i, present));
    _mm256_maskstore_ps(y + i, present, sum);
  }
}

void panel_distance(const float* panel, const float* query, size_t dims, float* out) {
  __m256 first = _mm256_setzero_ps();
  __m256 second = _mm256_setzero_ps();
  for (size_t d = 0; d < dims; ++d) {
    const __m256 value = _mm256_set1_ps(query[d]);
    const __m256 low = _mm256_sub_ps(_mm256_loadu_ps(panel + 16 * d), value);
    const __m256 high = _mm256_sub_ps(_mm256_loadu_ps(panel + 16 * d + 8), value);
    first = _mm256_fmadd_ps(low, low, first);
    second = _mm256_fmadd_ps(high, high, second);
  }
  _mm256_storeu_ps(out, first);
  _mm256_storeu_ps(out + 8, second);
}

constexpr Kernels kTable = {
  "avx2", ratio_scan_avx2, sq8_scan, rabitq_scan, sq8_dot, ratio_distance_avx2,
  sq8_distance, select_at_least, dot, axpy, panel_distance,
};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const Kernels* avx2_kernels() {
  static const bool runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return runs ? &kTable : nullptr;
}

} // namespace farsight

#else

namespace farsight {

const Kernels* avx2_kernels() { return nullptr; }

} // namespace farsight

#endif
