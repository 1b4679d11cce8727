// Newton's method for the SVM's primal with a squared hinge (Keerthi and DeCoste, JMLR 2005):
//   min_w P(w) = |w|^2 / 2 + sum_i C_i max(0, z_i)^2,  z_i = 1 - y_i f(x_i),
// directions by conjugate gradients, steps by an exact line search. t_i = 2 C_i max(0, z_i) is feasible for the dual at
// any w, with w(t) = sum_i t_i y_i x_i the gradient is w - w(t), and the duality gap is |w - w(t)|^2 / 2: what Newton
// steps lower is what training stops by.
//
// Few rows of few features fit the second-level cache, so what counts is how often they are walked and how much is done
// on the way. Directions are rough: rows within the margin are laid out anew for them, in float, and a row's product
// with the direction sought and its share of the Hessian's image are taken in one visit. What is left of the gradient
// is then known for all rows that keep their side of the margin, so that only those that change it are added. Close to
// the end the gradient is taken from t alone, and what training stops by and returns is never followed.
#include "svm-smooth.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "svm-compact.h"
#include "svm-problem.h"

namespace farsight {

namespace {

// Where conjugate gradients end: the share of the preconditioned residual that is left to the next step, and the share
// of the gap asked for, rows that change sides taking the rest.
constexpr double kGradientTolerance = 0.14, kGapShare = 0.6;
// Of the line search: the share of the first slope that may be left.
constexpr double kSlopeTolerance = 0.5;
// Where the gap seems to be this many times what is asked for, the gradient is taken anew.
constexpr double kCloseGap = 1.5;

// Sums are taken in lanes, so that additions need not wait for one another.
constexpr size_t kLanes = 4;
template <typename Visit>
void for_lanes(size_t n, Visit visit) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) visit(i + lane, lane);
  }
  for (; i < n; ++i) visit(i, i % kLanes);
}

double sum_lanes(const double* lanes) { return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]); }

// Dense rows, which stay where they are: products are of floats anyway. See svm-compact.h.
class DenseWithin : public DenseProblem {
 public:
  static constexpr bool kIsExact = false;
  explicit DenseWithin(const DenseRows& rows) : DenseProblem(rows), narrow_(rows.dims), sum_(rows.dims) {}

  void lay_out(const std::vector<uint32_t>& within) { within_ = &within; }

  double apply_hessian(const std::vector<float>& bends, const double* v, double bias, double* out) {
    for (size_t d = 0; d < dims(); ++d) narrow_[d] = static_cast<float>(v[d]);
    std::fill(sum_.begin(), sum_.end(), 0.0f);
    double shares = 0;
    for (size_t k = 0; k < bends.size(); ++k) {
      const size_t i = (*within_)[k];
      const double share = bends[k] * (dot(narrow_.data(), i) + bias);
      add(share, i, sum_.data());
      shares += share;
    }
    for (size_t d = 0; d < dims(); ++d) out[d] = v[d] + sum_[d];
    return bias + shares;
  }

 private:
  const std::vector<uint32_t>* within_ = nullptr;
  std::vector<float> narrow_, sum_;
};

// Vectors over the dimensions have one more element, the bias.
template <typename Problem>
class Smooth {
 public:
  using Value = typename Problem::Value;

  Smooth(Problem& problem, const int8_t* labels, const double* costs, const SvmOptions& options, double* alpha,
         Value* weights, SvmResult& result)
      : problem_(problem), costs_(costs), options_(options), best_alpha_(alpha), best_weights_(weights),
        result_(result), dims_(problem.dims()), before_(result.iterations), signs_(labels, labels + problem.size()),
        alpha_(alpha, alpha + problem.size()), slack_(problem.size()), change_(problem.size()),
        bend_(problem.size()), is_within_(problem.size()), weights_(dims_ + 1), gradient_(dims_ + 1),
        direction_(dims_ + 1), residual_(dims_ + 1), search_(dims_ + 1), image_(dims_ + 1), diagonal_(dims_ + 1),
        preconditioner_(dims_ + 1), narrow_(dims_), crossed_(problem.size()) {}

  void solve() {
    if (before_ > 0 && ends()) return;
    start();
    if (result_.converged) return;
    answer();
    // One step is made however late it is: weights of zero would answer nothing.
    bool is_first = true;
    while (is_first || !ends()) {
      step();
      is_first = false;
      if (is_close()) answer();
    }
    if (!is_exact_) answer();
  }

 private:
  // What rows add to P, and their t to the dual.
  struct Worth {
    double losses[kLanes] = {}, totals[kLanes] = {};

    void add(double cost, double slack, size_t lane) {
      const double left = std::max(slack, 0.0);
      const double half = cost * left;
      totals[lane] += half;
      losses[lane] += half * left;
    }
    double loss() const { return sum_lanes(losses); }
    // With z the slack, C z^2 is lost, and t - t^2 / 4C = 2 C z - C z^2.
    double linear() const { return 2 * sum_lanes(totals) - loss(); }
  };

  bool ends() const {
    return result_.converged || result_.iterations >= options_.max_iterations || is_late(options_);
  }

  // What the start is worth, before t is taken from w alone: nothing else keeps its alpha, nor sees that it is solved.
  void start() {
    double linear = 0;
    for (size_t i = 0; i < alpha_.size(); ++i) {
      alpha_[i] = std::max(alpha_[i], 0.0);
      linear += alpha_[i] - 0.25 / costs_[i] * (alpha_[i] * alpha_[i]);
      if (alpha_[i] == 0) continue;
      problem_.add(signs_[i] * alpha_[i], i, image_.data());
      image_[dims_] += signs_[i] * alpha_[i];
    }
    weights_ = image_;
    look();
    Worth worth;
    for_lanes(slack_.size(), [&](size_t i, size_t lane) { worth.add(costs_[i], slack_[i], lane); });
    count(alpha_.size());
    measure(worth.loss(), linear);
    keep();
  }

  void step() {
    find_direction();
    const double step = line_search();
    for (size_t d = 0; d <= dims_; ++d) weights_[d] += step * direction_[d];
    if constexpr (!Problem::kIsExact) look();
    follow(step);
  }

  // The slacks at w, after rounding it to what is returned.
  void look() {
    const Value* weights = narrow(weights_);
    for (size_t d = 0; d < dims_; ++d) weights_[d] = weights[d];
    for (size_t i = 0; i < slack_.size(); ++i) {
      slack_[i] = 1 - signs_[i] * (problem_.dot(weights, i) + weights_[dims_]);
    }
    count(slack_.size());
  }

  // t at w, and from it alone w(t), the gradient and the diagonal of the Hessian.
  void answer() {
    std::fill(image_.begin(), image_.end(), 0.0);
    std::fill(diagonal_.begin(), diagonal_.end(), 1.0);
    Worth worth;
    size_t within = 0;
    within_.resize(slack_.size());
    for_lanes(slack_.size(), [&](size_t i, size_t lane) {
      worth.add(costs_[i], slack_[i], lane);
      alpha_[i] = 2 * costs_[i] * std::max(slack_[i], 0.0);
      is_within_[i] = slack_[i] > 0;
      within_[within] = static_cast<uint32_t>(i);
      within += is_within_[i];
    });
    within_.resize(within);
    for (const uint32_t i : within_) {
      const double bend = 2 * costs_[i];
      problem_.add_both(signs_[i] * alpha_[i], i, image_.data(), bend, diagonal_.data());
      image_[dims_] += signs_[i] * alpha_[i];
      diagonal_[dims_] += bend;
    }
    for (size_t d = 0; d <= dims_; ++d) gradient_[d] = weights_[d] - image_[d];
    count(2 * within_.size());
    measure(worth.loss(), worth.linear());
    keep();
    is_exact_ = true;
  }

  // The slacks after a step, and the gradient and the diagonal: what conjugate gradients left, and the rows that changed
  // sides. Sums of floats are in the first, so it drifts from the gradient of t.
  void follow(double step) {
    for (size_t d = 0; d <= dims_; ++d) gradient_[d] = (1 - step) * gradient_[d] - step * residual_[d];
    size_t crossed = 0, within = 0;
    within_.resize(slack_.size());
    Worth worth;
    for_lanes(slack_.size(), [&](size_t i, size_t lane) {
      if constexpr (Problem::kIsExact) slack_[i] -= step * change_[i];
      worth.add(costs_[i], slack_[i], lane);
      // Lists are made without a branch, which no processor could guess.
      const uint8_t is_within = slack_[i] > 0;
      within_[within] = crossed_[crossed] = static_cast<uint32_t>(i);
      within += is_within;
      crossed += is_within ^ is_within_[i];
      is_within_[i] = is_within;
    });
    within_.resize(within);
    for (size_t k = 0; k < crossed; ++k) {
      const uint32_t i = crossed_[k];
      const double bend = is_within_[i] ? 2 * costs_[i] : -2 * costs_[i];
      const double pull = -signs_[i] * bend * slack_[i];
      problem_.add_both(pull, i, gradient_.data(), bend, diagonal_.data());
      gradient_[dims_] += pull;
      diagonal_[dims_] += bend;
    }
    for (size_t d = 0; d <= dims_; ++d) image_[d] = weights_[d] - gradient_[d];
    count(2 * crossed);
    measure(worth.loss(), worth.linear());
    is_exact_ = false;
  }

  void measure(double loss, double linear) {
    primal_ = 0.5 * sum_of_squares(weights_.data(), dims_ + 1) + loss;
    dual_ = linear - 0.5 * sum_of_squares(image_.data(), dims_ + 1);
  }

  bool is_close() const { return primal_ - dual_ <= kCloseGap * options_.epsilon * primal_; }

  // Replaces what is worse.
  void keep() {
    if (primal_ < result_.primal) {
      result_.primal = primal_;
      for (size_t d = 0; d < dims_; ++d) best_weights_[d] = static_cast<Value>(weights_[d]);
      result_.bias = weights_[dims_];
    }
    if (dual_ > result_.dual) {
      result_.dual = dual_;
      std::copy(alpha_.begin(), alpha_.end(), best_alpha_);
    }
    result_.converged = result_.primal - result_.dual <= options_.epsilon * result_.primal;
  }

  // Conjugate gradients on (I + sum over rows within the margin of 2 C_i x_i x_i') d = -gradient, preconditioned by the
  // diagonal, which has the bias in it: a feature of every row. The residual is the gradient after a whole step that
  // moves no row over the margin, so half its square is the gap that would be left: less than asked for is not needed.
  void find_direction() {
    bends_.resize(within_.size());
    for (size_t k = 0; k < within_.size(); ++k) bends_[k] = static_cast<float>(2 * costs_[within_[k]]);
    problem_.lay_out(within_);
    std::fill(direction_.begin(), direction_.end(), 0.0);
    double square = 0;
    for (size_t d = 0; d <= dims_; ++d) {
      preconditioner_[d] = 1 / diagonal_[d];
      residual_[d] = -gradient_[d];
      search_[d] = residual_[d] * preconditioner_[d];
      square += residual_[d] * search_[d];
    }
    const double gap = kGapShare * options_.epsilon * primal_;
    const double enough = kGradientTolerance * kGradientTolerance * square;
    for (size_t k = 0; k < kMaxGradients && square > enough && (k == 0 || !is_late(options_)); ++k) {
      image_[dims_] = problem_.apply_hessian(bends_, search_.data(), search_[dims_], image_.data());
      count(2 * within_.size());
      const double step = square / lanes_dot(search_.data(), image_.data(), dims_ + 1);
      double squares[kLanes] = {}, scaled[kLanes] = {};
      for_lanes(dims_ + 1, [&](size_t d, size_t lane) {
        direction_[d] += step * search_[d];
        residual_[d] -= step * image_[d];
        const double square = residual_[d] * residual_[d];
        squares[lane] += square;
        scaled[lane] += square * preconditioner_[d];
      });
      if (0.5 * sum_lanes(squares) <= gap) break;
      const double next = sum_lanes(scaled);
      for (size_t d = 0; d <= dims_; ++d) {
        search_[d] = residual_[d] * preconditioner_[d] + next / square * search_[d];
      }
      square = next;
    }
  }

  // About the minimum of P along the direction: the root of its slope, which is increasing and piecewise linear, by
  // Newton's method inside a bracket.
  double line_search() {
    const Value* direction = narrow(direction_);
    for (size_t i = 0; i < change_.size(); ++i) {
      change_[i] = signs_[i] * (problem_.dot(direction, i) + direction_[dims_]);
      bend_[i] = 2 * costs_[i] * change_[i];
    }
    count(change_.size());
    const double straight = lanes_dot(weights_.data(), direction_.data(), dims_ + 1);
    const double bend = sum_of_squares(direction_.data(), dims_ + 1);
    const double first = std::fabs(lanes_dot(gradient_.data(), direction_.data(), dims_ + 1));
    return root_of_slope(kSlopeTolerance * first, [&](double step, double* curvature) {
      *curvature = bend;
      return straight + step * bend - slope(step, curvature);
    });
  }

  // sum_i t_i y_i d.x_i a step down the direction, and what rows within the margin add to P's curvature there.
  double slope(double step, double* curvature) const {
    double sums[kLanes] = {}, bends[kLanes] = {};
    for_lanes(change_.size(), [&](size_t i, size_t lane) {
      const double left = slack_[i] - step * change_[i];
      // 1 within the margin, 0 beyond, again without a branch.
      const double bend = (0.5 + std::copysign(0.5, left)) * bend_[i];
      sums[lane] += bend * left;
      bends[lane] += bend * change_[i];
    });
    *curvature += sum_lanes(bends);
    return sum_lanes(sums);
  }

  // A vector as the problem's products want it.
  const Value* narrow(const std::vector<double>& vector) {
    if constexpr (std::is_same_v<Value, double>) {
      return vector.data();
    } else {
      for (size_t d = 0; d < dims_; ++d) narrow_[d] = static_cast<Value>(vector[d]);
      return narrow_.data();
    }
  }

  void count(size_t products) {
    visited_ += products;
    const uint64_t pass = kProductsPerVisit * std::max<size_t>(problem_.size(), 1);
    result_.iterations = before_ + static_cast<uint32_t>((visited_ + pass - 1) / pass);
  }

  Problem& problem_;
  const double* costs_;
  const SvmOptions& options_;
  double* best_alpha_;
  Value* best_weights_;
  SvmResult& result_;

  const size_t dims_;
  const uint32_t before_;
  uint64_t visited_ = 0;
  double primal_ = 0, dual_ = 0; // at w and t
  bool is_exact_ = true;         // the gradient is that of t, not followed
  std::vector<double> signs_;         // the labels
  std::vector<double> alpha_, slack_; // t and z at w
  std::vector<double> change_, bend_; // how z falls along the direction, and 2 C times that
  std::vector<uint8_t> is_within_;    // z > 0
  std::vector<double> weights_, gradient_, direction_;
  std::vector<double> residual_, search_;         // of the conjugate gradients
  std::vector<double> image_;                     // Hessian * search_, or w(t)
  std::vector<double> diagonal_, preconditioner_; // of the Hessian, and its inverse
  std::vector<Value> narrow_;                     // a vector rounded
  std::vector<uint32_t> within_, crossed_;        // rows within the margin, and those that changed sides
  std::vector<float> bends_;                      // 2 C of the rows within
};

template <size_t kPerRow>
void train_compact(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                   double* alpha, double* weights, SvmResult& result) {
  CompactProblem<kPerRow> problem(rows);
  std::vector<double> compact(problem.dims());
  const std::vector<uint32_t>& used = problem.used();
  for (size_t k = 0; k < used.size(); ++k) compact[k] = weights[used[k]];
  Smooth<CompactProblem<kPerRow>>(problem, labels, costs, options, alpha, compact.data(), result).solve();
  for (size_t k = 0; k < used.size(); ++k) weights[used[k]] = compact[k];
}

} // namespace

bool is_smooth(const SvmOptions& options, const double* costs, size_t rows) {
  return options.squared_hinge && std::all_of(costs, costs + rows, [](double cost) { return cost <= kSmoothCost; });
}

void train_smooth(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, float* weights, SvmResult& result) {
  DenseWithin problem(rows);
  Smooth<DenseWithin>(problem, labels, costs, options, alpha, weights, result).solve();
}

void train_smooth(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, double* weights, SvmResult& result) {
  // The numbers of features that collections have.
  switch (rows.per_row) {
    case 5: return train_compact<5>(rows, labels, costs, options, alpha, weights, result);
    case 6: return train_compact<6>(rows, labels, costs, options, alpha, weights, result);
    case 7: return train_compact<7>(rows, labels, costs, options, alpha, weights, result);
    default: return train_compact<0>(rows, labels, costs, options, alpha, weights, result);
  }
}

} // namespace farsight
