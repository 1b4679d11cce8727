// Exports: training models.
#include "exports.h"
#include <algorithm>

#include "../mlp-head.h"
#include "../rocchio.h"
#include "../svm.h"
#include "parameters.h"

namespace farsight {

namespace {

DenseRows dense_rows(Napi::Env env, const Napi::Value& values, const Napi::Value& dims) {
  const auto width = whole(env, dims, "dims", 1, 1 << 24);
  const auto rows = array<float>(env, values, "values");
  require_multiple(env, rows, width, "values");
  return {rows.data(), rows.size() / width, width};
}

SparseRows sparse_rows(Napi::Env env, const Napi::Value& ids, const Napi::Value& values, const Napi::Value& per_row,
                       size_t dims) {
  const auto width = whole(env, per_row, "perRow", 1, 65536);
  const auto numbers = array<float>(env, values, "values");
  require_multiple(env, numbers, width, "values");
  const auto features = array_of<uint32_t>(env, ids, "ids", numbers.size());
  require_below(env, features, dims, "ids");
  return {features.data(), numbers.data(), numbers.size() / width, width, dims};
}

std::span<const int8_t> row_labels(Napi::Env env, const Napi::Value& value, size_t rows) {
  const auto labels = array_of<int8_t>(env, value, "labels", rows);
  for (const auto label : labels) {
    if (label != 1 && label != -1) range_error(env, "labels: expected 1 or -1");
  }
  return labels;
}

template <typename Rows>
Napi::Value train(Napi::Env env, const Rows& rows, const Napi::Value& labels_value, const Napi::Value& costs_value,
                  const Napi::Value& options_value, const Napi::Value& alpha_value, float* weights) {
  const auto labels = row_labels(env, labels_value, rows.rows);
  const auto costs = array_of<double>(env, costs_value, "costs", rows.rows);
  for (const double cost : costs) {
    if (!(cost > 0) || !std::isfinite(cost)) range_error(env, "costs: expected finite numbers above 0");
  }
  const auto given = object(env, options_value, "options");
  SvmOptions options;
  options.squared_hinge = given.Get("squaredHinge").ToBoolean();
  options.epsilon = number(env, given.Get("epsilon"), "epsilon");
  options.max_iterations = static_cast<uint32_t>(whole(env, given.Get("maxIterations"), "maxIterations", 1, 1000000));
  options.seed = whole(env, given.Get("seed"), "seed", 0, kMaxSafe);
  if (given.Has("deadlineMs")) options.deadline = time_point(number(env, given.Get("deadlineMs"), "deadlineMs"));
  const auto alpha = array_of<double>(env, alpha_value, "alpha", rows.rows);
  const auto result = train_svm(rows, labels.data(), costs.data(), options, alpha.data(), weights);
  auto out = Napi::Object::New(env);
  out.Set("bias", result.bias);
  out.Set("primal", result.primal);
  out.Set("dual", result.dual);
  out.Set("iterations", result.iterations);
  out.Set("converged", result.converged);
  return out;
}

Napi::Value train_dense(Info info) {
  const auto env = info.Env();
  const auto rows = dense_rows(env, info[0], info[1]);
  const auto weights = array_of<float>(env, info[6], "weights", rows.dims);
  return train(env, rows, info[2], info[3], info[4], info[5], weights.data());
}

Napi::Value train_sparse(Info info) {
  const auto env = info.Env();
  const auto weights = array<float>(env, info[7], "weights");
  const auto rows = sparse_rows(env, info[0], info[1], info[2], weights.size());
  return train(env, rows, info[3], info[4], info[5], info[6], weights.data());
}

template <typename Rows>
Napi::Value train_network(Napi::Env env, const Rows& rows, const Napi::Value& labels_value,
                          const Napi::Value& options_value, const Napi::Value& parameters_value) {
  const auto labels = row_labels(env, labels_value, rows.rows);
  if (labels.empty()) range_error(env, "labels: expected at least one row");
  const auto given = object(env, options_value, "options");
  const auto hidden = hidden_units(env, given.Get("hidden"));
  MlpOptions options;
  options.hidden.assign(hidden.begin(), hidden.end());
  options.cost = number(env, given.Get("cost"), "cost");
  if (!(options.cost > 0) || !std::isfinite(options.cost)) range_error(env, "cost: expected a finite number above 0");
  options.seed = whole(env, given.Get("seed"), "seed", 0, kMaxSafe);
  if (given.Has("deadlineMs")) options.deadline = time_point(number(env, given.Get("deadlineMs"), "deadlineMs"));
  const auto parameters = array<float>(env, parameters_value, "parameters");
  (void)mlp_model(env, rows.dims, hidden, parameters);
  MlpModel model;
  const auto result = train_mlp(rows, labels.data(), options, model);
  auto* out = parameters.data();
  for (const MlpLayer& layer : model.layers) {
    out = std::copy(layer.weights.begin(), layer.weights.end(), out);
    out = std::copy(layer.bias.begin(), layer.bias.end(), out);
  }
  auto report = Napi::Object::New(env);
  report.Set("epochs", result.epochs);
  report.Set("bestEpoch", result.best_epoch);
  report.Set("heldBack", static_cast<double>(result.held_back));
  report.Set("startLoss", result.start_loss);
  report.Set("loss", result.loss);
  report.Set("complete", result.complete);
  return report;
}

Napi::Value train_mlp_dense(Info info) {
  const auto env = info.Env();
  return train_network(env, dense_rows(env, info[0], info[1]), info[2], info[3], info[4]);
}

Napi::Value train_mlp_sparse(Info info) {
  const auto env = info.Env();
  const auto dims = whole(env, info[3], "dims", 1, 1 << 24);
  return train_network(env, sparse_rows(env, info[0], info[1], info[2], dims), info[4], info[5], info[6]);
}

Napi::Value rocchio_dense(Info info) {
  const auto env = info.Env();
  const auto rows = dense_rows(env, info[0], info[1]);
  const auto weights = array_of<float>(env, info[5], "weights", rows.dims);
  rocchio(rows, row_labels(env, info[2], rows.rows).data(), number(env, info[3], "positiveWeight"),
          number(env, info[4], "negativeWeight"), weights.data());
  return env.Undefined();
}

Napi::Value rocchio_sparse(Info info) {
  const auto env = info.Env();
  const auto weights = array<float>(env, info[6], "weights");
  const auto rows = sparse_rows(env, info[0], info[1], info[2], weights.size());
  rocchio(rows, row_labels(env, info[3], rows.rows).data(), number(env, info[4], "positiveWeight"),
          number(env, info[5], "negativeWeight"), weights.data());
  return env.Undefined();
}

} // namespace

void export_training(Napi::Env env, Napi::Object exports) {
  add<train_dense>(env, exports, "trainSvmDense");
  add<train_sparse>(env, exports, "trainSvmSparse");
  add<train_mlp_dense>(env, exports, "trainMlpDense");
  add<train_mlp_sparse>(env, exports, "trainMlpSparse");
  add<rocchio_dense>(env, exports, "rocchioDense");
  add<rocchio_sparse>(env, exports, "rocchioSparse");
}

} // namespace farsight
