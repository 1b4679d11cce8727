// The kernels of ratio blocks for AVX-512.
#include "ratio-kernels.h"

#if defined(__x86_64__)

#include "lanes-avx512.h"
#include "ratio-forms.h"
#include "ratio-tables-avx512.h"

#include "begin-avx512.h"

namespace farsight {

namespace {

template <typename Table>
void scan(const uint8_t* blocks, size_t count, size_t chunks, const Table table, float scale, float bias,
          float* scores) {
  constexpr size_t kUpper = Table::kUpperBytes;
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t fours = chunks & ~size_t{3};
  const __m512 scales = _mm512_set1_ps(scale);
  const __m512 biases = _mm512_set1_ps(bias);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    __m512i sum0 = _mm512_setzero_si512();
    __m512i sum1 = sum0;
    __m512i sum2 = sum0;
    __m512i sum3 = sum0;
    const auto weights = [&](size_t c) { return table.weights(low + c * 64, upper + c * kUpper); };
    const auto value = [&](size_t c) { return _mm512_loadu_si512(values + c * 64); };
    size_t c = 0;
    for (; c < fours; c += 4) {
      sum0 = _mm512_dpbusd_epi32(sum0, value(c), weights(c));
      sum1 = _mm512_dpbusd_epi32(sum1, value(c + 1), weights(c + 1));
      sum2 = _mm512_dpbusd_epi32(sum2, value(c + 2), weights(c + 2));
      sum3 = _mm512_dpbusd_epi32(sum3, value(c + 3), weights(c + 3));
    }
    if (chunks & 2) {
      const __m512i first = weights(c);
      const __m512i second = weights(c + 1);
      sum0 = _mm512_dpbusd_epi32(sum0, _mm512_maskz_loadu_epi8(0x3333333333333333, values + c * 64), first);
      sum1 = _mm512_dpbusd_epi32(sum1, _mm512_maskz_loadu_epi8(0xcccccccccccccccc, values + c * 64), first);
      c += 1;
      sum2 = _mm512_dpbusd_epi32(sum2, _mm512_maskz_loadu_epi8(0x3333333333333333, values + c * 64), second);
      sum3 = _mm512_dpbusd_epi32(sum3, _mm512_maskz_loadu_epi8(0xcccccccccccccccc, values + c * 64), second);
      c += 1;
    }
    if (chunks & 1) {
      const __m512i single = weights(c);
      sum0 = _mm512_dpbusd_epi32(sum0, _mm512_maskz_loadu_epi8(0x1111111111111111, values + c * 64), single);
      sum1 = _mm512_dpbusd_epi32(sum1, _mm512_maskz_loadu_epi8(0x2222222222222222, values + c * 64), single);
      sum2 = _mm512_dpbusd_epi32(sum2, _mm512_maskz_loadu_epi8(0x4444444444444444, values + c * 64), single);
      sum3 = _mm512_dpbusd_epi32(sum3, _mm512_maskz_loadu_epi8(0x8888888888888888, values + c * 64), single);
    }
    const auto store = [&](size_t t, __m512i sum) {
      const __m512 product = _mm512_mul_ps(scales, _mm512_cvtepi32_ps(sum));
      _mm512_storeu_ps(scores + b * kRatioBlockItems + t * kLanes, _mm512_add_ps(product, biases));
    };
    store(0, sum0);
    store(1, sum1);
    store(2, sum2);
    store(3, sum3);
  }
}

template <IdForm kForm>
void distance(const uint8_t* blocks, size_t count, size_t chunks, const float* twice, float step, float norm,
              float* distances) {
  constexpr size_t kUpper = upper_bytes_of(kForm);
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t fours = chunks & ~size_t{3};
  const size_t pairs = chunks & ~size_t{1};
  const __m512 steps = _mm512_set1_ps(step);
  const __m512 norms = _mm512_set1_ps(norm);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    __m512 sums[4] = {};
    // Adds byte f of a chunk's lanes to sums[accumulator(f)], f ascending.
    const auto add_chunk = [&](size_t c, auto accumulator) {
      const __m512i low_bytes = _mm512_loadu_si512(low + c * 64);
      const __m512i value_bytes = _mm512_loadu_si512(values + c * 64);
      __m512i upper_bytes = _mm512_setzero_si512();
      if constexpr (kForm == IdForm::kWord) upper_bytes = _mm512_loadu_si512(upper + c * kUpper);
      if constexpr (kForm == IdForm::kTenBit) {
        const __mmask64 bit8 = load_mask(upper + c * kUpper);
        const __mmask64 bit9 = load_mask(upper + c * kUpper + 8);
        upper_bytes = _mm512_or_si512(_mm512_maskz_set1_epi8(bit8, 1), _mm512_maskz_set1_epi8(bit9, 2));
      }
      for (int f = 0; f < 4; ++f) {
        __m512i ids = bytes_of(low_bytes, f);
        if constexpr (kForm != IdForm::kByte) ids = _mm512_or_si512(ids, bytes_of(upper_bytes, f, 1));
        const __m512 value = _mm512_mul_ps(steps, _mm512_cvtepi32_ps(bytes_of(value_bytes, f)));
        const __m512 factor = _mm512_sub_ps(value, _mm512_i32gather_ps(ids, twice, 4));
        sums[accumulator(f)] = _mm512_fmadd_ps(value, factor, sums[accumulator(f)]);
      }
    };
    for (size_t c = 0; c < fours; c += 4) {
      for (size_t t = 0; t < 4; ++t) add_chunk(c + t, [t](int) { return t; });
    }
    if (pairs > fours) {
      add_chunk(fours, [](int f) { return f / 2; });
      add_chunk(fours + 1, [](int f) { return 2 + f / 2; });
    }
    if (chunks > pairs) add_chunk(pairs, [](int f) { return f; });
    for (size_t t = 0; t < 4; ++t) {
      // vmaxps returns its second operand where the first is not larger: a NaN stays.
      const __m512 clamped = _mm512_max_ps(_mm512_setzero_ps(), _mm512_add_ps(norms, sums[t]));
      _mm512_storeu_ps(distances + b * kRatioBlockItems + t * kLanes, clamped);
    }
  }
}

} // namespace

void ratio_scan_avx512(const uint8_t* blocks, size_t count, RatioShape shape, const int8_t* table, float scale,
                       float bias, float* scores) {
  with_table(shape, table, [&](const auto& lookup) {
    scan(blocks, count, shape.features, lookup, scale, bias, scores);
  });
}

void ratio_distance_avx512(const uint8_t* blocks, size_t count, RatioShape shape, const float* twice, float step,
                           float norm, float* distances) {
  with_form(shape.id_form, [&](auto form) {
    distance<decltype(form)::value>(blocks, count, shape.features, twice, step, norm, distances);
  });
}

} // namespace farsight

#include "end-isa.h"

#endif
