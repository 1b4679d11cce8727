// The layer kernel in plain C++: the specification; and the choice among its forms.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "../kernels.h"
#include "../layers.h"

namespace farsight {

namespace {

void layer(const float* in, size_t in_stride, const Layer& layer, float* out, size_t out_stride) {
  for (size_t u = 0; u < layer.units; ++u) {
    const float* weights = layer.weights + u * layer.weight_stride;
    float total[kLayerRows];
    std::fill_n(total, kLayerRows, layer.bias[u]);
    for (size_t first = 0; first < layer.inputs; first += kLayerChunk) {
      float part[kLayerRows] = {};
      for (size_t d = first; d < std::min(layer.inputs, first + kLayerChunk); ++d) {
        for (size_t i = 0; i < kLayerRows; ++i) part[i] = std::fma(weights[d], in[in_stride * d + i], part[i]);
      }
      for (size_t i = 0; i < kLayerRows; ++i) total[i] += part[i];
    }
    std::copy_n(total, kLayerRows, out + u * out_stride);
  }
}

constexpr LayerKernels kTable = {"scalar", layer};

const LayerKernels& choose() {
  for (const LayerKernels* table : {avx512_layers(), avx2_layers(), neon_layers()}) {
    if (table != nullptr && std::strcmp(table->isa, kernels().isa) == 0) return *table;
  }
  return kTable;
}

} // namespace

const LayerKernels* scalar_layers() { return &kTable; }

const LayerKernels& layer_kernels() {
  static const LayerKernels& chosen = choose();
  return chosen;
}

} // namespace farsight
