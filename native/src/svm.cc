// Dual coordinate descent for linear SVMs, after LIBLINEAR's solve_l2r_l1l2_svc.
#include "svm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "splitmix.h"
#include "svm-primal.h"
#include "svm-problem.h"
#include "svm-smooth.h"

namespace farsight {

namespace {

// Clips alpha to where the optimum can be. Without an upper end to the box, alpha_i = 2 C_i slack_i and
// C_i slack_i^2 <= P(0) = sum C bound the optimum by 2 sqrt(C_i sum C).
void clip_start(const double* costs, size_t rows, bool squared_hinge, double* alpha) {
  const double total = std::accumulate(costs, costs + rows, 0.0);
  for (size_t i = 0; i < rows; ++i) {
    const double limit = squared_hinge ? 2 * std::sqrt(costs[i] * total) : costs[i];
    alpha[i] = alpha[i] > 0 ? std::min(alpha[i], limit) : 0;
  }
}

template <typename Problem>
class Solver {
 public:
  using Value = typename Problem::Value;
  Solver(const Problem& problem, const int8_t* labels, const double* costs, const SvmOptions& options, double* alpha,
         Value* weights);
  SvmResult solve();

 private:
  void start();
  void pass();
  bool crawls();
  void leap();
  void find_direction();
  void shift(size_t i, double at);
  void count(size_t rows);
  double margin(size_t i) const { return labels_[i] * (problem_.dot(weights_, i) + bias_); }
  double upper(size_t i) const { return options_.squared_hinge ? kInfinity : costs_[i]; }
  double diagonal(size_t i) const { return options_.squared_hinge ? 0.5 / costs_[i] : 0; }
  void move(size_t i, double gradient, double at);
  void shuffle();
  void measure(int steps);
  void measure_exactly();
  double dual() const;
  bool within(double factor) const { return result_.primal - result_.dual <= factor * result_.primal; }

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr uint32_t kPassesBeforeLeap = 12, kPassesPerLeap = 3;
  static constexpr double kMuchGrowth = 1.15;
  static constexpr uint64_t kVisitsToTell = 32768;
  static constexpr uint32_t kMostPasses = 400;
  static constexpr size_t kLeapGradients = 50;
  static constexpr double kLittleGain = 0.03;
  static constexpr int kHalvings = 8;
  static constexpr int kRoughSteps = 13, kFineSteps = 24; // of best_scale: to 2e-4 and to 1e-7

  const Problem& problem_;
  const int8_t* labels_;
  const double* costs_;
  const SvmOptions& options_;
  double* alpha_;
  Value* weights_;

  double bias_ = 0;
  double scale_ = 1;             // of the weights returned, see Measured::best_scale
  double weights_square_ = 0;    // |w|^2 + b^2, kept up by each move
  std::vector<double> diagonal_; // of the dual's Hessian; 0 until first needed
  std::vector<double> slack_;    // 1 - y_i f(x_i) when row i was last looked at
  std::vector<uint32_t> order_;  // the first active_ rows are not shrunk
  size_t active_ = 0;
  double shrink_above_ = kInfinity, shrink_below_ = -kInfinity; // last pass's PGmax and PGmin
  double largest_ = 0, smallest_ = 0;                           // this pass's
  std::vector<uint32_t> free_;    // rows inside their box, and leap's direction and scratch over them
  std::vector<double> direction_, residual_, search_, image_;
  std::vector<Value> search_weights_;
  double dual_at_leap_ = 0;
  uint64_t visits_ = 0;
  uint64_t random_;
  SvmResult result_;
};

template <typename Problem>
Solver<Problem>::Solver(const Problem& problem, const int8_t* labels, const double* costs, const SvmOptions& options,
                        double* alpha, Value* weights)
    : problem_(problem), labels_(labels), costs_(costs), options_(options), alpha_(alpha), weights_(weights),
      diagonal_(problem.size(), 0.0), slack_(problem.size(), 1.0), order_(problem.size()), active_(problem.size()),
      random_(options.seed) {
  std::iota(order_.begin(), order_.end(), 0u);
  std::fill_n(weights_, problem_.dims(), Value{0});
}

template <typename Problem>
SvmResult Solver<Problem>::solve() {
  // LIBLINEAR's test PGmax - PGmin <= tolerance only says when looking at all rows again is worth it; it tightens
  // until the gap is met.
  double tolerance = 0.1;
  uint32_t next_leap = kPassesBeforeLeap;
  start();
  // One pass is made however late it is: weights of zero would answer nothing.
  while (!result_.converged && result_.iterations < options_.max_iterations &&
         (result_.iterations == 0 || !is_late(options_))) {
    const double before = result_.dual;
    pass();
    result_.dual = dual();
    const bool flat = largest_ - smallest_ <= tolerance;
    // The gap was at least what the dual has just risen by: a pass that raised it much is not worth measuring. The
    // slacks seen in one pass lag behind its moves, so the estimated gap is high and is believed a little early.
    if (result_.dual - before <= 4 * options_.epsilon * result_.dual) measure(kRoughSteps);
    if (flat || within(2 * options_.epsilon)) {
      measure_exactly();
      result_.converged = within(options_.epsilon);
    }
    if (flat) {
      if (active_ == problem_.size()) tolerance *= 0.1;
      active_ = problem_.size();
    }
    if (!result_.converged && result_.iterations >= next_leap) {
      if (crawls()) break;
      leap();
      next_leap = result_.iterations + kPassesPerLeap;
    }
    shrink_above_ = flat || largest_ <= 0 ? kInfinity : largest_;
    shrink_below_ = flat || smallest_ >= 0 ? -kInfinity : smallest_;
  }
  if (!result_.converged) {
    measure_exactly();
    result_.converged = within(options_.epsilon);
  }
  std::for_each_n(weights_, problem_.dims(), [this](Value& w) { w = static_cast<Value>(w * scale_); });
  result_.bias = bias_ * scale_;
  return result_;
}

// The warm start: alpha clipped to where the optimum can be, and the weights it stands for.
template <typename Problem>
void Solver<Problem>::start() {
  bool known = problem_.size() == 0; // else the start is 0, with all of the gap to go
  clip_start(costs_, problem_.size(), options_.squared_hinge, alpha_);
  for (size_t i = 0; i < problem_.size(); ++i) {
    if (alpha_[i] == 0) continue;
    known = true;
    problem_.add(labels_[i] * alpha_[i], i, weights_);
    bias_ += labels_[i] * alpha_[i];
  }
  if (known) {
    measure_exactly();
    result_.converged = within(options_.epsilon);
  }
}

// One pass over the rows not shrunk. With G = y_i f(x_i) - 1 + D_ii alpha_i (Hsieh et al., Algorithm 3) a row at a
// bound whose gradient points out of the box by more than any did in the last pass is shrunk.
template <typename Problem>
void Solver<Problem>::pass() {
  largest_ = -kInfinity;
  smallest_ = kInfinity;
  shuffle();
  count(active_);
  for (size_t s = 0; s < active_; ++s) {
    const size_t i = order_[s];
    const double at = margin(i);
    slack_[i] = 1 - at;
    const double gradient = at - 1 + diagonal(i) * alpha_[i];
    double projected = gradient;
    if (alpha_[i] == 0 || alpha_[i] >= upper(i)) {
      const bool low = alpha_[i] == 0;
      if (low ? gradient > shrink_above_ : gradient < shrink_below_) {
        std::swap(order_[s--], order_[--active_]);
        continue;
      }
      projected = low ? std::min(gradient, 0.0) : std::max(gradient, 0.0);
    }
    largest_ = std::max(largest_, projected);
    smallest_ = std::min(smallest_, projected);
    if (std::fabs(projected) > 1e-12) move(i, gradient, at);
  }
}

// The exact minimum along coordinate i.
template <typename Problem>
void Solver<Problem>::move(size_t i, double gradient, double at) {
  if (diagonal_[i] == 0) diagonal_[i] = problem_.square(i) + 1;
  const double old = alpha_[i];
  alpha_[i] = std::clamp(old - gradient / (diagonal_[i] + diagonal(i)), 0.0, upper(i));
  const double step = alpha_[i] - old;
  problem_.add(labels_[i] * step, i, weights_);
  bias_ += labels_[i] * step;
  weights_square_ += step * (2 * at + step * diagonal_[i]);
}

// Rows are visited in a new order every pass.
template <typename Problem>
void Solver<Problem>::shuffle() {
  for (size_t s = active_; s > 1; --s) {
    std::swap(order_[s - 1], order_[(next_random(random_) >> 32) * s >> 32]);
  }
}

// Whether to leave the rest to the primal phase: the dual still grows by much from leap to leap, as it does to the end
// where no plane separates the rows, or this phase had its time. Before kVisitsToTell it may as well be the beginning,
// and a set of a hundred rows is done.
template <typename Problem>
bool Solver<Problem>::crawls() {
  const bool grows = result_.dual > kMuchGrowth * dual_at_leap_;
  dual_at_leap_ = result_.dual;
  return (grows && visits_ >= kVisitsToTell) || result_.iterations >= kMostPasses;
}

// Coordinate descent crawls along the valleys of a large C: rows inside their box that nearly repeat one another. So
// between passes the dual is also maximised over all of them at once, as in Moré and Toraldo's GPCG (SIAM J. Optim.
// 1991) with the passes in the place of projected gradients: conjugate gradients for the direction, then the longest
// of its halved steps, projected on the box, that raises the dual.
template <typename Problem>
void Solver<Problem>::leap() {
  free_.clear();
  for (uint32_t i = 0; i < problem_.size(); ++i) {
    if (alpha_[i] > 0 && alpha_[i] < upper(i)) free_.push_back(i);
  }
  if (free_.size() < 2) return;
  find_direction();
  weights_square_ = sum_of_squares(weights_, problem_.dims()) + bias_ * bias_;
  const double before = dual();
  std::vector<double>& start = search_;
  for (size_t f = 0; f < free_.size(); ++f) start[f] = alpha_[free_[f]];
  double step = 1;
  for (int trial = 0; trial <= kHalvings; ++trial, step *= trial < kHalvings ? 0.5 : 0) {
    for (size_t f = 0; f < free_.size(); ++f) {
      shift(free_[f], std::clamp(start[f] + step * direction_[f], 0.0, upper(free_[f])));
    }
    weights_square_ = sum_of_squares(weights_, problem_.dims()) + bias_ * bias_;
    if (dual() > before) break;
  }
}

// Conjugate gradients on (Q + D) d = -G over the free rows, until an iteration gains little beside the best one.
template <typename Problem>
void Solver<Problem>::find_direction() {
  const size_t n = free_.size();
  direction_.assign(n, 0.0);
  residual_.resize(n);
  image_.resize(n);
  double square = 0, best_gain = 0;
  for (size_t f = 0; f < n; ++f) {
    const size_t i = free_[f];
    residual_[f] = 1 - margin(i) - diagonal(i) * alpha_[i];
    square += residual_[f] * residual_[f];
  }
  search_ = residual_;
  const double first_square = square;
  for (size_t k = 0; k < std::min(n, kLeapGradients) && square > 1e-12 * first_square && !is_late(options_); ++k) {
    search_weights_.assign(problem_.dims(), Value{0});
    double search_bias = 0, curvature = 0, search_square = 0;
    for (size_t f = 0; f < n; ++f) {
      problem_.add(labels_[free_[f]] * search_[f], free_[f], search_weights_.data());
      search_bias += labels_[free_[f]] * search_[f];
    }
    for (size_t f = 0; f < n; ++f) {
      const size_t i = free_[f];
      image_[f] = labels_[i] * (problem_.dot(search_weights_.data(), i) + search_bias) + diagonal(i) * search_[f];
      curvature += search_[f] * image_[f];
      search_square += search_[f] * search_[f];
    }
    count(n);
    if (!(curvature > 1e-10 * search_square)) {
      // Flat: as far as the box allows, which the projection sees to.
      if (k == 0) direction_ = search_;
      return;
    }
    const double step = square / curvature;
    const double gain = step * square;
    double next_square = 0;
    for (size_t f = 0; f < n; ++f) {
      direction_[f] += step * search_[f];
      residual_[f] -= step * image_[f];
      next_square += residual_[f] * residual_[f];
    }
    best_gain = std::max(best_gain, gain);
    if (gain < kLittleGain * best_gain) return;
    for (size_t f = 0; f < n; ++f) search_[f] = residual_[f] + next_square / square * search_[f];
    square = next_square;
  }
}

// Rows looked at, in passes over all of them.
template <typename Problem>
void Solver<Problem>::count(size_t rows) {
  visits_ += rows;
  result_.iterations = static_cast<uint32_t>((visits_ + problem_.size() - 1) / problem_.size());
}

// Moves alpha_i to `at`, and the weights with it.
template <typename Problem>
void Solver<Problem>::shift(size_t i, double at) {
  const double step = labels_[i] * (at - alpha_[i]);
  alpha_[i] = at;
  if (step == 0) return;
  problem_.add(step, i, weights_);
  bias_ += step;
}

// Both objectives, from |w|^2 + b^2 and the slacks as they are known; the primal at the best multiple of w.
template <typename Problem>
void Solver<Problem>::measure(int steps) {
  const Measured measured{weights_square_, slack_, costs_, options_.squared_hinge};
  scale_ = measured.best_scale(steps);
  result_.primal = measured.primal(scale_);
  result_.dual = dual();
}

// The same with every slack and the norm taken anew from the weights.
template <typename Problem>
void Solver<Problem>::measure_exactly() {
  for (size_t i = 0; i < problem_.size(); ++i) slack_[i] = 1 - margin(i);
  weights_square_ = sum_of_squares(weights_, problem_.dims()) + bias_ * bias_;
  measure(kFineSteps);
}

template <typename Problem>
double Solver<Problem>::dual() const {
  double linear = 0;
  for (size_t i = 0; i < problem_.size(); ++i) linear += alpha_[i] * (1 - 0.5 * diagonal(i) * alpha_[i]);
  return linear - 0.5 * weights_square_;
}

// Of no solution yet.
SvmResult unknown() {
  SvmResult result;
  result.primal = std::numeric_limits<double>::infinity();
  result.dual = -std::numeric_limits<double>::infinity();
  return result;
}

// What the dual leaves undone.
template <typename Rows, typename Value>
void finish(const Rows& rows, const int8_t* labels, const double* costs, const SvmOptions& options, double* alpha,
            Value* weights, SvmResult& result) {
  if (is_smooth(options, costs, rows.rows)) {
    train_smooth(rows, labels, costs, options, alpha, weights, result);
  } else {
    train_primal(rows, labels, costs, options, alpha, weights, result);
  }
}

} // namespace

SvmResult train_svm(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                    double* alpha, float* weights) {
  SvmResult result = Solver<DenseProblem>(DenseProblem(rows), labels, costs, options, alpha, weights).solve();
  if (!result.converged) finish(rows, labels, costs, options, alpha, weights, result);
  return result;
}

SvmResult train_svm(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                    double* alpha, float* weights) {
  std::vector<double> exact(rows.dims);
  SvmResult result = unknown();
  if (is_smooth(options, costs, rows.rows)) {
    clip_start(costs, rows.rows, options.squared_hinge, alpha);
  } else {
    result = Solver<SparseProblem>(SparseProblem(rows), labels, costs, options, alpha, exact.data()).solve();
  }
  if (!result.converged) finish(rows, labels, costs, options, alpha, exact.data(), result);
  std::transform(exact.begin(), exact.end(), weights, [](double value) { return static_cast<float>(value); });
  return result;
}

} // namespace farsight
