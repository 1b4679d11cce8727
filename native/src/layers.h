// The kernel of multilayer perceptrons: one layer for 16 rows at a time, in training and in scoring. Like the table of
// kernels.h: kernels/layers-scalar.cc is the specification, every other form returns the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Rows of a panel, side by side: value d of row i at panel[stride * d + i].
inline constexpr size_t kLayerRows = 16;

// Inputs that are summed by themselves before the sum joins the total. A sum of n products then rounds about
// kLayerChunk + n / kLayerChunk times instead of n times, which the error bound of a score is made of.
inline constexpr size_t kLayerChunk = 32;

struct Layer {
  const float* weights; // one row of `inputs` values per unit
  size_t weight_stride; // values from one unit's row to the next
  const float* bias;    // per unit
  size_t inputs;
  size_t units;
};

struct LayerKernels {
  const char* isa;

  // out[out_stride * u + i] = bias[u] + sum_d weights[u][d] * in[in_stride * d + i] for i < 16. Per row and unit: total =
  // bias; for every chunk of kLayerChunk inputs, ascending: part = +0, part = fma(weight, value, part) for d ascending,
  // total += part.
  void (*layer)(const float* in, size_t in_stride, const Layer& layer, float* out, size_t out_stride);
};

// The form for the instruction set of kernels().
const LayerKernels& layer_kernels();

// Forms compiled in, for tests: nullptr where this build or CPU lacks the instruction set.
const LayerKernels* scalar_layers();
const LayerKernels* avx2_layers();
const LayerKernels* avx512_layers();
const LayerKernels* neon_layers();

} // namespace farsight
