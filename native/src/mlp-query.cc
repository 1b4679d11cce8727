// Scoring codes with a multilayer perceptron: panels of 16 items through the layer kernel for the approximate scores,
// double arithmetic for the exact ones.
#include "mlp-query.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels.h"
#include "layers.h"
#include "svm-problem.h"

namespace farsight {

namespace {

// Half a unit in the last place of floats, relatively.
constexpr double kUnit = 0x1p-24;

// How far rounding can move the sum of n products, relatively to the sum of their magnitudes and of the bias's: each
// product goes through at most so many additions of the layer kernel, or of one after another for sparse rows.
double rounding(size_t n, bool chunked) {
  const size_t steps = chunked ? kLayerChunk + n / kLayerChunk + 2 : n + 2;
  const double u = static_cast<double>(steps) * kUnit;
  return u / (1 - u);
}

// Bounds of |approximate - exact|, layer by layer. With magnitudes A_d >= |input d| and errors e_d of the inputs, the sum
// of unit u is off by at most
//   sum_d |w_d| e_d + gamma (|b| + sum_d |w_d| (A_d + e_d)),
// gamma for the roundings; max(0, .) makes no difference larger. Exact scores round too, 2^-29 times as much, which the
// last factor is for; the constant is for results too small for a normal float. Infinite where a float could overflow.
double error_of(const MlpModel& model, const Codes& codes) {
  std::vector<double> errors, largest;
  double all = 0;
  for (size_t l = 0; l < model.layers.size(); ++l) {
    const MlpLayer& layer = model.layers[l];
    const double gamma = rounding(l == 0 ? codes.row_values() : layer.inputs, l > 0 || !codes.sparse());
    std::vector<double> next_errors(layer.units), next_largest(layer.units);
    std::vector<float> magnitudes(layer.inputs);
    for (size_t u = 0; u < layer.units; ++u) {
      const float* weights = layer.weights.data() + u * layer.inputs;
      const double bias = std::fabs(static_cast<double>(layer.bias[u]));
      double carried = 0, sum = 0;
      if (l == 0) {
        for (size_t d = 0; d < layer.inputs; ++d) magnitudes[d] = std::fabs(weights[d]);
        sum = codes.largest_sum(magnitudes.data());
      } else {
        for (size_t d = 0; d < layer.inputs; ++d) {
          const double weight = std::fabs(static_cast<double>(weights[d]));
          carried += weight * errors[d];
          sum += weight * (largest[d] + errors[d]);
        }
      }
      next_errors[u] = (carried + gamma * (bias + sum)) * 1.001 + 1e-36;
      next_largest[u] = bias + sum;
      all = std::max(all, next_largest[u]);
    }
    errors = std::move(next_errors);
    largest = std::move(next_largest);
  }
  const bool bounded = all < 0.5 * static_cast<double>(std::numeric_limits<float>::max());
  return bounded ? errors[0] : std::numeric_limits<double>::infinity();
}

// The first layer for sparse rows: for every feature that some unit weighs, the units' weights side by side.
class FeatureTable {
 public:
  explicit FeatureTable(const MlpLayer& layer) : units_(layer.units), place_(layer.inputs, kNone) {
    std::vector<bool> used(layer.inputs);
    for (size_t w = 0; w < layer.weights.size(); ++w) {
      if (layer.weights[w] != 0) used[w % layer.inputs] = true;
    }
    for (size_t d = 0; d < layer.inputs; ++d) {
      if (!used[d]) continue;
      place_[d] = static_cast<uint32_t>(weights_.size() / units_);
      for (size_t u = 0; u < units_; ++u) weights_.push_back(layer.weights[u * layer.inputs + d]);
    }
  }
  const float* of(uint32_t id) const { return place_[id] == kNone ? nullptr : weights_.data() + place_[id] * units_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  size_t units_;
  std::vector<uint32_t> place_;
  std::vector<float> weights_;
};

class MlpQuery final : public Query {
 public:
  MlpQuery(const MlpModel& model, const Codes& codes)
      : model_(model), codes_(codes), table_(codes.sparse() ? model.layers[0] : MlpLayer{0, 1, {}, {}}),
        unbounded_(std::isinf(codes.largest_sum(std::vector<float>(codes.dims(), 1).data()))),
        error_(std::nextafter(static_cast<float>(error_of(model, codes)), INFINITY)) {}

  void approximate(size_t first, size_t count, float* scores) const override {
    const size_t end = (first + count) * codes_.block_items();
    // Nothing is known where floats overflow: equal scores with an infinite error have every item scored exactly.
    if (!std::isfinite(error_) && !unbounded_) return void(std::fill_n(scores, count * codes_.block_items(), 0.0f));
    Scratch scratch;
    for (size_t slot = first * codes_.block_items(); slot < end; slot += kLayerRows, scores += kLayerRows) {
      const size_t items = slot < codes_.count() ? std::min(kLayerRows, codes_.count() - slot) : 0;
      if (items > 0) {
        score_panel(slot, items, scores, scratch);
      } else {
        std::fill_n(scores, kLayerRows, 0.0f);
      }
    }
  }

  double exact(size_t slot) const override {
    std::vector<uint32_t> ids(codes_.sparse() ? codes_.row_values() : 0);
    std::vector<float> values(codes_.row_values());
    codes_.decode(slot, ids.data(), values.data());
    return exact_score(model_, codes_.sparse(), values.size(), ids.data(), values.data());
  }

  float error() const override { return error_; }
  // Codes that do not say how large they may be: approximate scores differ from exact ones by the rounding of floats, so
  // that only neighbours in rank change places, and twice as many are far more than enough.
  size_t candidates(size_t wanted) const override { return unbounded_ ? 2 * wanted + kLayerRows : 0; }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }

 private:
  struct Scratch {
    std::vector<uint32_t> ids;
    std::vector<float> values, panel, next;
  };

  void score_panel(size_t slot, size_t items, float* scores, Scratch& scratch) const;
  void first_layer(size_t items, Scratch& scratch) const;

  const MlpModel& model_;
  const Codes& codes_;
  FeatureTable table_;
  bool unbounded_;
  float error_;
};

void MlpQuery::score_panel(size_t slot, size_t items, float* scores, Scratch& scratch) const {
  const size_t width = codes_.row_values();
  scratch.values.resize(kLayerRows * width);
  if (codes_.sparse()) scratch.ids.resize(kLayerRows * width);
  codes_.decode_run(slot, items, scratch.ids.data(), scratch.values.data());
  first_layer(items, scratch);
  for (size_t l = 1; l < model_.layers.size(); ++l) {
    const MlpLayer& layer = model_.layers[l];
    for (float& value : scratch.panel) value = value > 0 ? value : 0;
    scratch.next.resize(layer.units * kLayerRows);
    layer_kernels().layer(scratch.panel.data(), kLayerRows,
                          {layer.weights.data(), layer.inputs, layer.bias.data(), layer.inputs, layer.units},
                          scratch.next.data(), kLayerRows);
    scratch.panel.swap(scratch.next);
  }
  std::copy_n(scratch.panel.data(), kLayerRows, scores);
}

// From the decoded rows to the sums of the first layer's units, in scratch.panel.
void MlpQuery::first_layer(size_t items, Scratch& scratch) const {
  const MlpLayer& layer = model_.layers[0];
  const size_t width = codes_.row_values();
  scratch.panel.assign(layer.units * kLayerRows, 0);
  if (!codes_.sparse()) {
    scratch.next.assign(width * kLayerRows, 0);
    for (size_t i = 0; i < items; ++i) {
      const float* row = scratch.values.data() + i * width;
      for (size_t d = 0; d < width; ++d) scratch.next[d * kLayerRows + i] = row[d];
    }
    layer_kernels().layer(scratch.next.data(), kLayerRows,
                          {layer.weights.data(), layer.inputs, layer.bias.data(), layer.inputs, layer.units},
                          scratch.panel.data(), kLayerRows);
    return;
  }
  for (size_t i = 0; i < items; ++i) {
    scratch.next.assign(layer.bias.begin(), layer.bias.end());
    for (size_t j = i * width; j < (i + 1) * width; ++j) {
      const float* weights = scratch.values[j] == 0 ? nullptr : table_.of(scratch.ids[j]);
      if (weights != nullptr) kernels().axpy(scratch.values[j], weights, scratch.next.data(), layer.units);
    }
    for (size_t u = 0; u < layer.units; ++u) scratch.panel[u * kLayerRows + i] = scratch.next[u];
  }
}

// The sums of every layer's units in double; the last one is the score.
std::vector<std::vector<double>> sums_of(const MlpModel& model, bool sparse, size_t row_values, const uint32_t* ids,
                                         const float* values) {
  std::vector<std::vector<double>> sums;
  std::vector<double> active; // what the layer before passes on
  for (size_t l = 0; l < model.layers.size(); ++l) {
    const MlpLayer& layer = model.layers[l];
    std::vector<double> now(layer.bias.begin(), layer.bias.end());
    for (size_t u = 0; u < layer.units; ++u) {
      const float* weights = layer.weights.data() + u * layer.inputs;
      if (l > 0) {
        now[u] += lanes_dot(weights, active.data(), layer.inputs);
      } else if (!sparse) {
        now[u] += lanes_dot(weights, values, layer.inputs);
      } else {
        for (size_t j = 0; j < row_values; ++j) {
          now[u] += static_cast<double>(weights[ids[j]]) * static_cast<double>(values[j]);
        }
      }
    }
    active.resize(layer.units);
    for (size_t u = 0; u < layer.units; ++u) active[u] = std::max(now[u], 0.0);
    sums.push_back(std::move(now));
  }
  return sums;
}

class SpreadQuery final : public Query {
 public:
  SpreadQuery(const MlpModel& model, const Codes& representatives, const Codes& spread)
      : model_(model), representatives_(representatives), spread_(spread) {}

  // Never asked for: clusters are preselected by their representatives.
  void approximate(size_t, size_t count, float* scores) const override {
    std::fill_n(scores, count * spread_.block_items(), 0.0f);
  }
  float error() const override { return INFINITY; }
  void prefetch(size_t slot) const override {
    representatives_.prefetch(slot);
    spread_.prefetch(slot);
  }

  double exact(size_t slot) const override {
    const std::vector<float> slope = slope_at(slot);
    std::vector<uint32_t> ids(spread_.sparse() ? spread_.row_values() : 0);
    std::vector<float> variances(spread_.row_values());
    spread_.decode(slot, ids.data(), variances.data());
    double sum = 0;
    for (size_t j = 0; j < variances.size(); ++j) {
      const double by = slope[spread_.sparse() ? ids[j] : j];
      sum += by * by * static_cast<double>(variances[j]);
    }
    return sum;
  }

 private:
  // The derivatives of the score by the dimensions, back through the units that are above 0.
  std::vector<float> slope_at(size_t slot) const {
    std::vector<uint32_t> ids(representatives_.sparse() ? representatives_.row_values() : 0);
    std::vector<float> values(representatives_.row_values());
    representatives_.decode(slot, ids.data(), values.data());
    const auto sums = sums_of(model_, representatives_.sparse(), values.size(), ids.data(), values.data());
    std::vector<float> slope{1};
    for (size_t l = model_.layers.size(); l-- > 0;) {
      const MlpLayer& layer = model_.layers[l];
      std::vector<float> before(layer.inputs, 0.0f);
      for (size_t u = 0; u < layer.units; ++u) {
        const bool passes = l + 1 == model_.layers.size() || sums[l][u] > 0;
        if (passes && slope[u] != 0) {
          kernels().axpy(slope[u], layer.weights.data() + u * layer.inputs, before.data(), layer.inputs);
        }
      }
      slope = std::move(before);
    }
    return slope;
  }

  const MlpModel& model_;
  const Codes& representatives_;
  const Codes& spread_;
};

} // namespace

double exact_score(const MlpModel& model, bool sparse, size_t row_values, const uint32_t* ids, const float* values) {
  return sums_of(model, sparse, row_values, ids, values).back()[0];
}

std::unique_ptr<Query> prepare_mlp(const MlpModel& model, const Codes& codes) {
  return std::make_unique<MlpQuery>(model, codes);
}

std::unique_ptr<Query> prepare_mlp_spread(const MlpModel& model, const Codes& representatives, const Codes& spread) {
  return std::make_unique<SpreadQuery>(model, representatives, spread);
}

} // namespace farsight
