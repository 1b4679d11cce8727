// A small network in training: its parameters, its scores, and the gradient of its loss by back-propagation.
#pragma once

#include <vector>

#include "layers.h"

namespace farsight {

// Rows of inputs, zeros behind them up to a stride that is a whole number of panels.
struct NetRows {
  size_t inputs = 0;
  size_t stride = 0;
  std::vector<float> values;

  NetRows(size_t inputs, size_t rows)
      : inputs(inputs), stride((inputs + kLayerRows - 1) / kLayerRows * kLayerRows), values(rows * stride) {}
  float* row(size_t i) { return values.data() + i * stride; }
  const float* row(size_t i) const { return values.data() + i * stride; }
};

class MlpNet {
 public:
  // widths: inputs, units of the hidden layers, 1. All parameters are 0.
  explicit MlpNet(const std::vector<size_t>& widths);

  size_t layers() const { return shapes_.size(); }
  size_t inputs(size_t layer) const { return shapes_[layer].inputs; }
  size_t units(size_t layer) const { return shapes_[layer].units; }
  float& weight(size_t layer, size_t unit, size_t input) {
    return parameters_[shapes_[layer].weights + unit * shapes_[layer].stride + input];
  }
  float& bias(size_t layer, size_t unit) { return parameters_[shapes_[layer].bias + unit]; }

  // All weights and biases in one list; what pads it stays 0, because its gradient is 0.
  std::vector<float>& parameters() { return parameters_; }

  // The scores of the rows that `chosen` names.
  void scores(const NetRows& rows, const std::vector<uint32_t>& chosen, std::vector<double>& scores);

  // The derivatives of (1 / n) sum over the chosen rows of log(1 + exp(-y f)) by the parameters; returns that mean.
  double gradient(const NetRows& rows, const std::vector<uint32_t>& chosen, const int8_t* labels,
                  std::vector<float>& out);

 private:
  struct Shape {
    size_t inputs, units, stride; // of a unit's weights
    size_t weights, bias;         // where they begin among the parameters
  };

  void forward(const NetRows& rows, const uint32_t* chosen, size_t count);
  void layer_gradient(size_t layer, std::vector<float>& out);
  void push_back(size_t layer);

  std::vector<Shape> shapes_;
  std::vector<float> parameters_;
  size_t lanes_ = 0;                    // rows at work, in whole panels
  std::vector<std::vector<float>> at_;  // per layer its inputs, input-major: at_[l][input * lanes_ + row]
  std::vector<std::vector<float>> by_row_; // the same, row-major
  std::vector<std::vector<float>> pull_;   // per layer the derivatives by its sums, unit-major
  std::vector<float> transposed_, zeros_;
};

} // namespace farsight
