// Training of multilayer perceptrons: a logistic regression first; then the network, which begins by scoring like it, by
// Adam (Kingma and Ba, 2015) in the coordinates of mlp-basis.h.
#include "mlp.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "logistic.h"
#include "mlp-basis.h"
#include "mlp-net.h"
#include "smooth.h"
#include "splitmix.h"

namespace farsight {

namespace {

using Clock = std::chrono::steady_clock;

// Of the logistic regression: alone, as part of a network, and while rows are held back.
constexpr double kGap = 5e-3, kNetworkGap = 2e-2, kLooseGap = 1e-1;
// Rows of a batch, half of them of each class, and batches of an epoch.
constexpr size_t kBatch = 64, kEpochBatches = 16;
// One row in kHeldBack of each class decides when to stop, where each class has at least kLeastHeldBack such rows: the
// loss of fewer says nothing. Else all rows train, until their own loss is at most kFewRowsLoss (that of guessing is
// log 2 = .69): few rows are soon known by heart, and a network of few rows that a plane divides is the logistic
// regression.
constexpr size_t kHeldBack = 5, kLeastHeldBack = 8;
constexpr double kFewRowsLoss = 0.4;
// Epochs without a smaller loss of the rows held back.
constexpr uint32_t kPatience = 4;
// Steps of Newton, and how much steeper than the logistic regression's the logit may become: rows held back that a plane
// divides say infinitely.
constexpr int kCalibrationSteps = 8;
constexpr double kSteepest = 20;
constexpr double kRate = 0.003, kMean = 0.9, kSquare = 0.999, kTiny = 1e-8, kDecay = 1e-3;

bool is_late(Clock::time_point deadline) { return deadline != Clock::time_point::max() && Clock::now() >= deadline; }

// Rows of each class in a random order, those held back apart.
struct Division {
  std::vector<uint32_t> train[2]; // negatives, positives
  std::vector<uint32_t> held_back;

  Division(const int8_t* labels, size_t rows, uint64_t& random) {
    for (size_t i = 0; i < rows; ++i) train[labels[i] > 0].push_back(static_cast<uint32_t>(i));
    shuffle(train[0], random);
    shuffle(train[1], random);
    if (std::min(train[0].size(), train[1].size()) / kHeldBack < kLeastHeldBack) return;
    for (std::vector<uint32_t>& list : train) {
      const size_t kept = list.size() - list.size() / kHeldBack;
      held_back.insert(held_back.end(), list.begin() + static_cast<ptrdiff_t>(kept), list.end());
      list.resize(kept);
    }
  }

  std::vector<uint32_t> all() const {
    std::vector<uint32_t> rows(train[0]);
    rows.insert(rows.end(), train[1].begin(), train[1].end());
    return rows;
  }
};

// Half of them positives, the others the negatives that look most like them; where one class is short, more of the other.
std::vector<uint32_t> prototypes_of(const Division& division, const std::vector<double>& scores) {
  std::vector<uint32_t> positives = division.train[1], negatives = division.train[0];
  std::stable_sort(negatives.begin(), negatives.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  const size_t half = std::max(kPrototypes / 2, kPrototypes - std::min(kPrototypes, negatives.size()));
  positives.resize(std::min(positives.size(), half));
  negatives.resize(std::min(negatives.size(), kPrototypes - positives.size()));
  positives.insert(positives.end(), negatives.begin(), negatives.end());
  return positives;
}

class Adam {
 public:
  explicit Adam(size_t size) : mean_(size), square_(size) {}

  void step(const std::vector<float>& gradient, std::vector<float>& parameters) {
    mean_left_ *= kMean;
    square_left_ *= kSquare;
    const float rate = static_cast<float>(kRate * std::sqrt(1 - square_left_) / (1 - mean_left_));
    const float decay = static_cast<float>(1 - kRate * kDecay);
    const float tiny = static_cast<float>(kTiny);
    const float mean_kept = static_cast<float>(kMean), square_kept = static_cast<float>(kSquare);
    for (size_t p = 0; p < parameters.size(); ++p) {
      const float g = gradient[p];
      mean_[p] = mean_kept * mean_[p] + (1 - mean_kept) * g;
      square_[p] = square_kept * square_[p] + (1 - square_kept) * (g * g);
      parameters[p] = decay * parameters[p] - rate * mean_[p] / (std::sqrt(square_[p]) + tiny);
    }
  }

 private:
  std::vector<float> mean_, square_;
  double mean_left_ = 1, square_left_ = 1;
};

// Weights at random (He et al. 2015: variance 2 / inputs), but for what carries coordinate 0 through: two units hold
// max(0, z) and max(0, -z), every further layer passes them on, and the output is mean + deviation * their difference. A
// single unit holds z - least + 1, which is above 0 for every row.
void start(MlpNet& net, const NetRows& rows, double mean, double deviation, uint64_t& random) {
  float least = 0;
  for (size_t i = 0; i < rows.values.size() / rows.stride; ++i) least = std::min(least, rows.row(i)[0]);
  const float lift = 1 - least;
  const size_t last = net.layers() - 1;
  for (size_t l = 0; l < last; ++l) {
    const double limit = std::sqrt(6.0 / static_cast<double>(net.inputs(l)));
    for (size_t u = 0; u < net.units(l); ++u) {
      for (size_t d = 0; d < net.inputs(l); ++d) {
        net.weight(l, u, d) = static_cast<float>(limit * (2 * next_uniform(random) - 1));
      }
    }
    const bool pair_in = l > 0 && net.inputs(l) > 1, pair_out = net.units(l) > 1;
    for (size_t u = 0; u < (pair_out ? 2 : 1); ++u) {
      for (size_t d = 0; d < net.inputs(l); ++d) net.weight(l, u, d) = 0;
      const float sign = u == 0 ? 1 : -1;
      net.weight(l, u, 0) = sign;
      if (pair_in) net.weight(l, u, 1) = -sign;
      // What comes in is z, or z + lift from a single unit.
      const bool lifted_in = l > 0 && !pair_in;
      if (lifted_in && pair_out) net.bias(l, u) = -sign * lift;
      if (!lifted_in && !pair_out) net.bias(l, u) = lift;
    }
  }
  const float scale = static_cast<float>(deviation);
  net.weight(last, 0, 0) = scale;
  net.bias(last, 0) = static_cast<float>(mean);
  if (net.inputs(last) > 1) {
    net.weight(last, 0, 1) = -scale;
  } else {
    net.bias(last, 0) = static_cast<float>(mean - deviation * lift);
  }
}

class Trainer {
 public:
  Trainer(const NetRows& rows, const int8_t* labels, const Division& division, const MlpOptions& options,
          uint64_t& random)
      : rows_(rows), labels_(labels), division_(division), options_(options), random_(random),
        watched_(division.held_back.empty() ? division.all() : division.held_back) {}

  // Trains, and leaves the best parameters in the network.
  MlpResult train(MlpNet& net) {
    MlpResult result;
    result.held_back = division_.held_back.size();
    result.start_loss = result.loss = loss(net);
    if (result.held_back > 0) {
      const std::vector<float> before = net.parameters();
      calibrate(net);
      const double calibrated = loss(net);
      if (!(calibrated < result.loss)) net.parameters() = before;
      result.start_loss = result.loss = std::min(calibrated, result.loss);
    }
    std::vector<float> best = net.parameters(), gradient;
    Adam adam(best.size());
    const double enough = result.held_back == 0 ? kFewRowsLoss : 0;
    while (result.epochs < options_.max_epochs && result.epochs - result.best_epoch < kPatience &&
           result.loss > enough && result.complete) {
      for (size_t b = 0; b < kEpochBatches && result.complete; ++b) {
        net.gradient(rows_, next_batch(), labels_, gradient);
        adam.step(gradient, net.parameters());
        result.complete = !is_late(options_.deadline);
      }
      ++result.epochs;
      const double now = loss(net);
      if (now < result.loss) {
        result.loss = now;
        result.best_epoch = result.epochs;
        best = net.parameters();
      }
    }
    net.parameters() = best;
    return result;
  }

 private:
  // The class-balanced mean loss of the watched rows.
  double loss(MlpNet& net) {
    net.scores(rows_, watched_, scores_);
    return balanced_loss(watched_, scores_);
  }

  // Scales and shifts the scores to the smallest loss of the rows held back, by Newton's method from 0, where all rows
  // count alike. What later
  // lowers that loss is then something learnt, not a matter of scale.
  void calibrate(MlpNet& net) {
    net.scores(rows_, watched_, scores_);
    std::vector<double> costs;
    for (const uint32_t i : watched_) costs.push_back(1.0 / static_cast<double>(division_.train[labels_[i] > 0].size()));
    double scale = 0, shift = 0;
    for (int step = 0; step < kCalibrationSteps; ++step) {
      double by_scale = 0, by_shift = 0, ss = 0, sb = 0, bb = 0;
      for (size_t i = 0; i < watched_.size(); ++i) {
        const double label = labels_[watched_[i]], z = scores_[i];
        const double share = sigmoid(-label * (scale * z + shift));
        const double pull = -label * costs[i] * share, curvature = costs[i] * share * (1 - share);
        by_scale += pull * z;
        by_shift += pull;
        ss += curvature * z * z;
        sb += curvature * z;
        bb += curvature;
      }
      const double determinant = ss * bb - sb * sb;
      if (!(determinant > 1e-12 * ss * bb)) break;
      scale = std::clamp(scale - (bb * by_scale - sb * by_shift) / determinant, 0.0, kSteepest);
      shift -= (ss * by_shift - sb * by_scale) / determinant;
    }
    if (!std::isfinite(shift)) return;
    const size_t last = net.layers() - 1;
    for (size_t d = 0; d < net.inputs(last); ++d) net.weight(last, 0, d) *= static_cast<float>(scale);
    net.bias(last, 0) = static_cast<float>(scale * static_cast<double>(net.bias(last, 0)) + shift);
  }

  double balanced_loss(const std::vector<uint32_t>& rows, const std::vector<double>& scores) const;

  // Half of each class (all of one where there is no other), each in its own shuffled order, over and over.
  const std::vector<uint32_t>& next_batch() {
    batch_.clear();
    const size_t empty = division_.train[0].empty() ? 0 : division_.train[1].empty() ? 1 : 2;
    for (size_t c = 0; c < 2; ++c) {
      if (c == empty) continue;
      const size_t count = empty == 2 ? kBatch / 2 : kBatch;
      for (size_t i = 0; i < count; ++i) {
        if (next_[c] == order_[c].size()) {
          order_[c] = division_.train[c];
          shuffle(order_[c], random_);
          next_[c] = 0;
        }
        batch_.push_back(order_[c][next_[c]++]);
      }
    }
    return batch_;
  }

  const NetRows& rows_;
  const int8_t* labels_;
  const Division& division_;
  const MlpOptions& options_;
  uint64_t& random_;
  std::vector<uint32_t> watched_, batch_, order_[2];
  size_t next_[2] = {0, 0};
  std::vector<double> scores_;
};

double Trainer::balanced_loss(const std::vector<uint32_t>& rows, const std::vector<double>& scores) const {
  double sums[2] = {};
  size_t counts[2] = {};
  for (size_t i = 0; i < rows.size(); ++i) {
    const int8_t label = labels_[rows[i]];
    sums[label > 0] += logistic_loss(label * scores[i]);
    ++counts[label > 0];
  }
  const double classes = (counts[0] > 0) + (counts[1] > 0);
  return (sums[0] / std::max<double>(counts[0], 1) + sums[1] / std::max<double>(counts[1], 1)) / classes;
}

// Logistic regressions of the same rows. Dense ones are coded in bytes once for all of them.
class DenseRegression {
 public:
  explicit DenseRegression(const DenseRows& rows) : rows_(rows), bytes_(rows) {}
  LogisticResult train(const int8_t* labels, const double* costs, const LogisticOptions& options,
                       LinearStart& linear) const {
    return train_logistic(rows_, bytes_, labels, costs, options, linear.weights.data(), linear.scores.data());
  }

 private:
  const DenseRows& rows_;
  const ByteRows bytes_;
};

class SparseRegression {
 public:
  explicit SparseRegression(const SparseRows& rows) : rows_(rows) {}
  LogisticResult train(const int8_t* labels, const double* costs, const LogisticOptions& options,
                       LinearStart& linear) const {
    return train_logistic(rows_, labels, costs, options, linear.weights.data(), linear.scores.data());
  }

 private:
  const SparseRows& rows_;
};

template <typename Regression, typename Rows>
MlpResult train(const Rows& rows, const int8_t* labels, const MlpOptions& options, MlpModel& model) {
  const Regression regression(rows);
  uint64_t random = options.seed;
  model.layers.clear();
  LinearStart linear{std::vector<float>(rows.dims), 0, std::vector<double>(rows.rows)};
  LogisticOptions logistic;
  logistic.deadline = options.deadline;
  std::vector<double> costs = balanced_costs({labels, rows.rows}, options.cost);
  const auto fit = [&] {
    const LogisticResult fitted = regression.train(labels, costs.data(), logistic, linear);
    linear.bias = logistic.bias = fitted.bias;
    logistic.warm = true;
    return fitted.converged || !is_late(options.deadline);
  };
  logistic.epsilon = kGap;
  if (options.hidden.empty()) {
    MlpResult result;
    result.complete = fit();
    model.layers.push_back({rows.dims, 1, linear.weights, {static_cast<float>(linear.bias)}});
    return result;
  }

  const Division division(labels, rows.rows, random);
  for (const uint32_t i : division.held_back) costs[i] = 0;
  if (!division.held_back.empty()) logistic.epsilon = kLooseGap;
  fit();
  MlpBasis<Rows> basis(rows, linear, prototypes_of(division, linear.scores), division.all());
  std::vector<size_t> widths{basis.coordinates().inputs};
  widths.insert(widths.end(), options.hidden.begin(), options.hidden.end());
  widths.push_back(1);
  MlpNet net(widths);
  start(net, basis.coordinates(), basis.score_mean(), basis.score_deviation(), random);
  MlpResult result = Trainer(basis.coordinates(), labels, division, options, random).train(net);
  if (!division.held_back.empty()) {
    // The linear part may have all rows; how much else there is to learn is known by now.
    costs = balanced_costs({labels, rows.rows}, options.cost);
    logistic.epsilon = kNetworkGap;
    result.complete = fit() && result.complete;
    basis.replace(linear);
  }

  for (size_t l = 0; l < net.layers(); ++l) {
    const size_t inputs = l == 0 ? rows.dims : net.inputs(l);
    MlpLayer layer{inputs, net.units(l), std::vector<float>(inputs * net.units(l)), std::vector<float>(net.units(l))};
    for (size_t u = 0; u < net.units(l); ++u) {
      float* weights = layer.weights.data() + u * inputs;
      layer.bias[u] = net.bias(l, u);
      if (l == 0) {
        basis.fold(&net.weight(0, u, 0), net.bias(0, u), weights, &layer.bias[u]);
      } else {
        std::copy_n(&net.weight(l, u, 0), inputs, weights);
      }
    }
    model.layers.push_back(std::move(layer));
  }
  return result;
}

} // namespace

std::vector<double> balanced_costs(std::span<const int8_t> labels, double cost) {
  const size_t positives = static_cast<size_t>(std::count_if(labels.begin(), labels.end(), [](int8_t l) { return l > 0; }));
  const double rows = static_cast<double>(labels.size());
  const double of[2] = {cost * rows / (2 * std::max<double>(static_cast<double>(labels.size() - positives), 1)),
                        cost * rows / (2 * std::max<double>(static_cast<double>(positives), 1))};
  std::vector<double> costs;
  for (const int8_t label : labels) costs.push_back(of[label > 0]);
  return costs;
}

MlpResult train_mlp(const DenseRows& rows, const int8_t* labels, const MlpOptions& options, MlpModel& model) {
  return train<DenseRegression>(rows, labels, options, model);
}

MlpResult train_mlp(const SparseRows& rows, const int8_t* labels, const MlpOptions& options, MlpModel& model) {
  return train<SparseRegression>(rows, labels, options, model);
}

} // namespace farsight
