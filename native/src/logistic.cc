// Newton's method for logistic regression: directions by conjugate gradients, steps by backtracking.
#include "logistic.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "smooth.h"
#include "svm-problem.h"

namespace farsight {

namespace {

template <typename Problem>
class Newton {
 public:
  using Value = typename Problem::Value;

  Newton(const Problem& problem, const int8_t* labels, const double* costs, const LogisticOptions& options)
      : problem_(problem), labels_(labels), costs_(costs), options_(options), width_(problem.dims() + 1),
        weights_(width_), gradient_(width_), direction_(width_), residual_(width_), search_(width_), image_(width_),
        scores_(problem.size()), change_(problem.size()), curvature_(problem.size()),
        products_(problem.size()) {}

  LogisticResult solve(const float* start) {
    LogisticResult result;
    if (options_.warm) {
      std::copy_n(start, width_ - 1, weights_.begin());
      weights_[width_ - 1] = static_cast<Value>(options_.bias);
      for (size_t i = 0; i < scores_.size(); ++i) scores_[i] = value(weights_, i);
    }
    result.objective = objective(0);
    for (uint32_t step = 0; step < options_.max_steps; ++step) {
      find_gradient();
      result.gap = 0.5 * sum_of_squares(gradient_.data(), width_);
      result.converged = result.gap <= options_.epsilon * result.objective;
      // One step is made however late it is: weights of zero would answer nothing.
      if (result.converged || ((step > 0 || options_.warm) && is_late())) break;
      find_direction();
      const double reached = move(result.objective);
      if (!(reached < result.objective)) break;
      result.objective = reached;
    }
    result.bias = static_cast<double>(weights_[width_ - 1]);
    return result;
  }

  const std::vector<Value>& weights() const { return weights_; }
  const std::vector<double>& scores() const { return scores_; }

 private:
  static constexpr int kMostSearches = 50, kMostHalvings = 30;
  static constexpr double kResidual = 0.25, kSmallCurvature = 1e-3, kEnough = 1e-4;

  bool is_late() const {
    using Clock = std::chrono::steady_clock;
    return options_.deadline != Clock::time_point::max() && Clock::now() >= options_.deadline;
  }

  double value(const std::vector<Value>& v, size_t i) const { return problem_.dot(v.data(), i) + v[width_ - 1]; }

  // The objective at weights + step * direction, but for what the norm gains by the direction.
  double losses(double step) const {
    double sum = 0;
    for (size_t i = 0; i < scores_.size(); ++i) {
      sum += costs_[i] * logistic_loss(labels_[i] * (scores_[i] + step * change_[i]));
    }
    return sum;
  }
  double objective(double step) const { return 0.5 * sum_of_squares(weights_.data(), width_) + losses(step); }

  // w - sum_i C_i y_i sigmoid(-y_i f_i) x_i, summed in Value; and the curvature of each row's loss.
  void find_gradient() {
    std::fill(gradient_.begin(), gradient_.end(), Value{0});
    double bias = 0, total = 0;
    for (size_t i = 0; i < scores_.size(); ++i) {
      const double share = sigmoid(-labels_[i] * scores_[i]);
      const double pull = -labels_[i] * costs_[i] * share;
      curvature_[i] = costs_[i] * share * (1 - share);
      total += curvature_[i];
      if (pull != 0) problem_.add(pull, i, gradient_.data());
      bias += pull;
    }
    gradient_[width_ - 1] = static_cast<Value>(bias);
    for (size_t d = 0; d < width_; ++d) gradient_[d] += weights_[d];
    // Rows far from the plane hardly bend the objective: without them the direction is as good and costs less.
    const double least = kSmallCurvature * total / static_cast<double>(std::max<size_t>(scores_.size(), 1));
    for (double& curvature : curvature_) curvature = curvature < least ? 0 : curvature;
  }

  // image = (1 + sum_i D_i x_i x_i') search.
  void multiply() {
    std::copy(search_.begin(), search_.end(), image_.begin());
    for (size_t i = 0; i < scores_.size(); ++i) {
      if (curvature_[i] == 0) continue;
      products_[i] = value(search_, i);
      const double pull = curvature_[i] * products_[i];
      problem_.add(pull, i, image_.data());
      image_[width_ - 1] += static_cast<Value>(pull);
    }
  }

  // Solves Hessian * direction = -gradient to a quarter of the gradient's norm. What rows gain along the direction comes
  // from the products on the way, which spares a pass over rows that do not fit the caches.
  void find_direction() {
    std::fill(direction_.begin(), direction_.end(), Value{0});
    std::fill(change_.begin(), change_.end(), 0);
    for (size_t d = 0; d < width_; ++d) search_[d] = residual_[d] = -gradient_[d];
    double square = sum_of_squares(residual_.data(), width_);
    const double enough = kResidual * kResidual * square;
    for (int n = 0; n < kMostSearches && square > enough && (n == 0 || !is_late()); ++n) {
      multiply();
      const double step = square / lanes_dot(search_.data(), image_.data(), width_);
      if (!std::isfinite(step)) return;
      for (size_t d = 0; d < width_; ++d) {
        direction_[d] += static_cast<Value>(step * search_[d]);
        residual_[d] -= static_cast<Value>(step * image_[d]);
      }
      for (size_t i = 0; i < change_.size(); ++i) change_[i] += step * products_[i];
      const double next = sum_of_squares(residual_.data(), width_);
      for (size_t d = 0; d < width_; ++d) search_[d] = residual_[d] + static_cast<Value>(next / square) * search_[d];
      square = next;
    }
  }

  // Goes along the direction as far as it pays, halving from a whole step; returns the objective there.
  double move(double before) {
    for (size_t i = 0; i < change_.size(); ++i) {
      if (curvature_[i] == 0) change_[i] = value(direction_, i); // multiply() left it out
    }
    const double slope = lanes_dot(gradient_.data(), direction_.data(), width_);
    const double square = sum_of_squares(weights_.data(), width_);
    const double along = lanes_dot(weights_.data(), direction_.data(), width_);
    const double direction_square = sum_of_squares(direction_.data(), width_);
    double step = 1;
    for (int halvings = 0; halvings < kMostHalvings; ++halvings, step *= 0.5) {
      const double norm = square + step * (2 * along + step * direction_square);
      const double reached = 0.5 * norm + losses(step);
      if (!(reached <= before + kEnough * step * slope)) continue;
      for (size_t d = 0; d < width_; ++d) weights_[d] += static_cast<Value>(step * direction_[d]);
      for (size_t i = 0; i < scores_.size(); ++i) scores_[i] += step * change_[i];
      return reached;
    }
    return before;
  }

  const Problem& problem_;
  const int8_t* labels_;
  const double* costs_;
  const LogisticOptions& options_;
  size_t width_; // dims and the bias
  std::vector<Value> weights_, gradient_, direction_, residual_, search_, image_;
  std::vector<double> scores_, change_, curvature_, products_; // per row; products: with search_
};

template <typename Problem, typename Rows>
LogisticResult train(const Rows& rows, const int8_t* labels, const double* costs, const LogisticOptions& options,
                     float* weights, double* scores) {
  const Problem problem(rows);
  Newton<Problem> newton(problem, labels, costs, options);
  const LogisticResult result = newton.solve(weights);
  for (size_t d = 0; d < rows.dims; ++d) weights[d] = static_cast<float>(newton.weights()[d]);
  if (scores != nullptr) std::copy(newton.scores().begin(), newton.scores().end(), scores);
  return result;
}

} // namespace

LogisticResult train_logistic(const DenseRows& rows, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores) {
  return train<DenseProblem>(rows, labels, costs, options, weights, scores);
}

LogisticResult train_logistic(const SparseRows& rows, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores) {
  return train<SparseProblem>(rows, labels, costs, options, weights, scores);
}

} // namespace farsight
