// What AVX2 kernels of several files do with the bytes of 32-bit lanes.
#pragma once

#include "begin-avx2.h"

namespace farsight {

// Every file has its own, so that the linker merges none of them with code for another instruction set.
namespace {

inline __m256i load(const void* bytes) { return _mm256_loadu_si256(static_cast<const __m256i*>(bytes)); }

// Byte f of eight lanes, as floats.
inline __m256 bytes_of(__m256i lanes, int f) {
  return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(lanes, 8 * f), _mm256_set1_epi32(0xff)));
}

} // namespace

} // namespace farsight

#include "end-isa.h"
