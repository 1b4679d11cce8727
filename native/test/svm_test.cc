// Training against its own certificate, recomputed here in double: any alpha in its box bounds the optimum from below,
// any weights bound it from above.
#include "rocchio.h"
#include "svm.h"

#include <algorithm>
#include <cmath>

#include "test.h"

using namespace farsight;

namespace {

struct Data {
  size_t rows, dims;
  std::vector<float> values;
  std::vector<int8_t> labels;

  DenseRows view() const { return {values.data(), rows, dims}; }
};

// Unit rows around two means `apart` from each other, one positive in five.
Data gaussian(size_t rows, size_t dims, float apart, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> mean(dims);
  for (float& value : mean) value = normal(random);
  Data data{rows, dims, std::vector<float>(rows * dims), std::vector<int8_t>(rows)};
  for (size_t i = 0; i < rows; ++i) {
    data.labels[i] = i % 5 == 0 ? 1 : -1;
    double square = 0;
    for (size_t d = 0; d < dims; ++d) {
      float& value = data.values[i * dims + d];
      value = normal(random) + (data.labels[i] > 0 ? apart * mean[d] : 0);
      square += value * value;
    }
    for (size_t d = 0; d < dims; ++d) data.values[i * dims + d] /= static_cast<float>(std::sqrt(square));
  }
  return data;
}

struct Objectives {
  double primal, dual;
};
Objectives objectives(const Data& data, const std::vector<double>& costs, bool squared,
                      const std::vector<double>& alpha, const std::vector<float>& weights, double bias) {
  Objectives out{0.5 * bias * bias, 0};
  std::vector<double> rebuilt(data.dims + 1);
  for (const float w : weights) out.primal += 0.5 * double(w) * double(w);
  for (size_t i = 0; i < data.rows; ++i) {
    double score = bias;
    for (size_t d = 0; d < data.dims; ++d) {
      score += double(weights[d]) * data.values[i * data.dims + d];
      rebuilt[d] += data.labels[i] * alpha[i] * data.values[i * data.dims + d];
    }
    rebuilt[data.dims] += data.labels[i] * alpha[i];
    const double slack = std::max(0.0, 1 - data.labels[i] * score);
    out.primal += costs[i] * (squared ? slack * slack : slack);
    out.dual += alpha[i] - (squared ? alpha[i] * alpha[i] / (4 * costs[i]) : 0);
    CHECK(alpha[i] >= 0 && (squared || alpha[i] <= costs[i]));
  }
  for (const double w : rebuilt) out.dual -= 0.5 * w * w;
  return out;
}

struct Trained {
  std::vector<double> alpha;
  std::vector<float> weights;
  SvmResult result;
};
Trained train(const Data& data, const std::vector<double>& costs, const SvmOptions& options,
              std::vector<double> alpha = {}) {
  alpha.resize(data.rows);
  Trained out{alpha, std::vector<float>(data.dims, 7), {}};
  out.result = train_svm(data.view(), data.labels.data(), costs.data(), options, out.alpha.data(), out.weights.data());
  return out;
}

// Trains, and checks that the result is what it says and within 1e-3 of the optimum. Half of the tolerance again is for
// the float weights the gap was measured with.
Trained check_optimal(const Data& data, const std::vector<double>& costs, bool squared) {
  SvmOptions options;
  options.squared_hinge = squared;
  Trained out = train(data, costs, options);
  CHECK(out.result.converged);
  const Objectives real = objectives(data, costs, squared, out.alpha, out.weights, out.result.bias);
  CHECK(real.primal - real.dual <= 1.5e-3 * real.primal);
  CHECK(std::fabs(real.primal - out.result.primal) <= 5e-4 * real.primal);
  CHECK(std::fabs(real.dual - out.result.dual) <= 5e-4 * real.primal);
  return out;
}

TEST("the objective is within 1e-3 of the optimum for both losses, any C and uneven costs") {
  for (const bool squared : {false, true}) {
    for (const double c : {0.01, 1., 100., 1e4}) {
      for (const double positive_cost : {1., 10.}) {
        for (const Data& data : {gaussian(110, 40, 1, 1), gaussian(110, 300, 0.2f, 2), gaussian(1, 3, 1, 3)}) {
          std::vector<double> costs(data.rows);
          for (size_t i = 0; i < data.rows; ++i) costs[i] = c * (data.labels[i] > 0 ? positive_cost : 1);
          check_optimal(data, costs, squared);
        }
      }
    }
  }
}

TEST("rows that repeat with the other label, and classes that overlap, still converge at C = 100") {
  for (const bool squared : {false, true}) {
    Data repeated = gaussian(60, 20, 1, 4);
    repeated.values.insert(repeated.values.end(), repeated.values.begin(), repeated.values.end());
    for (size_t i = 0; i < 60; ++i) repeated.labels.push_back(-repeated.labels[i]);
    repeated.rows = 120;
    check_optimal(repeated, std::vector<double>(120, 100), squared);
    check_optimal(gaussian(150, 10, 0.3f, 5), std::vector<double>(150, 100), squared);
  }
}

TEST("where the labels say nothing, many rows converge at any C, both losses, within the default work") {
  for (const bool squared : {false, true}) {
    for (const double c : {0.01, 1., 100., 1e4}) {
      for (const Data& data : {gaussian(600, 40, 0, 11), gaussian(500, 128, 0.05f, 12)}) {
        std::vector<double> costs(data.rows);
        for (size_t i = 0; i < data.rows; ++i) costs[i] = c * (data.labels[i] > 0 ? 3 : 1);
        check_optimal(data, costs, squared);
      }
    }
  }
}

TEST("cut short in the second phase it keeps the best so far, and its alpha starts the next training") {
  const Data data = gaussian(1100, 128, 0, 13);
  const std::vector<double> costs(1100, 1e4);
  const uint32_t first_phase = 60; // passes: 32,768 visits are 30, then comes the end of a leap
  for (const bool squared : {false, true}) {
    SvmOptions options;
    options.squared_hinge = squared;
    options.epsilon = 1e-5;
    const Trained full = train(data, costs, options);
    CHECK(full.result.converged && full.result.iterations > first_phase + 15);
    const Trained warm = train(data, costs, options, full.alpha);
    CHECK(warm.result.converged && warm.result.iterations < full.result.iterations);
    Trained before;
    for (uint32_t most = 1; most < full.result.iterations; most += 5) {
      options.max_iterations = most;
      const Trained cut = train(data, costs, options);
      const Objectives real = objectives(data, costs, squared, cut.alpha, cut.weights, cut.result.bias);
      CHECK(cut.result.converged || cut.result.iterations >= most);
      CHECK(std::fabs(real.primal - cut.result.primal) <= 1e-3 * real.primal);
      CHECK(std::fabs(real.dual - cut.result.dual) <= 1e-3 * full.result.primal);
      if (most >= first_phase + 5) {
        CHECK(cut.result.primal <= before.result.primal && cut.result.dual >= before.result.dual);
      }
      before = cut;
    }
    options.deadline = std::chrono::steady_clock::now();
    const Trained late = train(data, costs, options);
    CHECK(!late.result.converged && std::isfinite(late.result.primal));
  }
}

TEST("one class, empty rows and no rows train to what the bias can do") {
  for (const bool squared : {false, true}) {
    Data data = gaussian(30, 8, 1, 6);
    std::fill(data.labels.begin(), data.labels.end(), int8_t{1});
    const Trained positive = check_optimal(data, std::vector<double>(30, 10), squared);
    CHECK(positive.result.bias > 0);
    std::fill(data.values.begin(), data.values.end(), 0.0f);
    const Trained empty = check_optimal(data, std::vector<double>(30, 10), squared);
    CHECK(std::fabs(empty.result.bias - 1) < 0.05);
    CHECK(std::count(empty.weights.begin(), empty.weights.end(), 0.0f) == 8);
    data.rows = 0;
    const Trained none = train(data, {}, {});
    CHECK(none.result.bias == 0 && none.result.primal == 0);
  }
}

TEST("it ends after max_iterations and says that it did not converge") {
  SvmOptions options;
  options.max_iterations = 3;
  const Data data = gaussian(300, 10, 0.1f, 7);
  const Trained out = train(data, std::vector<double>(300, 1e6), options);
  CHECK(!out.result.converged && out.result.iterations >= 3);
  CHECK(std::isfinite(out.result.primal) && std::isfinite(out.result.bias));
}

TEST("the same seed gives the same bits, another one the same optimum") {
  const Data data = gaussian(200, 30, 0.5f, 8);
  const std::vector<double> costs(200, 5);
  SvmOptions options;
  const Trained a = train(data, costs, options), b = train(data, costs, options);
  CHECK(a.weights == b.weights && a.alpha == b.alpha && a.result.bias == b.result.bias);
  options.seed = 1;
  const Trained c = train(data, costs, options);
  CHECK(std::fabs(c.result.primal - a.result.primal) <= 1e-3 * a.result.primal);
}

TEST("a warm start takes fewer passes to the same objective, whatever it starts from") {
  for (const bool squared : {false, true}) {
    Data data = gaussian(210, 60, 0.5f, 9);
    SvmOptions options;
    options.squared_hinge = squared;
    const std::vector<double> costs(210, 10);
    data.rows = 200;
    const Trained before = train(data, costs, options);
    data.rows = 210;
    const Trained cold = train(data, costs, options), warm = train(data, costs, options, before.alpha);
    CHECK(warm.result.converged && warm.result.iterations < cold.result.iterations);
    CHECK(std::fabs(warm.result.primal - cold.result.primal) <= 1e-3 * cold.result.primal);
    CHECK(train(data, costs, options, cold.alpha).result.iterations == 0);
    const Trained wild = train(data, costs, options, std::vector<double>{-1, 1e300, NAN, INFINITY, -INFINITY});
    CHECK(wild.result.converged && std::fabs(wild.result.primal - cold.result.primal) <= 2e-3 * cold.result.primal);
  }
}

// Rows of six values, one in five of them 0, ids of which may repeat within a row; `data` is the same densely.
struct Sparse {
  Data data;
  std::vector<uint32_t> ids;
  std::vector<float> values;

  static constexpr size_t kPerRow = 6;
  SparseRows view() const { return {ids.data(), values.data(), data.rows, kPerRow, data.dims}; }
  void clear_row(size_t i) {
    std::fill_n(values.begin() + i * kPerRow, kPerRow, 0.0f);
    std::fill_n(data.values.begin() + i * data.dims, data.dims, 0.0f);
  }
};

Sparse random_sparse(size_t rows, uint64_t seed) {
  const size_t dims = 80;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform;
  Sparse out{{rows, dims, std::vector<float>(rows * dims), std::vector<int8_t>(rows)}, {}, {}};
  for (size_t i = 0; i < rows; ++i) {
    out.data.labels[i] = i % 4 == 0 ? 1 : -1;
    for (size_t j = 0; j < Sparse::kPerRow; ++j) {
      out.ids.push_back((j * 13 + random() % 13 + (out.data.labels[i] > 0 ? 2 : 0)) % dims);
      out.values.push_back(random() % 5 == 0 ? 0 : uniform(random));
      out.data.values[i * dims + out.ids.back()] += out.values.back();
    }
  }
  return out;
}

Trained train(const Sparse& rows, const std::vector<double>& costs, const SvmOptions& options,
              std::vector<double> alpha = {}) {
  alpha.resize(rows.data.rows);
  Trained out{alpha, std::vector<float>(rows.data.dims, 7), {}};
  out.result = train_svm(rows.view(), rows.data.labels.data(), costs.data(), options, out.alpha.data(),
                         out.weights.data());
  return out;
}

// What converged is within 1e-3 of the optimum, by an alpha and weights that say so themselves; the weights are rounded
// to float after that.
void check_gap(const Sparse& rows, const std::vector<double>& costs, const Trained& out) {
  CHECK(out.result.converged);
  const Objectives real = objectives(rows.data, costs, true, out.alpha, out.weights, out.result.bias);
  CHECK(real.primal - real.dual <= (1e-3 + 1e-6) * real.primal);
  CHECK(std::fabs(real.primal - out.result.primal) <= 1e-6 * real.primal);
  CHECK(std::fabs(real.dual - out.result.dual) <= 1e-6 * real.primal);
}

SvmOptions squared_hinge() {
  SvmOptions options;
  options.squared_hinge = true;
  return options;
}

TEST("sparse rows train to the optimum of the same rows given densely") {
  Sparse rows = random_sparse(150, 10);
  rows.clear_row(17);
  const Data& data = rows.data;
  for (const bool squared : {false, true}) {
    for (const double c : {0.1, 1., 100., 1e4}) {
      const std::vector<double> costs(data.rows, c);
      SvmOptions options;
      options.squared_hinge = squared;
      options.epsilon = 1e-5;
      const Trained dense = train(data, costs, options), sparse = train(rows, costs, options);
      CHECK(dense.result.converged && sparse.result.converged);
      const Objectives real = objectives(data, costs, squared, sparse.alpha, sparse.weights, sparse.result.bias);
      CHECK(std::fabs(real.primal - sparse.result.primal) <= 1e-6 * real.primal);
      CHECK(std::fabs(real.dual - sparse.result.dual) <= 1e-6 * real.primal);
      CHECK(std::fabs(dense.result.primal - sparse.result.primal) <= 3e-5 * real.primal);
      // Strong convexity: |w - w*|^2 / 2 <= P(w) - P(w*) <= 1e-5 P(w), of either.
      double square = std::pow(dense.result.bias - sparse.result.bias, 2);
      for (size_t d = 0; d < data.dims; ++d) square += std::pow(double(dense.weights[d]) - sparse.weights[d], 2);
      CHECK(std::sqrt(square) <= 2.1 * std::sqrt(2e-5 * real.primal));
    }
  }
}

TEST("moderate costs of a squared hinge reach the gap at both sides of where the primal alone is used, and agree") {
  for (const uint64_t seed : {20, 21, 22}) {
    const Sparse rows = random_sparse(400, seed);
    const auto trained = [&rows](double c) {
      const std::vector<double> costs(rows.data.rows, c);
      const Trained out = train(rows, costs, squared_hinge());
      check_gap(rows, costs, out);
      return out.result.primal;
    };
    for (const double c : {1e-4, 0.01, 1., 10.}) trained(c);
    const double below = trained(100), above = trained(100.0001);
    // The optimum grows by at most the relative growth of C, 1e-6, and both are within 1e-3 above it.
    CHECK(std::fabs(above - below) <= 1.01e-3 * std::max(above, below));
  }
}

TEST("past the deadline the primal alone still makes a step: weights that lower the objective") {
  const Sparse rows = random_sparse(300, 23);
  const std::vector<double> costs(rows.data.rows, 10);
  SvmOptions options = squared_hinge();
  options.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const Trained out = train(rows, costs, options);
  CHECK(std::any_of(out.weights.begin(), out.weights.end(), [](float w) { return w != 0; }));
  const Objectives real = objectives(rows.data, costs, true, out.alpha, out.weights, out.result.bias);
  CHECK(real.primal < 10 * 300 && real.dual >= 0); // sum C is what weights of 0 cost
  CHECK(std::fabs(real.primal - out.result.primal) <= 1e-6 * real.primal);
  options.deadline = std::chrono::steady_clock::time_point::max();
  CHECK(train(rows, costs, options).result.primal <= out.result.primal);
}

TEST("started from its solution the primal alone takes fewer passes, and from nonsense reaches the same objective") {
  uint32_t warm_passes = 0, cold_passes = 0;
  for (const double c : {0.01, 1., 10., 100.}) {
    const Sparse rows = random_sparse(300, 24);
    const std::vector<double> costs(rows.data.rows, c);
    const Trained cold = train(rows, costs, squared_hinge());
    const Trained warm = train(rows, costs, squared_hinge(), cold.alpha);
    check_gap(rows, costs, warm);
    warm_passes += warm.result.iterations;
    cold_passes += cold.result.iterations;
    const Trained wild = train(rows, costs, squared_hinge(), {-1, 1e300, NAN, INFINITY, -INFINITY});
    check_gap(rows, costs, wild);
    CHECK(std::fabs(wild.result.primal - cold.result.primal) <= 1e-3 * cold.result.primal);
  }
  CHECK(warm_passes < cold_passes);
}

TEST("one class, a row of zeros, rows of nothing but zeros and no rows train in the primal alone") {
  Sparse rows = random_sparse(60, 25);
  const std::vector<double> costs(60, 10);
  rows.clear_row(0);
  check_gap(rows, costs, train(rows, costs, squared_hinge()));
  for (const int8_t label : {1, -1}) {
    std::fill(rows.data.labels.begin(), rows.data.labels.end(), label);
    const Trained out = train(rows, costs, squared_hinge());
    check_gap(rows, costs, out);
    CHECK(label * out.result.bias > 0);
  }
  for (size_t i = 0; i < 60; ++i) rows.clear_row(i);
  const Trained empty = train(rows, costs, squared_hinge());
  check_gap(rows, costs, empty);
  // b^2 / 2 + 600 (1 + b)^2 is least at b = -1200 / 1201.
  CHECK(std::fabs(empty.result.bias + 1200.0 / 1201) < 0.05);
  CHECK(std::count(empty.weights.begin(), empty.weights.end(), 0.0f) == 80);
  rows.data.rows = 0;
  const Trained none = train(rows, {}, squared_hinge());
  CHECK(none.result.converged && none.result.bias == 0 && none.result.primal == 0 && none.result.dual == 0);
  CHECK(std::count(none.weights.begin(), none.weights.end(), 0.0f) == 80);
}

TEST("Rocchio's weights are the weighted difference of the class means, a missing class counting nothing") {
  const std::vector<float> values{1, 2, 3, 4, 5, 9};
  const std::vector<int8_t> labels{1, 1, -1};
  std::vector<float> weights(2);
  rocchio(DenseRows{values.data(), 3, 2}, labels.data(), 0.75, 0.25, weights.data());
  CHECK(weights[0] == 0.75f * 2 - 0.25f * 5 && weights[1] == 0.75f * 3 - 0.25f * 9);
  rocchio(DenseRows{values.data(), 2, 2}, labels.data(), 1, 1, weights.data());
  CHECK(weights[0] == 2 && weights[1] == 3);
  rocchio(DenseRows{values.data() + 4, 1, 2}, labels.data() + 2, 1, 2, weights.data());
  CHECK(weights[0] == -10 && weights[1] == -18);
  const std::vector<uint32_t> ids{0, 1, 0, 1, 2, 2};
  weights.assign(3, 7);
  rocchio(SparseRows{ids.data(), values.data(), 3, 2, 3}, labels.data(), 1, 1, weights.data());
  CHECK(weights[0] == 2 && weights[1] == 3 && weights[2] == -14);
}

} // namespace
