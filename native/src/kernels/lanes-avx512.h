// What AVX-512 kernels of several files do with the bytes of 32-bit lanes.
#pragma once

#include "begin-avx512.h"

namespace farsight {

// Every file has its own, so that the linker merges none of them with code for another instruction set.
namespace {

// Byte f of sixteen lanes, moved to byte `to` of an otherwise empty lane.
inline __m512i bytes_of(__m512i lanes, int f, int to = 0) {
  const __m512i from = _mm512_add_epi32(_mm512_set4_epi32(12, 8, 4, 0), _mm512_set1_epi32(f));
  return _mm512_maskz_shuffle_epi8(0x1111111111111111ull << to, lanes, _mm512_slli_epi32(from, 8 * to));
}

} // namespace

} // namespace farsight

#include "end-isa.h"
