// Newton's method for logistic regression: directions by conjugate gradients, steps by backtracking.
#include "logistic.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "smooth.h"
#include "svm-problem.h"

namespace farsight {

namespace {

// What a direction is sought with: the rows themselves, or as long as they serve byte rows, of which more fit a cache.
template <typename Problem>
class ExactHessian {
 public:
  using Value = typename Problem::Value;
  static constexpr bool kIsRough = false;
  explicit ExactHessian(const Problem& problem) : problem_(problem) {}

  void multiply(const std::vector<uint32_t>& list, const Value* v, double bias, const double* curvature,
                double* products, Value* image) const {
    for (const uint32_t i : list) {
      products[i] = problem_.dot(v, i) + bias;
      if (curvature == nullptr) continue;
      const double share = curvature[i] * products[i];
      problem_.add(share, i, image);
      image[problem_.dims()] += static_cast<Value>(share);
    }
  }

 private:
  const Problem& problem_;
};

template <typename Problem, typename Hessian>
class Newton {
 public:
  using Value = typename Problem::Value;

  Newton(const Problem& problem, const Hessian& hessian, const int8_t* labels, const double* costs,
         const LogisticOptions& options)
      : problem_(problem), rough_(hessian), exact_(problem), labels_(labels), costs_(costs), options_(options),
        width_(problem.dims() + 1), weights_(width_), gradient_(width_), direction_(width_), residual_(width_),
        search_(width_), image_(width_), before_(width_), scores_(problem.size()), change_(problem.size()),
        curvature_(problem.size()), products_(problem.size()) {
    for (uint32_t i = 0; i < problem.size(); ++i) (costs[i] > 0 ? counted_ : others_).push_back(i);
  }

  LogisticResult solve(const float* start) {
    LogisticResult result;
    if (options_.warm) {
      std::copy_n(start, width_ - 1, weights_.begin());
      weights_[width_ - 1] = static_cast<Value>(options_.bias);
    }
    result.objective = look(options_.warm);
    bool stalled = false;
    for (uint32_t step = 0; step < options_.max_steps; ++step) {
      measure(result);
      if (!looks_exactly_ && (result.converged || stalled)) {
        looks_exactly_ = true;
        result.objective = look(true);
        measure(result);
      }
      // One step is made however late it is: weights of zero would answer nothing.
      if (result.converged || ((step > 0 || options_.warm) && is_late())) break;
      find_direction();
      const double reached = move(result.objective);
      stalled = !(reached < result.objective) || (halved_ && !looks_exactly_);
      if (stalled && looks_exactly_ && is_exact_) break;
      is_exact_ = is_exact_ || ((halved_ || stalled) && looks_exactly_);
      result.objective = std::min(reached, result.objective);
    }
    for (const uint32_t i : others_) scores_[i] = value(weights_, i);
    result.bias = static_cast<double>(weights_[width_ - 1]);
    return result;
  }

  const std::vector<Value>& weights() const { return weights_; }
  const std::vector<double>& scores() const { return scores_; }

 private:
  static constexpr int kMostSearches = 50, kMostHalvings = 30;
  static constexpr size_t kLookRows = 8; // whose exponentials need not wait for one another; they stay in the cache
  static constexpr double kResidual = 0.25, kSmallCurvature = 1e-3, kEnough = 1e-4;

  bool is_late() const {
    using Clock = std::chrono::steady_clock;
    return options_.deadline != Clock::time_point::max() && Clock::now() >= options_.deadline;
  }

  double value(const std::vector<Value>& v, size_t i) const { return problem_.dot(v.data(), i) + v[width_ - 1]; }

  void measure(LogisticResult& result) const {
    result.gap = 0.5 * sum_of_squares(gradient_.data(), width_);
    result.converged = result.gap <= options_.epsilon * result.objective;
  }

  // In one pass over the rows, some at a time, at the weights: the scores (0 without weights), the objective, which is
  // returned, the curvature of each row's loss, and the gradient w - sum_i C_i y_i sigmoid(-y_i f_i) x_i, summed in Value.
  double look(bool weighted) {
    std::fill(gradient_.begin(), gradient_.end(), Value{0});
    double total = 0, losses = 0;
    const auto pull = [&](uint32_t i) {
      const auto [loss, share] = logistic(labels_[i] * scores_[i]);
      losses += costs_[i] * loss;
      curvature_[i] = costs_[i] * share * (1 - share);
      total += curvature_[i];
      return -labels_[i] * costs_[i] * share;
    };
    if (looks_exactly_) {
      look_at_rows(weighted, pull);
    } else if constexpr (Hessian::kIsRough) {
      const auto pulls = [&](std::span<const uint32_t> rows, double* out) {
        for (size_t r = 0; r < rows.size(); ++r) out[r] = pull(rows[r]);
      };
      rough_.walk(counted_, weights_.data(), weights_[width_ - 1], scores_.data(), pulls, gradient_.data());
    }
    for (size_t d = 0; d < width_; ++d) gradient_[d] += weights_[d];
    // Rows far from the plane hardly bend the objective: without them the direction is as good and costs less.
    const double least = kSmallCurvature * total / static_cast<double>(std::max<size_t>(scores_.size(), 1));
    curved_.clear();
    straight_.clear();
    for (const uint32_t i : counted_) (curvature_[i] < least ? straight_ : curved_).push_back(i);
    return 0.5 * sum_of_squares(weights_.data(), width_) + losses;
  }

  template <typename Pull>
  void look_at_rows(bool weighted, const Pull& pull) {
    double bias = 0;
    for (size_t first = 0; first < counted_.size(); first += kLookRows) {
      const size_t end = std::min(first + kLookRows, counted_.size());
      for (size_t k = first; k < end; ++k) scores_[counted_[k]] = weighted ? value(weights_, counted_[k]) : 0;
      for (size_t k = first; k < end; ++k) bias += products_[counted_[k]] = pull(counted_[k]);
      for (size_t k = first; k < end; ++k) problem_.add(products_[counted_[k]], counted_[k], gradient_.data());
    }
    gradient_[width_ - 1] = static_cast<Value>(bias);
  }

  // Solves Hessian * direction = -gradient, the Hessian being 1 + sum_i D_i x_i x_i', to a quarter of the gradient's norm.
  // What rows gain along the direction comes from the products on the way.
  void find_direction() {
    std::fill(direction_.begin(), direction_.end(), Value{0});
    for (const uint32_t i : curved_) change_[i] = 0;
    for (size_t d = 0; d < width_; ++d) search_[d] = residual_[d] = -gradient_[d];
    double square = sum_of_squares(residual_.data(), width_);
    const double enough = kResidual * kResidual * square;
    for (int n = 0; n < kMostSearches && square > enough && (n == 0 || !is_late()); ++n) {
      std::copy(search_.begin(), search_.end(), image_.begin());
      multiply(curved_, search_, curvature_.data(), products_, image_.data());
      const double step = square / lanes_dot(search_.data(), image_.data(), width_);
      if (!std::isfinite(step)) break;
      for (size_t d = 0; d < width_; ++d) {
        direction_[d] += static_cast<Value>(step * search_[d]);
        residual_[d] -= static_cast<Value>(step * image_[d]);
      }
      for (const uint32_t i : curved_) change_[i] += step * products_[i];
      const double next = sum_of_squares(residual_.data(), width_);
      for (size_t d = 0; d < width_; ++d) search_[d] = residual_[d] + static_cast<Value>(next / square) * search_[d];
      square = next;
    }
    multiply(straight_, direction_, nullptr, change_, nullptr);
  }

  void multiply(const std::vector<uint32_t>& list, const std::vector<Value>& v, const double* curvature,
                std::vector<double>& products, Value* image) const {
    const double bias = v[width_ - 1];
    if (is_exact_) {
      exact_.multiply(list, v.data(), bias, curvature, products.data(), image);
    } else {
      rough_.multiply(list, v.data(), bias, curvature, products.data(), image);
    }
  }

  // Goes along the direction as far as it pays, halving from a whole step: first by what rows are thought to gain, then
  // by what they do. Returns the objective there. Halving at last, or no way on, says that rough products do not serve.
  double move(double objective) {
    const double slope = lanes_dot(gradient_.data(), direction_.data(), width_);
    const double square = sum_of_squares(weights_.data(), width_);
    const double along = lanes_dot(weights_.data(), direction_.data(), width_);
    const double direction_square = sum_of_squares(direction_.data(), width_);
    double step = 1;
    int halvings = 0;
    for (; halvings < kMostHalvings; ++halvings, step *= 0.5) {
      const double norm = square + step * (2 * along + step * direction_square);
      if (0.5 * norm + losses(step) <= objective + kEnough * step * slope) break;
    }
    before_ = weights_;
    halved_ = false;
    for (; halvings < kMostHalvings; ++halvings, step *= 0.5) {
      for (size_t d = 0; d < width_; ++d) weights_[d] = before_[d] + static_cast<Value>(step * direction_[d]);
      const double reached = look(true);
      if (reached < objective) return reached;
      halved_ = true;
    }
    weights_ = before_;
    return look(true);
  }

  // The losses a step along the direction.
  double losses(double step) const {
    double sum = 0;
    for (const uint32_t i : counted_) {
      sum += costs_[i] * logistic_loss(labels_[i] * (scores_[i] + step * change_[i]));
    }
    return sum;
  }

  const Problem& problem_;
  const Hessian& rough_;
  const ExactHessian<Problem> exact_;
  const int8_t* labels_;
  const double* costs_;
  const LogisticOptions& options_;
  size_t width_; // dims and the bias
  bool is_exact_ = false, halved_ = false; // whether directions are sought with the rows themselves; of the last move
  // Rough rows serve for gradients too until they say that the optimum is reached, or find no way on without
  // halving: then the rows themselves have the last word.
  bool looks_exactly_ = !Hessian::kIsRough;
  std::vector<Value> weights_, gradient_, direction_, residual_, search_, image_, before_;
  std::vector<double> scores_, change_, curvature_, products_; // per row; products: with search_, or pulls
  std::vector<uint32_t> counted_, others_;  // rows by whether they cost anything
  std::vector<uint32_t> curved_, straight_; // and those that do by whether they bend the objective
};

template <typename Problem, typename Hessian>
LogisticResult train(const Problem& problem, const Hessian& hessian, const int8_t* labels, const double* costs,
                     const LogisticOptions& options, float* weights, double* scores) {
  Newton<Problem, Hessian> newton(problem, hessian, labels, costs, options);
  const LogisticResult result = newton.solve(weights);
  for (size_t d = 0; d < problem.dims(); ++d) weights[d] = static_cast<float>(newton.weights()[d]);
  if (scores != nullptr) std::copy(newton.scores().begin(), newton.scores().end(), scores);
  return result;
}

} // namespace

LogisticResult train_logistic(const DenseRows& rows, const ByteRows& bytes, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores) {
  return train(DenseProblem(rows), bytes, labels, costs, options, weights, scores);
}

LogisticResult train_logistic(const SparseRows& rows, const int8_t* labels, const double* costs,
                              const LogisticOptions& options, float* weights, double* scores) {
  const SparseProblem problem(rows);
  return train(problem, ExactHessian<SparseProblem>(problem), labels, costs, options, weights, scores);
}

} // namespace farsight
