// Forward and backward passes of a small network, all of them calls of the layer kernel with what it sums over in the
// right order: inputs for the scores, units for the derivatives by a layer's inputs, rows for those by its weights.
#include "mlp-net.h"

#include <algorithm>

#include "smooth.h"

namespace farsight {

namespace {

constexpr size_t kScoredRows = 256; // at a time

size_t panels_of(size_t rows) { return (rows + kLayerRows - 1) / kLayerRows * kLayerRows; }

} // namespace

MlpNet::MlpNet(const std::vector<size_t>& widths) {
  size_t end = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    Shape shape{widths[l], widths[l + 1], panels_of(widths[l]), end, 0};
    shape.bias = end + shape.units * shape.stride;
    end = shape.bias + shape.units;
    zeros_.resize(std::max({zeros_.size(), shape.units, shape.inputs}));
    shapes_.push_back(shape);
  }
  parameters_.assign(end, 0);
  at_.resize(layers() + 1);
  by_row_.resize(layers());
  pull_.resize(layers());
}

// Leaves every layer's inputs, and the scores, in at_.
void MlpNet::forward(const NetRows& rows, const uint32_t* chosen, size_t count) {
  const LayerKernels& kernels = layer_kernels();
  lanes_ = panels_of(count);
  at_[0].assign(rows.inputs * lanes_, 0);
  for (size_t r = 0; r < count; ++r) {
    const float* row = rows.row(chosen[r]);
    for (size_t d = 0; d < rows.inputs; ++d) at_[0][d * lanes_ + r] = row[d];
  }
  for (size_t l = 0; l < layers(); ++l) {
    const Shape& shape = shapes_[l];
    const Layer layer{parameters_.data() + shape.weights, shape.stride, parameters_.data() + shape.bias, shape.inputs,
                      shape.units};
    std::vector<float>& out = at_[l + 1];
    out.resize(shape.units * lanes_);
    for (size_t r = 0; r < lanes_; r += kLayerRows) kernels.layer(at_[l].data() + r, lanes_, layer, out.data() + r, lanes_);
    if (l + 1 == layers()) continue;
    for (float& value : out) value = value > 0 ? value : 0;
  }
}

void MlpNet::scores(const NetRows& rows, const std::vector<uint32_t>& chosen, std::vector<double>& scores) {
  scores.resize(chosen.size());
  for (size_t first = 0; first < chosen.size(); first += kScoredRows) {
    const size_t count = std::min(kScoredRows, chosen.size() - first);
    forward(rows, chosen.data() + first, count);
    for (size_t r = 0; r < count; ++r) scores[first + r] = at_[layers()][r];
  }
}

double MlpNet::gradient(const NetRows& rows, const std::vector<uint32_t>& chosen, const int8_t* labels,
                        std::vector<float>& out) {
  forward(rows, chosen.data(), chosen.size());
  out.resize(parameters_.size());
  std::vector<float>& pull = pull_[layers() - 1];
  pull.assign(lanes_, 0);
  const double share = 1.0 / static_cast<double>(chosen.size());
  double loss = 0;
  for (size_t r = 0; r < chosen.size(); ++r) {
    const double label = labels[chosen[r]];
    const double margin = label * static_cast<double>(at_[layers()][r]);
    loss += logistic_loss(margin);
    pull[r] = static_cast<float>(-label * sigmoid(-margin) * share);
  }
  for (size_t l = layers(); l-- > 0;) {
    if (l == 0) {
      // The rows as they are given are row-major already.
      by_row_[0].resize(lanes_ * rows.stride);
      std::fill(by_row_[0].begin(), by_row_[0].end(), 0.0f);
      for (size_t r = 0; r < chosen.size(); ++r) {
        std::copy_n(rows.row(chosen[r]), rows.stride, by_row_[0].data() + r * rows.stride);
      }
    } else {
      push_back(l);
    }
    layer_gradient(l, out);
  }
  return loss * share;
}

// The derivatives by a layer's weights and biases: sums over rows.
void MlpNet::layer_gradient(size_t l, std::vector<float>& out) {
  const Shape& shape = shapes_[l];
  const Layer sums{pull_[l].data(), lanes_, zeros_.data(), lanes_, shape.units};
  for (size_t d = 0; d < shape.stride; d += kLayerRows) {
    layer_kernels().layer(by_row_[l].data() + d, shape.stride, sums, out.data() + shape.weights + d, shape.stride);
  }
  for (size_t u = 0; u < shape.units; ++u) {
    float sum = 0;
    for (size_t r = 0; r < lanes_; ++r) sum += pull_[l][u * lanes_ + r];
    out[shape.bias + u] = sum;
  }
}

// Layer l's inputs row-major, and the derivatives by the sums of layer l - 1, which those inputs are made of.
void MlpNet::push_back(size_t l) {
  const Shape& shape = shapes_[l];
  by_row_[l].assign(lanes_ * shape.stride, 0);
  for (size_t d = 0; d < shape.inputs; ++d) {
    for (size_t r = 0; r < lanes_; ++r) by_row_[l][r * shape.stride + d] = at_[l][d * lanes_ + r];
  }
  transposed_.resize(shape.inputs * shape.units);
  for (size_t u = 0; u < shape.units; ++u) {
    const float* weights = parameters_.data() + shape.weights + u * shape.stride;
    for (size_t d = 0; d < shape.inputs; ++d) transposed_[d * shape.units + u] = weights[d];
  }
  const Layer back{transposed_.data(), shape.units, zeros_.data(), shape.units, shape.inputs};
  std::vector<float>& pull = pull_[l - 1];
  pull.resize(shape.inputs * lanes_);
  for (size_t r = 0; r < lanes_; r += kLayerRows) {
    layer_kernels().layer(pull_[l].data() + r, lanes_, back, pull.data() + r, lanes_);
  }
  for (size_t i = 0; i < pull.size(); ++i) pull[i] = at_[l][i] > 0 ? pull[i] : 0;
}

} // namespace farsight
