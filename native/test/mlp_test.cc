// Multilayer perceptrons: the kernel's forms, gradients, what training must and must not learn, and scores over codes.
#include "mlp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "layers.h"
#include "logistic.h"
#include "mlp-net.h"
#include "mlp-query.h"
#include "ratio.h"
#include "smooth.h"
#include "sq8.h"
#include "test.h"

using namespace farsight;

namespace {

std::vector<float> normals(std::mt19937_64& random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& value : out) value = normal(random);
  return out;
}

struct Data {
  size_t rows, dims;
  std::vector<float> values;
  std::vector<int8_t> labels;
  DenseRows view() const { return {values.data(), rows, dims}; }
  // The same rows as sparse ones, with every dimension as a feature.
  std::vector<uint32_t> ids() const {
    std::vector<uint32_t> out(values.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint32_t>(i % dims);
    return out;
  }
};

// Four clouds at (+-a, +-b) in two random directions; positive where the signs agree. No plane tells them apart.
Data crossed(size_t rows, size_t dims, uint64_t seed) {
  std::mt19937_64 random(seed);
  Data data{rows, dims, normals(random, rows * dims), std::vector<int8_t>(rows)};
  const std::vector<float> a = normals(random, dims), b = normals(random, dims);
  for (size_t i = 0; i < rows; ++i) {
    const float s = i % 2 == 0 ? 1 : -1, t = i / 2 % 2 == 0 ? 1 : -1;
    data.labels[i] = s * t > 0 ? 1 : -1;
    for (size_t d = 0; d < dims; ++d) data.values[i * dims + d] = 0.3f * data.values[i * dims + d] + s * a[d] + t * b[d];
  }
  return data;
}

struct Trained {
  MlpModel model;
  MlpResult result;
};
Trained train(const Data& data, std::vector<size_t> hidden, uint64_t seed = 3) {
  MlpOptions options;
  options.hidden = std::move(hidden);
  options.seed = seed;
  Trained out;
  out.result = train_mlp(data.view(), data.labels.data(), options, out.model);
  return out;
}

double score(const MlpModel& model, const Data& data, size_t row) {
  return exact_score(model, false, data.dims, nullptr, data.values.data() + row * data.dims);
}

double accuracy(const MlpModel& model, const Data& data) {
  size_t right = 0;
  for (size_t i = 0; i < data.rows; ++i) right += (score(model, data, i) > 0) == (data.labels[i] > 0);
  return static_cast<double>(right) / static_cast<double>(data.rows);
}

bool finite(const MlpModel& model) {
  const auto all = [](const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  };
  return std::all_of(model.layers.begin(), model.layers.end(),
                     [&](const MlpLayer& layer) { return all(layer.weights) && all(layer.bias); });
}

bool same(const MlpModel& a, const MlpModel& b) {
  for (size_t l = 0; l < a.layers.size(); ++l) {
    if (a.layers[l].weights != b.layers[l].weights || a.layers[l].bias != b.layers[l].bias) return false;
  }
  return a.layers.size() == b.layers.size();
}

} // namespace

TEST("the layer kernel equals scalar for every instruction set, number of inputs and of units") {
  std::mt19937_64 random(1);
  for (const LayerKernels* table : {avx512_layers(), avx2_layers(), neon_layers()}) {
    if (table == nullptr) continue;
    for (const size_t inputs : {0, 1, 31, 32, 33, 64, 100}) {
      for (size_t units = 1; units <= 29; ++units) {
        const size_t stride = inputs + 3, in_stride = 19, out_stride = 17;
        const auto in = normals(random, inputs * in_stride + 16), weights = normals(random, units * stride);
        const auto bias = normals(random, units);
        std::vector<float> expected(units * out_stride), out(expected);
        const Layer layer{weights.data(), stride, bias.data(), inputs, units};
        scalar_layers()->layer(in.data(), in_stride, layer, expected.data(), out_stride);
        table->layer(in.data(), in_stride, layer, out.data(), out_stride);
        CHECK(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST("the loss and its derivative are those of the C library to a few units in the last place") {
  for (double m = -800; m <= 800; m += 0.37) {
    const double loss = m > 0 ? std::log1p(std::exp(-m)) : -m + std::log1p(std::exp(m));
    CHECK(std::fabs(logistic_loss(m) - loss) <= 1e-15 + 1e-14 * loss);
    const double share = m > 0 ? 1 / (1 + std::exp(-m)) : std::exp(m) / (1 + std::exp(m));
    CHECK(std::fabs(sigmoid(m) - share) <= 1e-14 * share + 1e-300);
  }
}

TEST("the gradient is that of finite differences, for one and two hidden layers") {
  std::mt19937_64 random(2);
  const Data data = crossed(20, 5, 4);
  NetRows rows(5, 20);
  std::vector<uint32_t> chosen;
  for (uint32_t i = 0; i < 20; ++i) {
    std::copy_n(data.values.data() + i * 5, 5, rows.row(i));
    if (i % 3 != 0) chosen.push_back(i);
  }
  for (const std::vector<size_t>& widths : {std::vector<size_t>{5, 7, 1}, {5, 18, 3, 1}}) {
    MlpNet net(widths);
    std::vector<float> gradient, unused;
    for (size_t l = 0; l < net.layers(); ++l) {
      for (size_t u = 0; u < net.units(l); ++u) {
        net.bias(l, u) = normals(random, 1)[0];
        for (size_t d = 0; d < net.inputs(l); ++d) net.weight(l, u, d) = normals(random, 1)[0] / 2;
      }
    }
    net.gradient(rows, chosen, data.labels.data(), gradient);
    for (size_t l = 0; l < net.layers(); ++l) {
      for (size_t u = 0; u < net.units(l); ++u) {
        for (size_t d = 0; d < net.inputs(l); ++d) {
          // The loss comes from float scores, off by some 1e-6, so a difference quotient over 2h is off by that / h, and
          // by what the curvature or a unit that switches adds: h times its slope, here below 10.
          constexpr float h = 0.002f;
          float& weight = net.weight(l, u, d);
          const float kept = weight;
          weight = kept + h;
          const double above = net.gradient(rows, chosen, data.labels.data(), unused);
          weight = kept - h;
          const double below = net.gradient(rows, chosen, data.labels.data(), unused);
          weight = kept;
          const size_t at = static_cast<size_t>(&weight - net.parameters().data());
          CHECK(std::fabs((above - below) / (2 * h) - gradient[at]) < 1e-6 / h + 10 * h);
        }
      }
    }
  }
}

TEST("logistic regression ends within its tolerance of the optimum, proven anew in double") {
  for (const double c : {0.01, 1.0, 100.0}) {
    const Data data = crossed(150, 40, 6);
    const std::vector<double> costs = balanced_costs(data.labels, c);
    std::vector<float> weights(40);
    const LogisticResult result =
      train_logistic(data.view(), ByteRows(data.view()), data.labels.data(), costs.data(), {}, weights.data());
    CHECK(result.converged);
    std::vector<double> gradient(weights.begin(), weights.end());
    gradient.push_back(result.bias);
    double objective = 0;
    for (const double w : gradient) objective += 0.5 * w * w;
    for (size_t i = 0; i < data.rows; ++i) {
      double f = result.bias;
      for (size_t d = 0; d < 40; ++d) f += double(weights[d]) * data.values[i * 40 + d];
      const double pull = -data.labels[i] * costs[i] * sigmoid(-data.labels[i] * f);
      objective += costs[i] * logistic_loss(data.labels[i] * f);
      for (size_t d = 0; d < 40; ++d) gradient[d] += pull * data.values[i * 40 + d];
      gradient[40] += pull;
    }
    double gap = 0;
    for (const double g : gradient) gap += 0.5 * g * g;
    CHECK(gap <= 1.5e-3 * objective);
    CHECK(std::fabs(objective - result.objective) <= 1e-3 * objective);
  }
}

TEST("hidden layers learn what no plane divides, in few and in many dimensions") {
  for (const size_t dims : {8u, 300u}) {
    const Data all = crossed(800, dims, 7);
    Data data{400, dims, {all.values.begin(), all.values.begin() + static_cast<ptrdiff_t>(400 * dims)},
              {all.labels.begin(), all.labels.begin() + 400}};
    Data others{400, dims, {all.values.begin() + static_cast<ptrdiff_t>(400 * dims), all.values.end()},
                {all.labels.begin() + 400, all.labels.end()}};
    CHECK(accuracy(train(data, {}).model, others) < 0.8);
    CHECK(accuracy(train(data, {32}).model, others) > 0.95);
    CHECK(accuracy(train(data, {32, 16}).model, others) > 0.95);
  }
}

TEST("the same seed gives the same bits, sparse rows train like dense ones, and another seed differs") {
  const Data data = crossed(200, 20, 8);
  const Trained once = train(data, {16}, 1);
  CHECK(once.result.held_back == 40 && once.result.best_epoch > 0 && once.result.loss < once.result.start_loss);
  CHECK(same(once.model, train(data, {16}, 1).model));
  CHECK(!same(once.model, train(data, {16}, 2).model));
  const std::vector<uint32_t> ids = data.ids();
  MlpOptions options;
  options.hidden = {16};
  options.seed = 1;
  MlpModel sparse;
  train_mlp(SparseRows{ids.data(), data.values.data(), data.rows, data.dims, data.dims}, data.labels.data(), options,
            sparse);
  CHECK(accuracy(sparse, data) > 0.95);
}

TEST("odd rows train to finite weights: one class, zeros, repeats, contradictions, huge and tiny values, one row") {
  for (const std::vector<size_t>& hidden : {std::vector<size_t>{}, {1}, {5}, {1, 1}, {4, 1}, {1, 4}, {6, 3}}) {
    for (const size_t dims : {6u, 150u}) {
      Data data = crossed(90, dims, 9);
      CHECK(finite(train(data, hidden).model));
      Data changed = data;
      std::fill(changed.labels.begin(), changed.labels.end(), int8_t{1});
      const Trained positive = train(changed, hidden);
      CHECK(finite(positive.model) && score(positive.model, changed, 0) > 0);
      std::fill(changed.labels.begin(), changed.labels.end(), int8_t{-1});
      CHECK(finite(train(changed, hidden).model));
      changed = data;
      std::fill(changed.values.begin(), changed.values.end(), 0.0f);
      CHECK(finite(train(changed, hidden).model));
      changed = data;
      for (size_t i = 1; i < changed.rows; ++i) std::copy_n(changed.values.data(), dims, changed.values.data() + i * dims);
      CHECK(finite(train(changed, hidden).model));
      for (const float factor : {1e15f, 1e-30f}) {
        changed = data;
        for (float& value : changed.values) value *= factor;
        CHECK(finite(train(changed, hidden).model));
      }
      changed = data;
      changed.rows = 1;
      CHECK(finite(train(changed, hidden).model));
    }
  }
}

TEST("past its deadline training still answers with a model, and says so") {
  const Data data = crossed(400, 200, 10);
  MlpOptions options;
  options.hidden = {16};
  options.deadline = std::chrono::steady_clock::now();
  MlpModel model;
  const MlpResult result = train_mlp(data.view(), data.labels.data(), options, model);
  CHECK(!result.complete && result.epochs <= 1 && finite(model));
  CHECK(std::any_of(model.layers[0].weights.begin(), model.layers[0].weights.end(), [](float w) { return w != 0; }));
}

namespace {

// Approximate scores of every block stay within the bound of the exact ones, and the bound is no wild guess.
void check_codes(const MlpModel& model, const Codes& codes) {
  const auto query = prepare_mlp(model, codes);
  const size_t blocks = (codes.count() + codes.block_items() - 1) / codes.block_items();
  std::vector<float> scores(blocks * codes.block_items());
  query->approximate(0, blocks, scores.data());
  std::vector<uint32_t> ids(codes.count() * codes.row_values());
  std::vector<float> values(ids.size());
  codes.decode_run(0, codes.count(), ids.data(), values.data());
  double largest = 0;
  for (size_t slot = 0; slot < codes.count(); ++slot) {
    const size_t at = slot * codes.row_values();
    const double exact = exact_score(model, codes.sparse(), codes.row_values(), ids.data() + at, values.data() + at);
    CHECK(query->exact(slot) == exact);
    CHECK(std::fabs(scores[slot] - exact) <= query->error());
    largest = std::max(largest, std::fabs(exact));
  }
  CHECK(query->error() < 1e-2 * (1 + largest));
}

MlpModel random_model(std::mt19937_64& random, size_t dims, std::vector<size_t> hidden) {
  MlpModel model;
  hidden.push_back(1);
  for (const size_t units : hidden) {
    model.layers.push_back({dims, units, normals(random, dims * units), normals(random, units)});
    for (float& weight : model.layers.back().weights) weight /= std::sqrt(static_cast<float>(dims));
    dims = units;
  }
  return model;
}

} // namespace

TEST("scores of sq8 and ratio codes are exact ones within the error, and infinitely uncertain where floats overflow") {
  std::mt19937_64 random(11);
  const size_t dims = 70, count = 75;
  std::vector<uint8_t> rows(count * dims);
  for (uint8_t& code : rows) code = static_cast<uint8_t>(random());
  std::vector<uint32_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  const std::vector<float> offset(dims, -0.5f), step(dims, 0.004f);
  std::vector<uint8_t> blocks(sq8_codes_bytes(count, dims));
  pack_sq8(rows.data(), order.data(), 0, count, dims, blocks.data());
  const Sq8Codes dense({dims, offset.data(), step.data()}, count, blocks.data());

  const RatioParameters parameters{dims, 5, 12, 0.001, 5 * 4080 * 0.001};
  std::vector<uint16_t> ids(count * 5);
  std::vector<uint32_t> codes(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<uint16_t>(i % 5 * 14 + random() % 14);
    codes[i] = static_cast<uint32_t>(random() % 4000);
  }
  std::vector<uint8_t> packed(ratio_codes_bytes(count, parameters)), refine(ratio_refine_bytes(count, parameters));
  pack_ratio(ids.data(), codes.data(), order.data(), 0, count, parameters, packed.data(), refine.data());
  const RatioCodes sparse(parameters, count, packed.data(), refine.data());

  for (const std::vector<size_t>& hidden : {std::vector<size_t>{1}, {33}, {20, 9}}) {
    const MlpModel model = random_model(random, dims, hidden);
    check_codes(model, dense);
    check_codes(model, sparse);
    MlpModel huge = model;
    for (float& weight : huge.layers[0].weights) weight *= 1e38f;
    const auto query = prepare_mlp(huge, dense);
    std::vector<float> scores(80);
    query->approximate(0, 5, scores.data());
    CHECK(std::isinf(query->error()) && std::count(scores.begin(), scores.end(), 0.0f) == 80);
    CHECK(std::isfinite(query->exact(3)));
  }
}

TEST("the variance of a cluster is that of a linear score where every unit is at work") {
  std::mt19937_64 random(12);
  const size_t dims = 12, count = 16;
  std::vector<uint8_t> rows(count * dims, 100);
  std::vector<uint32_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  const std::vector<float> offset(dims, 0.0f), step(dims, 0.01f);
  std::vector<uint8_t> blocks(sq8_codes_bytes(count, dims));
  pack_sq8(rows.data(), order.data(), 0, count, dims, blocks.data());
  const Sq8Codes codes({dims, offset.data(), step.data()}, count, blocks.data());
  MlpModel model = random_model(random, dims, {4});
  for (float& bias : model.layers[0].bias) bias = 100;
  double expected = 0;
  for (size_t d = 0; d < dims; ++d) {
    double slope = 0;
    for (size_t u = 0; u < 4; ++u) slope += double(model.layers[1].weights[u]) * model.layers[0].weights[u * dims + d];
    expected += slope * slope;
  }
  // Every variance decodes to 100 steps of .01; slopes are sums of floats.
  CHECK(std::fabs(prepare_mlp_spread(model, codes, codes)->exact(3) - expected) < 1e-5 * expected);
}
