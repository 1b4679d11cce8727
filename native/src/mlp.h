// Multilayer perceptrons with one or two hidden layers of rectified units, from a few thousand labelled rows:
//   h_0 = x,  h_l = max(0, W_l h_{l-1} + b_l),  score(x) = w . h_L + b,
// trained for the class-balanced logistic loss: half of the weight is the positives'. Without hidden layers that is
// logistic regression (logistic.h).
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "svm.h"

namespace farsight {

inline constexpr size_t kMaxHiddenLayers = 2;
inline constexpr size_t kMaxUnits = 256; // of a hidden layer

struct MlpLayer {
  size_t inputs;
  size_t units;
  std::vector<float> weights; // a row of `inputs` per unit
  std::vector<float> bias;    // per unit
};

// The hidden layers in turn, then one of a single unit: the score.
struct MlpModel {
  std::vector<MlpLayer> layers;
};

struct MlpOptions {
  std::vector<size_t> hidden; // units per hidden layer, 1 to kMaxUnits each
  double cost = 10;           // C of the logistic regression that training starts from
  uint32_t max_epochs = 40;
  uint64_t seed = 0;
  // Training stops here too, with the best so far.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct MlpResult {
  uint32_t epochs = 0;     // trained
  uint32_t best_epoch = 0; // whose weights these are; 0: those of the start, which score like the logistic regression
  double start_loss = 0;   // class-balanced mean logistic loss of the rows held back (of all rows when none are), before
  double loss = 0;         // and in the end
  size_t held_back = 0;    // rows that decided when to stop
  bool complete = true;    // false: the deadline came first
};

// C_i = cost * rows / (2 * rows of i's class): both classes weigh the same, and the mean is cost.
std::vector<double> balanced_costs(std::span<const int8_t> labels, double cost);

// labels: +1 or -1 per row; rows of at least one class.
MlpResult train_mlp(const DenseRows& rows, const int8_t* labels, const MlpOptions& options, MlpModel& model);
MlpResult train_mlp(const SparseRows& rows, const int8_t* labels, const MlpOptions& options, MlpModel& model);

} // namespace farsight
