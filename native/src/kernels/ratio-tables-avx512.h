// Look-ups of weights by the ids of ratio codes, for the kernels that run AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../kernels.h"

#include "begin-avx512.h"

namespace farsight {

// Every file has its own, so that the linker merges none of them with code for another instruction set.
namespace {

uint64_t load_mask(const uint8_t* bytes) {
  uint64_t mask;
  std::memcpy(&mask, bytes, sizeof mask);
  return mask;
}

// The weights of 64 ids from a table of kPages * 128 entries held in registers: vpermi2b looks up the low seven bits
// in every page, the id bits from 7 up choose among the results.
template <int kPages>
struct PagedTable {
  __m512i half[kPages * 2];

  explicit PagedTable(const int8_t* table) {
    for (int p = 0; p < kPages * 2; ++p) half[p] = _mm512_loadu_si512(table + p * 64);
  }

  __m512i page(__m512i ids, int p) const { return _mm512_permutex2var_epi8(half[2 * p], ids, half[2 * p + 1]); }
  __m512i two_pages(__m512i ids, __mmask64 bit7, int p) const {
    return _mm512_mask_blend_epi8(bit7, page(ids, p), page(ids, p + 1));
  }

  // planes: bit 8 of the 64 ids, then bit 9; read only when the table is that long.
  __m512i weights(const uint8_t* low, const uint8_t* planes) const {
    const __m512i ids = _mm512_loadu_si512(low);
    if constexpr (kPages == 1) return page(ids, 0);
    const __mmask64 bit7 = _mm512_movepi8_mask(ids);
    if constexpr (kPages == 2) return two_pages(ids, bit7, 0);
    const __mmask64 bit8 = load_mask(planes);
    const __m512i lower = _mm512_mask_blend_epi8(bit8, two_pages(ids, bit7, 0), two_pages(ids, bit7, 2));
    if constexpr (kPages == 4) return lower;
    const __m512i higher = _mm512_mask_blend_epi8(bit8, two_pages(ids, bit7, 4), two_pages(ids, bit7, 6));
    return _mm512_mask_blend_epi8(load_mask(planes + 8), lower, higher);
  }

  static constexpr size_t kUpperBytes = kPages > 2 ? 16 : 0;
};

// The same from a table in memory, by gathers of the four bytes at each id.
struct WordTable {
  const int8_t* table;

  // The weights of the 32 ids in `ids` as 16 x (two weight bytes, zero-extended).
  __m512i pairs(__m512i ids) const {
    const __m512i byte = _mm512_set1_epi32(0xff);
    const __m512i even = _mm512_i32gather_epi32(_mm512_and_si512(ids, _mm512_set1_epi32(0xffff)), table, 1);
    const __m512i odd = _mm512_i32gather_epi32(_mm512_srli_epi32(ids, 16), table, 1);
    return _mm512_or_si512(_mm512_and_si512(even, byte), _mm512_slli_epi32(_mm512_and_si512(odd, byte), 8));
  }

  // upper: the 64 high id bytes. Unpacking and packing both work within 128 bits, so the order comes back.
  __m512i weights(const uint8_t* low, const uint8_t* upper) const {
    const __m512i low_bytes = _mm512_loadu_si512(low);
    const __m512i high_bytes = _mm512_loadu_si512(upper);
    return _mm512_packus_epi32(pairs(_mm512_unpacklo_epi8(low_bytes, high_bytes)),
                               pairs(_mm512_unpackhi_epi8(low_bytes, high_bytes)));
  }

  static constexpr size_t kUpperBytes = 64;
};

// Calls use() with the shortest table that has all ids of a shape.
template <typename Use>
auto with_table(RatioShape shape, const int8_t* table, const Use& use) {
  if (shape.id_form == IdForm::kWord) return use(WordTable{table});
  if (shape.id_form == IdForm::kTenBit) {
    return shape.dims <= 512 ? use(PagedTable<4>(table)) : use(PagedTable<8>(table));
  }
  return shape.dims <= 128 ? use(PagedTable<1>(table)) : use(PagedTable<2>(table));
}

} // namespace

} // namespace farsight

#include "end-isa.h"
