// The layer kernel for NEON.
#include "../kernels.h"
#include "../layers.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>

namespace farsight {

namespace {

// kUnits units of 4 rows at once, from unit u on: totals wait in `out`, registers are for the chunk's parts.
template <int kUnits>
void units(const float* in, size_t in_stride, const Layer& layer, size_t u, float* out, size_t out_stride) {
  const float* weights = layer.weights + u * layer.weight_stride;
  for (int k = 0; k < kUnits; ++k) vst1q_f32(out + (u + k) * out_stride, vdupq_n_f32(layer.bias[u + k]));
  for (size_t first = 0; first < layer.inputs; first += kLayerChunk) {
    const size_t end = std::min(layer.inputs, first + kLayerChunk);
    float32x4_t part[kUnits];
    for (int k = 0; k < kUnits; ++k) part[k] = vdupq_n_f32(0);
    for (size_t d = first; d < end; ++d) {
      const float32x4_t values = vld1q_f32(in + in_stride * d);
      for (int k = 0; k < kUnits; ++k) {
        part[k] = vfmaq_f32(part[k], values, vdupq_n_f32(weights[k * layer.weight_stride + d]));
      }
    }
    for (int k = 0; k < kUnits; ++k) {
      float* total = out + (u + k) * out_stride;
      vst1q_f32(total, vaddq_f32(vld1q_f32(total), part[k]));
    }
  }
}

void layer(const float* in, size_t in_stride, const Layer& layer, float* out, size_t out_stride) {
  for (size_t row = 0; row < kLayerRows; row += 4) {
    size_t u = 0;
    for (; u + 8 <= layer.units; u += 8) units<8>(in + row, in_stride, layer, u, out + row, out_stride);
    for (; u < layer.units; ++u) units<1>(in + row, in_stride, layer, u, out + row, out_stride);
  }
}

constexpr LayerKernels kTable = {"neon", layer};

} // namespace

const LayerKernels* neon_layers() { return neon_kernels() == nullptr ? nullptr : &kTable; }

} // namespace farsight

#else

namespace farsight {

const LayerKernels* neon_layers() { return nullptr; }

} // namespace farsight

#endif
