// The kernels of ratio blocks for AVX2.
#include "ratio-kernels.h"

#if defined(__x86_64__)

#include <cstring>

#include "lanes-avx2.h"
#include "ratio-forms.h"

#include "begin-avx2.h"

namespace farsight {

namespace {

// Half a chunk (eight 32-bit lanes) widened to 16 bits: [0] holds bytes 0 and 1 of every lane, [1] bytes 2 and 3.
// Products go through vpmaddwd: vpmaddubsw would saturate at 255 * 127 * 2.
struct Half {
  __m256i weights[2];
  __m256i values[2];
};

__m256i low_words(__m256i lanes) { return _mm256_and_si256(lanes, _mm256_set1_epi32(0xffff)); }

__m256i high_words(__m256i lanes) { return _mm256_andnot_si256(_mm256_set1_epi32(0xffff), lanes); }

// The ids in byte f of eight lanes. upper: their high bytes; bit8, bit9: the planes, byte f of lane l in bit 4l + f.
template <IdForm kForm>
__m256i ids_of(__m256i low, __m256i upper, uint32_t bit8, uint32_t bit9, int f) {
  const __m256i byte = _mm256_set1_epi32(0xff);
  const __m256i ids = _mm256_and_si256(_mm256_srli_epi32(low, 8 * f), byte);
  if constexpr (kForm == IdForm::kWord) {
    return _mm256_or_si256(ids, _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(upper, 8 * f), byte), 8));
  } else if constexpr (kForm == IdForm::kTenBit) {
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i eight = _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(bit8 >> f)), shifts);
    const __m256i nine = _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(bit9 >> f)), shifts);
    return _mm256_or_si256(ids, _mm256_or_si256(_mm256_slli_epi32(_mm256_and_si256(eight, one), 8),
                                                _mm256_slli_epi32(_mm256_and_si256(nine, one), 9)));
  } else {
    return ids;
  }
}

template <IdForm kForm>
Half load_half(const uint8_t* low, const uint8_t* values, const uint8_t* upper, size_t half, const int8_t* table) {
  const __m256i low_bytes = load(low + half * 32);
  __m256i upper_bytes = _mm256_setzero_si256();
  uint32_t bit8 = 0;
  uint32_t bit9 = 0;
  if constexpr (kForm == IdForm::kWord) upper_bytes = load(upper + half * 32);
  if constexpr (kForm == IdForm::kTenBit) {
    std::memcpy(&bit8, upper + half * 4, sizeof bit8);
    std::memcpy(&bit9, upper + 8 + half * 4, sizeof bit9);
  }
  const __m256i value_bytes = load(values + half * 32);
  const __m256i byte = _mm256_set1_epi32(0xff);
  Half result;
  for (int p = 0; p < 2; ++p) {
    // The gathered byte is the lowest of four: move it to the top of its word, then shift its sign back down.
    const auto weight = [&](int f) {
      const __m256i ids = ids_of<kForm>(low_bytes, upper_bytes, bit8, bit9, f);
      return _mm256_slli_epi32(_mm256_i32gather_epi32(reinterpret_cast<const int*>(table), ids, 1), 24);
    };
    const __m256i even = weight(2 * p);
    const __m256i odd = weight(2 * p + 1);
    result.weights[p] = _mm256_srai_epi16(_mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa), 8);
    const __m256i pair = _mm256_srli_epi32(value_bytes, 16 * p);
    result.values[p] = _mm256_or_si256(_mm256_and_si256(pair, byte),
                                       _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(pair, 8), byte), 16));
  }
  return result;
}

template <IdForm kForm>
void scan(const uint8_t* blocks, size_t count, size_t chunks, const int8_t* table, float scale, float bias,
          float* scores) {
  constexpr size_t kUpper = upper_bytes_of(kForm);
  const size_t stride = chunks * (128 + kUpper);
  const size_t ahead = scan_ahead(count);
  const size_t fours = chunks & ~size_t{3};
  const size_t pairs = chunks & ~size_t{1};
  const __m256 scales = _mm256_set1_ps(scale);
  const __m256 biases = _mm256_set1_ps(bias);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    for (size_t half = 0; half < 2; ++half) {
      __m256i sums[4] = {};
      const auto add = [&](size_t t, __m256i weights, __m256i of) {
        sums[t] = _mm256_add_epi32(sums[t], _mm256_madd_epi16(weights, of));
      };
      const auto load_chunk = [&](size_t c) {
        return load_half<kForm>(low + c * 64, values + c * 64, upper + c * kUpper, half, table);
      };
      for (size_t c = 0; c < fours; ++c) {
        const Half chunk = load_chunk(c);
        add(c % 4, chunk.weights[0], chunk.values[0]);
        add(c % 4, chunk.weights[1], chunk.values[1]);
      }
      for (size_t c = fours; c < pairs; ++c) {
        const Half chunk = load_chunk(c);
        add((c - fours) * 2, chunk.weights[0], chunk.values[0]);
        add((c - fours) * 2 + 1, chunk.weights[1], chunk.values[1]);
      }
      if (chunks > pairs) {
        const Half chunk = load_chunk(pairs);
        for (size_t p = 0; p < 2; ++p) {
          add(2 * p, low_words(chunk.weights[p]), chunk.values[p]);
          add(2 * p + 1, high_words(chunk.weights[p]), chunk.values[p]);
        }
      }
      for (size_t t = 0; t < 4; ++t) {
        const __m256 product = _mm256_mul_ps(scales, _mm256_cvtepi32_ps(sums[t]));
        _mm256_storeu_ps(scores + b * kRatioBlockItems + t * kLanes + half * 8, _mm256_add_ps(product, biases));
      }
    }
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
  const __m256 steps = _mm256_set1_ps(step);
  const __m256 norms = _mm256_set1_ps(norm);
  for (size_t b = 0; b < count; ++b) {
    const uint8_t* low = blocks + b * stride;
    if (ahead != 0) prefetch_lines(low + ahead, stride);
    const uint8_t* values = low + chunks * 64;
    const uint8_t* upper = values + chunks * 64;
    for (size_t half = 0; half < 2; ++half) {
      __m256 sums[4] = {};
      // Adds byte f of a chunk's lanes to sums[accumulator(f)], f ascending.
      const auto add_chunk = [&](size_t c, auto accumulator) {
        const __m256i low_bytes = load(low + c * 64 + half * 32);
        const __m256i value_bytes = load(values + c * 64 + half * 32);
        __m256i upper_bytes = _mm256_setzero_si256();
        uint32_t bit8 = 0;
        uint32_t bit9 = 0;
        if constexpr (kForm == IdForm::kWord) upper_bytes = load(upper + c * kUpper + half * 32);
        if constexpr (kForm == IdForm::kTenBit) {
          std::memcpy(&bit8, upper + c * kUpper + half * 4, sizeof bit8);
          std::memcpy(&bit9, upper + c * kUpper + 8 + half * 4, sizeof bit9);
        }
        for (int f = 0; f < 4; ++f) {
          const __m256i ids = ids_of<kForm>(low_bytes, upper_bytes, bit8, bit9, f);
          const __m256 value = _mm256_mul_ps(steps, bytes_of(value_bytes, f));
          const __m256 factor = _mm256_sub_ps(value, _mm256_i32gather_ps(twice, ids, 4));
          sums[accumulator(f)] = _mm256_fmadd_ps(value, factor, sums[accumulator(f)]);
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
        const __m256 clamped = _mm256_max_ps(_mm256_setzero_ps(), _mm256_add_ps(norms, sums[t]));
        _mm256_storeu_ps(distances + b * kRatioBlockItems + t * kLanes + half * 8, clamped);
      }
    }
  }
}

} // namespace

void ratio_scan_avx2(const uint8_t* blocks, size_t count, RatioShape shape, const int8_t* table, float scale,
                     float bias, float* scores) {
  with_form(shape.id_form, [&](auto form) {
    scan<decltype(form)::value>(blocks, count, shape.features, table, scale, bias, scores);
  });
}

void ratio_distance_avx2(const uint8_t* blocks, size_t count, RatioShape shape, const float* twice, float step,
                         float norm, float* distances) {
  with_form(shape.id_form, [&](auto form) {
    distance<decltype(form)::value>(blocks, count, shape.features, twice, step, norm, distances);
  });
}

} // namespace farsight

#include "end-isa.h"

#endif
