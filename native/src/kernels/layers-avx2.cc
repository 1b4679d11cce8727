// The layer kernel for AVX2.
#include "../kernels.h"
#include "../layers.h"

#if defined(__x86_64__)

#include <algorithm>

#include "begin-avx2.h"

namespace farsight {

namespace {

// kUnits units of 8 rows at once, from unit u on: totals wait in `out`, registers are for the chunk's parts.
template <int kUnits>
void units(const float* in, size_t in_stride, const Layer& layer, size_t u, float* out, size_t out_stride) {
  const float* weights = layer.weights + u * layer.weight_stride;
  for (int k = 0; k < kUnits; ++k) _mm256_storeu_ps(out + (u + k) * out_stride, _mm256_set1_ps(layer.bias[u + k]));
  for (size_t first = 0; first < layer.inputs; first += kLayerChunk) {
    const size_t end = std::min(layer.inputs, first + kLayerChunk);
    __m256 part[kUnits];
#pragma GCC unroll 8
    for (int k = 0; k < kUnits; ++k) part[k] = _mm256_setzero_ps();
    for (size_t d = first; d < end; ++d) {
      const __m256 values = _mm256_loadu_ps(in + in_stride * d);
#pragma GCC unroll 8
      for (int k = 0; k < kUnits; ++k) {
        part[k] = _mm256_fmadd_ps(_mm256_broadcast_ss(weights + k * layer.weight_stride + d), values, part[k]);
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kUnits; ++k) {
      float* total = out + (u + k) * out_stride;
      _mm256_storeu_ps(total, _mm256_add_ps(_mm256_loadu_ps(total), part[k]));
    }
  }
}

void layer(const float* in, size_t in_stride, const Layer& layer, float* out, size_t out_stride) {
  for (size_t row = 0; row < kLayerRows; row += 8) {
    size_t u = 0;
    for (; u + 8 <= layer.units; u += 8) units<8>(in + row, in_stride, layer, u, out + row, out_stride);
    for (; u < layer.units; ++u) units<1>(in + row, in_stride, layer, u, out + row, out_stride);
  }
}

constexpr LayerKernels kTable = {"avx2", layer};

} // namespace

} // namespace farsight

#include "end-isa.h"

namespace farsight {

const LayerKernels* avx2_layers() { return avx2_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const LayerKernels* avx2_layers() { return nullptr; }

} // namespace farsight

#endif
