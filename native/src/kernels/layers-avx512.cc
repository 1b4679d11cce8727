// The layer kernel for AVX-512.
#include "../kernels.h"
#include "../layers.h"

#if defined(__x86_64__)

#include <algorithm>

#include "begin-avx512.h"

namespace farsight {

namespace {

// kUnits units of 16 rows at once, from unit u on.
template <int kUnits>
void units(const float* in, size_t in_stride, const Layer& layer, size_t u, float* out, size_t out_stride) {
  const float* weights = layer.weights + u * layer.weight_stride;
  __m512 total[kUnits];
#pragma GCC unroll 12
  for (int k = 0; k < kUnits; ++k) total[k] = _mm512_set1_ps(layer.bias[u + k]);
  for (size_t first = 0; first < layer.inputs; first += kLayerChunk) {
    const size_t end = std::min(layer.inputs, first + kLayerChunk);
    __m512 part[kUnits];
#pragma GCC unroll 12
    for (int k = 0; k < kUnits; ++k) part[k] = _mm512_setzero_ps();
    for (size_t d = first; d < end; ++d) {
      const __m512 values = _mm512_loadu_ps(in + in_stride * d);
#pragma GCC unroll 12
      for (int k = 0; k < kUnits; ++k) {
        part[k] = _mm512_fmadd_ps(_mm512_set1_ps(weights[k * layer.weight_stride + d]), values, part[k]);
      }
    }
#pragma GCC unroll 12
    for (int k = 0; k < kUnits; ++k) total[k] = _mm512_add_ps(total[k], part[k]);
  }
#pragma GCC unroll 12
  for (int k = 0; k < kUnits; ++k) _mm512_storeu_ps(out + (u + k) * out_stride, total[k]);
}

void layer(const float* in, size_t in_stride, const Layer& layer, float* out, size_t out_stride) {
  size_t u = 0;
  for (; u + 12 <= layer.units; u += 12) units<12>(in, in_stride, layer, u, out, out_stride);
  for (; u + 4 <= layer.units; u += 4) units<4>(in, in_stride, layer, u, out, out_stride);
  for (; u < layer.units; ++u) units<1>(in, in_stride, layer, u, out, out_stride);
}

constexpr LayerKernels kTable = {"avx512", layer};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const LayerKernels* avx512_layers() { return avx512_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const LayerKernels* avx512_layers() { return nullptr; }

} // namespace farsight

#endif
