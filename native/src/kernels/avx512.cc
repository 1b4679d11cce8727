// The kernels for AVX-512.
#include "../kernels.h"
#include "ratio-kernels.h"

#if defined(__x86_64__)

#include <cstring>

#include "lanes-avx512.h"

#include "begin-avx512.h"

namespace farsight {

namespace {

void sq8_scan(const uint8_t* blocks, size_t count, size_t dims, const int8_t* high, const int8_t* low, float scale,
              float bias, Ahead ahead, float* scores) {
  const size_t rows = dims / 4;
  const __m512 scales = _mm512_set1_ps(scale);
  const __m512 biases = _mm512_set1_ps(bias);
  const __m512 base = _mm512_set1_ps(256.0f);
  const auto weights = [](const int8_t* of) {
    int32_t four;
    std::memcpy(&four, of, sizeof four);
    return _mm512_set1_epi32(four);
  };
  Pace pace(ahead, count * rows);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * rows * 64;
    // Four chains per sum hide the latency of vpdpbusd; one block at a time keeps the reads one sequential stream.
    __m512i highs[4] = {};
    __m512i lows[4] = {};
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      for (size_t k = 0; k < 4; ++k) {
        const __m512i codes = _mm512_loadu_si512(block + (r + k) * 64);
        pace.step();
        highs[k] = _mm512_dpbusd_epi32(highs[k], codes, weights(high + (r + k) * 4));
        lows[k] = _mm512_dpbusd_epi32(lows[k], codes, weights(low + (r + k) * 4));
      }
    }
    for (; r < rows; ++r) {
      const __m512i codes = _mm512_loadu_si512(block + r * 64);
      pace.step();
      highs[0] = _mm512_dpbusd_epi32(highs[0], codes, weights(high + r * 4));
      lows[0] = _mm512_dpbusd_epi32(lows[0], codes, weights(low + r * 4));
    }
    const auto total = [](const __m512i sums[4]) {
      return _mm512_cvtepi32_ps(
        _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3])));
    };
    const __m512 sum = _mm512_add_ps(_mm512_mul_ps(total(highs), base), total(lows));
    _mm512_storeu_ps(scores + b * kSq8BlockItems, _mm512_add_ps(_mm512_mul_ps(scales, sum), biases));
  }
}

// vpermb looks up 64 bytes at a time: byte k of a lane takes its value from table k of the four that lie side by side.
void rabitq_scan(const uint8_t* blocks, size_t count, size_t rows, const int8_t* table, float step, Ahead ahead,
                 float* scores) {
  const size_t stride = kRabitqHeadBytes + rows * 64;
  Pace pace(ahead, count * (rows + 1));
  const __m512i nibble = _mm512_set1_epi8(0x0f);
  const __m512i tables = _mm512_set1_epi32(0x30201000);
  const __m512i ones = _mm512_set1_epi8(1);
  const __m512 steps = _mm512_set1_ps(step);
  constexpr int kAndOr = 0xea; // (a & b) | c
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* block = blocks + b * stride;
    pace.step();
    const uint8_t* bytes = block + kRabitqHeadBytes;
    __m512i sums[4] = {};
    const auto add = [&](size_t r, __m512i& low_sum, __m512i& high_sum) {
      const __m512i codes = _mm512_loadu_si512(bytes + r * 64);
      pace.step();
      const __m512i low = _mm512_ternarylogic_epi32(codes, nibble, tables, kAndOr);
      const __m512i high = _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), nibble, tables, kAndOr);
      const __m512i low_table = _mm512_loadu_si512(table + r * 128);
      const __m512i high_table = _mm512_loadu_si512(table + r * 128 + 64);
      low_sum = _mm512_dpbusd_epi32(low_sum, ones, _mm512_permutexvar_epi8(low, low_table));
      high_sum = _mm512_dpbusd_epi32(high_sum, ones, _mm512_permutexvar_epi8(high, high_table));
    };
    size_t r = 0;
    for (; r + 2 <= rows; r += 2) {
      add(r, sums[0], sums[1]);
      add(r + 1, sums[2], sums[3]);
    }
    if (r < rows) add(r, sums[0], sums[1]);
    const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 8));
    const __m512 factors = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
    const __m512 products = _mm512_mul_ps(steps, _mm512_cvtepi32_ps(sum));
    _mm512_storeu_ps(scores + b * kRabitqBlockItems, _mm512_mul_ps(factors, products));
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
    __m512 sums[4] = {};
    for (size_t d = 0; d < dims; d += 4) {
      const __m512i codes = _mm512_loadu_si512(block + d * 16);
      for (int f = 0; f < 4; ++f) {
        const __m512 code = _mm512_cvtepi32_ps(bytes_of(codes, f));
        const __m512 difference = _mm512_fmadd_ps(_mm512_set1_ps(step[d + f]), code, _mm512_set1_ps(shift[d + f]));
        sums[f] = _mm512_fmadd_ps(difference, difference, sums[f]);
      }
    }
    const __m512 sum = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
    _mm512_storeu_ps(distances + b * kSq8BlockItems, sum);
  }
}

size_t select_at_least(const float* scores, size_t n, float threshold, uint32_t* positions) {
  const __m512 thresholds = _mm512_set1_ps(threshold);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0;
  // Compressing in a register and storing all of it beats the compressing store; positions has room for it.
  const auto keep = [&](__mmask16 mask, size_t i) {
    const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(i)));
    _mm512_storeu_si512(positions + found, _mm512_maskz_compress_epi32(mask, at));
    found += static_cast<size_t>(__builtin_popcount(mask));
  };
  const auto at_least = [&](size_t i) {
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), thresholds, _CMP_GE_OQ);
  };
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const __mmask16 masks[4] = {at_least(i), at_least(i + 16), at_least(i + 32), at_least(i + 48)};
    if ((masks[0] | masks[1] | masks[2] | masks[3]) == 0) continue;
    for (size_t k = 0; k < 4; ++k) keep(masks[k], i + k * 16);
  }
  for (; i < n; i += 16) {
    const __mmask16 present = n - i < 16 ? static_cast<__mmask16>((1u << (n - i)) - 1) : 0xffff;
    const __m512 loaded = _mm512_maskz_loadu_ps(present, scores + i);
    keep(_mm512_mask_cmp_ps_mask(present, loaded, thresholds, _CMP_GE_OQ), i);
  }
  return found;
}

float dot(const float* x, const float* y, size_t n) {
  __m512 first = _mm512_setzero_ps();
  __m512 second = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    first = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), first);
    second = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16), second);
  }
  if (i < n) {
    // Lanes past the end keep their sum untouched: adding a zero product could turn -0 into +0.
    const uint32_t present = (1u << (n - i)) - 1;
    const __mmask16 low = static_cast<__mmask16>(present);
    const __mmask16 high = static_cast<__mmask16>(present >> 16);
    first = _mm512_mask3_fmadd_ps(_mm512_maskz_loadu_ps(low, x + i), _mm512_maskz_loadu_ps(low, y + i), first, low);
    second = _mm512_mask3_fmadd_ps(_mm512_maskz_loadu_ps(high, x + i + 16), _mm512_maskz_loadu_ps(high, y + i + 16),
                                   second, high);
  }
  const __m512 sixteen = _mm512_add_ps(first, second);
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen), _mm512_extractf32x8_ps(sixteen, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

void axpy(float a, const float* x, float* y, size_t n) {
  const __m512 factor = _mm512_set1_ps(a);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm512_storeu_ps(y + i, _mm512_fmadd_ps(factor, _mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i)));
  }
  if (i < n) {
    const __mmask16 present = static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m512 sum = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(present, x + i),
                                       _mm512_maskz_loadu_ps(present, y + i));
    _mm512_mask_storeu_ps(y + i, present, sum);
  }
}

void panel_distance(const float* panel, const float* query, size_t dims, float* out) {
  __m512 sum = _mm512_setzero_ps();
  for (size_t d = 0; d < dims; ++d) {
    const __m512 difference = _mm512_sub_ps(_mm512_loadu_ps(panel + 16 * d), _mm512_set1_ps(query[d]));
    sum = _mm512_fmadd_ps(difference, difference, sum);
  }
  _mm512_storeu_ps(out, sum);
}

constexpr Kernels kTable = {
  "avx512", ratio_scan_avx512, sq8_scan, rabitq_scan, sq8_dot, ratio_distance_avx512,
  sq8_distance, select_at_least, dot, axpy, panel_distance,
};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const Kernels* avx512_kernels() {
  static const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
                           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  return runs ? &kTable : nullptr;
}

} // namespace farsight

#else

namespace farsight {

const Kernels* avx512_kernels() { return nullptr; }

} // namespace farsight

#endif
