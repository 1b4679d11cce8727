// The fine scan for AVX-512; see avx512.cc for what that means.
#include "../fine.h"

#if defined(__x86_64__)

#include <algorithm>

#include "ratio-tables-avx512.h"

#include "begin-avx512.h"

namespace farsight {

namespace {

// The rests of 16 slots, from bit `bit` of the section on, `stride` bits apart. Those that fit a word with the bits before
// them are read once for all features.
struct Rests {
  const uint8_t* refine;
  size_t bit;
  uint32_t stride, low_bits;
  __mmask16 present;
  bool together = stride + 7 <= 32;
  __m512i fields = {};

  __m512i read(size_t from) const {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i bits = _mm512_add_epi32(_mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(stride))),
                                          _mm512_set1_epi32(static_cast<int>(from % 8)));
    const __m512i words = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), present, _mm512_srli_epi32(bits, 3),
                                                      refine + from / 8, 1);
    return _mm512_srlv_epi32(words, _mm512_and_si512(bits, _mm512_set1_epi32(7)));
  }

  // Its sign bit goes to the top and comes back down.
  __m512i of(uint32_t feature) const {
    const uint32_t before = feature * low_bits;
    const __m512i from = together ? _mm512_srl_epi32(fields, _mm_cvtsi32_si128(static_cast<int>(before))) : read(bit + before);
    const __m128i above = _mm_cvtsi32_si128(static_cast<int>(32 - low_bits));
    return _mm512_sra_epi32(_mm512_sll_epi32(from, above), above);
  }
};

// Adds the products of features [j, j + kRun) of the 16 slots whose codes are in chunk `c`, from byte `byte` of every word on.
template <IdForm form, uint32_t kRun>
__m512 add_run(size_t c, uint32_t byte, uint32_t j, const uint8_t* low, size_t chunks, const FineScan& scan,
               const Rests& rests, __m512 sum) {
  const uint8_t* values = low + chunks * 64;
  const __m512i mask = _mm512_set1_epi32(255);
  const __m512i ids = _mm512_loadu_si512(low + c * 64), highs = _mm512_loadu_si512(values + c * 64);
  uint64_t planes[2] = {0, 0};
  if constexpr (form == IdForm::kTenBit) {
    planes[0] = load_mask(values + chunks * 64 + c * 16);
    planes[1] = load_mask(values + chunks * 64 + c * 16 + 8);
  }
  for (uint32_t f = 0; f < kRun; ++f) {
    const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(8 * (byte + f)));
    __m512i id = _mm512_and_si512(_mm512_srl_epi32(ids, shift), mask);
    if constexpr (form == IdForm::kTenBit) {
      const uint64_t bits = 0x1111111111111111u << (byte + f);
      id = _mm512_mask_or_epi32(id, static_cast<__mmask16>(_pext_u64(planes[0], bits)), id, _mm512_set1_epi32(256));
      id = _mm512_mask_or_epi32(id, static_cast<__mmask16>(_pext_u64(planes[1], bits)), id, _mm512_set1_epi32(512));
    }
    __m512i code = _mm512_and_si512(_mm512_srl_epi32(highs, shift), mask);
    if (scan.low_bits != 0) {
      code = _mm512_add_epi32(_mm512_sll_epi32(code, _mm_cvtsi32_si128(static_cast<int>(scan.low_bits))), rests.of(j + f));
      code = _mm512_max_epi32(code, _mm512_setzero_si512());
    }
    sum = _mm512_fmadd_ps(_mm512_i32gather_ps(id, scan.weights, 4), _mm512_cvtepi32_ps(code), sum);
  }
  return sum;
}

template <IdForm form>
void fine(const uint8_t* blocks, const uint8_t* refine, size_t first, size_t end, const FineScan& scan, float* scores) {
  const uint32_t features = scan.shape.features;
  const uint32_t fours = features & ~3u, pairs = features & ~1u, stride = features * scan.low_bits;
  const size_t block_bytes = features * size_t{form == IdForm::kTenBit ? 144 : 128};
  for (size_t slot = first; slot < end; slot += kLanes) {
    const uint8_t* low = blocks + slot / kRatioBlockItems * block_bytes;
    const uint32_t t = static_cast<uint32_t>(slot % kRatioBlockItems / kLanes);
    const size_t left = std::min(end - slot, kLanes);
    Rests rests{refine, slot * stride, stride, scan.low_bits, static_cast<__mmask16>((1u << left) - 1)};
    if (stride != 0 && rests.together) rests.fields = rests.read(rests.bit);
    __m512 sum = _mm512_setzero_ps();
    for (uint32_t j = 0; j < fours; j += 4) sum = add_run<form, 4>(j + t, 0, j, low, features, scan, rests, sum);
    if (fours < pairs) sum = add_run<form, 2>(fours + t / 2, t % 2 * 2, fours, low, features, scan, rests, sum);
    if (pairs < features) sum = add_run<form, 1>(pairs, t, pairs, low, features, scan, rests, sum);
    const __m512 score = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(scan.scale), sum), _mm512_set1_ps(scan.bias));
    _mm512_storeu_ps(scores + (slot - first), score);
  }
}

void scan_fine(const uint8_t* blocks, const uint8_t* refine, size_t first, size_t end, const FineScan& scan,
               float* scores) {
  if (scan.shape.id_form == IdForm::kByte) return fine<IdForm::kByte>(blocks, refine, first, end, scan, scores);
  return fine<IdForm::kTenBit>(blocks, refine, first, end, scan, scores);
}

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

RatioFine avx512_fine() { return avx512_kernels() == nullptr ? nullptr : &scan_fine; }

} // namespace farsight

#else

namespace farsight {

RatioFine avx512_fine() { return nullptr; }

} // namespace farsight

#endif
