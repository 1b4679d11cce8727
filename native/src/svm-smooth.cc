// Newton's method for the SVM's primal with a squared hinge (Keerthi and DeCoste, JMLR 2005):
//   min_w P(w) = |w|^2 / 2 + sum_i C_i max(0, z_i)^2,  z_i = 1 - y_i f(x_i),
// directions by conjugate gradients, steps by an exact line search. t_i = 2 C_i max(0, z_i) is feasible for the dual at
// any w, with w(t) = sum_i t_i y_i x_i the gradient is w - w(t), and the duality gap is |w - w(t)|^2 / 2: what Newton
// steps lower is what training stops by.
//
// Few rows of few features fit the second-level cache, so what counts is how often they are walked and how much is done
// on the way. A row's product with the direction sought and its share of the Hessian's image are taken in one visit; what
// its slack falls by along the direction is summed from those products, so that only rows beyond the margin need another.
#include "svm-smooth.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "svm-problem.h"

namespace farsight {

namespace {

// The share of the gap asked for at which conjugate gradients end, rows that change sides taking the rest.
constexpr double kGapShare = 0.3;
// Of the line search: the share of the first slope that may be left.
constexpr double kSlopeTolerance = 0.5;

// Sparse rows over the features that occur: a thousand rows have few of a large vocabulary, and vectors of all are
// walked. kPerRow: features of a row, known to the compiler; 0 for any number.
template <size_t kPerRow>
class CompactProblem {
 public:
  using Value = double;
  // Most rows share a few features. Were all rows added to one vector, each would wait for the one before it.
  static constexpr size_t kCopies = 4;

  explicit CompactProblem(const SparseRows& rows)
      : rows_(rows.rows), per_row_(rows.per_row), ids_(rows.rows * rows.per_row), values_(ids_.size()) {
    std::vector<uint32_t> place(rows.dims, 0);
    for (size_t j = 0; j < ids_.size(); ++j) {
      values_[j] = rows.values[j];
      if (rows.values[j] == 0) continue;
      const uint32_t id = rows.ids[j];
      if (place[id] == 0) {
        used_.push_back(id);
        place[id] = static_cast<uint32_t>(used_.size());
      }
      ids_[j] = place[id] - 1;
    }
  }

  size_t size() const { return rows_; }
  size_t dims() const { return std::max<size_t>(used_.size(), 1); }
  const std::vector<uint32_t>& used() const { return used_; }

  double dot(const double* v, size_t i) const {
    const uint32_t* ids = ids_.data() + i * per_row();
    const double* values = values_.data() + i * per_row();
    double even = 0, odd = 0; // two chains of additions instead of one
    size_t j = 0;
    for (; j + 1 < per_row(); j += 2) {
      even += v[ids[j]] * values[j];
      odd += v[ids[j + 1]] * values[j + 1];
    }
    if (j < per_row()) even += v[ids[j]] * values[j];
    return even + odd;
  }
  void add(double a, size_t i, double* v) const {
    const uint32_t* ids = ids_.data() + i * per_row();
    const double* values = values_.data() + i * per_row();
    for (size_t j = 0; j < per_row(); ++j) v[ids[j]] += a * values[j];
  }
  // v += a x, squares += b x^2.
  void add_both(double a, size_t i, double* v, double b, double* squares) const {
    const uint32_t* ids = ids_.data() + i * per_row();
    const double* values = values_.data() + i * per_row();
    for (size_t j = 0; j < per_row(); ++j) {
      v[ids[j]] += a * values[j];
      squares[ids[j]] += b * (values[j] * values[j]);
    }
  }

 private:
  size_t per_row() const { return kPerRow > 0 ? kPerRow : per_row_; }

  const size_t rows_, per_row_;
  std::vector<uint32_t> ids_, used_;
  std::vector<double> values_;
};

// Vectors over the dimensions have one more element, the bias.
template <typename Problem>
class Smooth {
 public:
  using Value = typename Problem::Value;

  Smooth(const Problem& problem, const int8_t* labels, const double* costs, const SvmOptions& options, double* alpha,
         Value* weights, SvmResult& result)
      : problem_(problem), labels_(labels), costs_(costs), options_(options), best_alpha_(alpha),
        best_weights_(weights), result_(result), dims_(problem.dims()), before_(result.iterations),
        alpha_(alpha, alpha + problem.size()), slack_(problem.size()), change_(problem.size()),
        products_(problem.size()), bend_(problem.size()), weights_(dims_ + 1), gradient_(dims_ + 1),
        direction_(dims_ + 1), residual_(dims_ + 1), scaled_(dims_ + 1), search_(dims_ + 1),
        preconditioner_(dims_ + 1), image_(dims_ + 1), narrow_(dims_), sums_(kCopies * dims_),
        parts_(2 * kCopies * dims_), within_(problem.size()), beyond_(problem.size()) {}

  void solve() {
    if (before_ > 0 && ends()) return;
    start();
    if (result_.converged) return;
    answer();
    // One step is made however late it is: weights of zero would answer nothing.
    if (!result_.converged) step();
    while (!ends()) step();
  }

 private:
  static constexpr size_t kCopies = Problem::kCopies;

  bool ends() const {
    return result_.converged || result_.iterations >= options_.max_iterations || is_late(options_);
  }

  // What the start is worth, before t is taken from w alone: nothing else keeps its alpha, nor sees that it is solved.
  void start() {
    double linear = 0, loss = 0;
    for (size_t i = 0; i < alpha_.size(); ++i) {
      alpha_[i] = std::max(alpha_[i], 0.0);
      linear += alpha_[i] - 0.25 / costs_[i] * (alpha_[i] * alpha_[i]);
      if (alpha_[i] == 0) continue;
      problem_.add(labels_[i] * alpha_[i], i, image_.data());
      image_[dims_] += labels_[i] * alpha_[i];
    }
    weights_ = image_;
    look();
    for (size_t i = 0; i < slack_.size(); ++i) {
      const double left = std::max(slack_[i], 0.0);
      loss += costs_[i] * (left * left);
    }
    count(alpha_.size());
    compare(loss, linear);
  }

  void step() {
    find_direction();
    const double step = line_search();
    for (size_t d = 0; d <= dims_; ++d) weights_[d] += step * direction_[d];
    if constexpr (std::is_same_v<Value, float>) {
      look(); // products of floats are too rough to add up
    } else {
      for (size_t i = 0; i < slack_.size(); ++i) slack_[i] -= step * change_[i];
    }
    answer();
  }

  // The slacks at w, after rounding it to what is returned.
  void look() {
    const Value* weights = narrow(weights_);
    for (size_t d = 0; d < dims_; ++d) weights_[d] = weights[d];
    for (size_t i = 0; i < slack_.size(); ++i) {
      slack_[i] = 1 - labels_[i] * (problem_.dot(weights, i) + weights_[dims_]);
    }
    count(slack_.size());
  }

  // t at w, and in the same pass what it is worth, w(t) and the diagonal of the Hessian.
  void answer() {
    part();
    std::fill(parts_.begin(), parts_.end(), 0.0);
    double bias = 0, bends = 1, linear = 0, loss = 0;
    for (size_t k = 0; k < within_.size(); ++k) {
      const uint32_t i = within_[k];
      double* part = parts_.data() + 2 * (k % kCopies) * dims_;
      const double bend = 2 * costs_[i];
      alpha_[i] = bend * slack_[i];
      // With z the slack, C z^2 is lost, and t - t^2 / 4C = 2 C z - C z^2.
      loss += 0.5 * alpha_[i] * slack_[i];
      linear += alpha_[i] - 0.5 * alpha_[i] * slack_[i];
      problem_.add_both(labels_[i] * alpha_[i], i, part, bend, part + dims_);
      bias += labels_[i] * alpha_[i];
      bends += bend;
    }
    for (const uint32_t i : beyond_) alpha_[i] = 0;
    std::fill(image_.begin(), image_.end(), 0.0);
    std::fill(preconditioner_.begin(), preconditioner_.end(), 1.0);
    for (size_t copy = 0; copy < kCopies; ++copy) {
      const double* part = parts_.data() + 2 * copy * dims_;
      for (size_t d = 0; d < dims_; ++d) image_[d] += part[d];
      for (size_t d = 0; d < dims_; ++d) preconditioner_[d] += part[dims_ + d];
    }
    image_[dims_] = bias;
    preconditioner_[dims_] = bends;
    count(2 * within_.size());
    compare(loss, linear);
  }

  // The rows by whether they are within the margin, without a branch that no processor can guess.
  void part() {
    const size_t rows = slack_.size();
    within_.resize(rows);
    beyond_.resize(rows);
    size_t within = 0, beyond = 0;
    for (uint32_t i = 0; i < rows; ++i) {
      const bool is_within = slack_[i] > 0;
      within_[within] = beyond_[beyond] = i;
      within += is_within;
      beyond += !is_within;
    }
    within_.resize(within);
    beyond_.resize(beyond);
  }

  // Both objectives at w and t, and the gradient.
  void compare(double loss, double linear) {
    for (size_t d = 0; d <= dims_; ++d) gradient_[d] = weights_[d] - image_[d];
    const double primal = 0.5 * sum_of_squares(weights_.data(), dims_ + 1) + loss;
    const double dual = linear - 0.5 * sum_of_squares(image_.data(), dims_ + 1);
    if (primal < result_.primal) {
      result_.primal = primal;
      for (size_t d = 0; d < dims_; ++d) best_weights_[d] = static_cast<Value>(weights_[d]);
      result_.bias = weights_[dims_];
    }
    if (dual > result_.dual) {
      result_.dual = dual;
      std::copy(alpha_.begin(), alpha_.end(), best_alpha_);
    }
    result_.converged = result_.primal - result_.dual <= options_.epsilon * result_.primal;
  }

  // Conjugate gradients on (I + sum over rows within the margin of 2 C_i x_i x_i') d = -gradient, preconditioned by the
  // diagonal, which has the bias in it: a feature of every row. The residual is the gradient after a whole step that
  // moves no row over the margin, so half its square is the gap that would be left: less than asked for is not needed.
  void find_direction() {
    for (const uint32_t i : within_) bend_[i] = 2 * costs_[i];
    std::fill(change_.begin(), change_.end(), 0.0);
    std::fill(direction_.begin(), direction_.end(), 0.0);
    for (size_t d = 0; d <= dims_; ++d) {
      preconditioner_[d] = 1 / preconditioner_[d];
      residual_[d] = -gradient_[d];
      search_[d] = scaled_[d] = residual_[d] * preconditioner_[d];
    }
    const double gap = kGapShare * options_.epsilon * result_.primal;
    double square = lanes_dot(residual_.data(), scaled_.data(), dims_ + 1);
    const double enough = kGradientTolerance * kGradientTolerance * square;
    for (size_t k = 0; k < kMaxGradients && square > enough && (k == 0 || !is_late(options_)); ++k) {
      apply_hessian();
      const double step = square / lanes_dot(search_.data(), image_.data(), dims_ + 1);
      for (size_t d = 0; d <= dims_; ++d) {
        direction_[d] += step * search_[d];
        residual_[d] -= step * image_[d];
        scaled_[d] = residual_[d] * preconditioner_[d];
      }
      for (const uint32_t i : within_) change_[i] += step * products_[i];
      if (0.5 * sum_of_squares(residual_.data(), dims_ + 1) <= gap) break;
      const double next = lanes_dot(residual_.data(), scaled_.data(), dims_ + 1);
      for (size_t d = 0; d <= dims_; ++d) search_[d] = scaled_[d] + next / square * search_[d];
      square = next;
    }
  }

  // image_ = Hessian * search_, in the precision of Value: the direction needs no more.
  void apply_hessian() {
    const Value* search = narrow(search_);
    std::fill(sums_.begin(), sums_.end(), Value{0});
    double bias = 0;
    for (size_t k = 0; k < within_.size(); ++k) {
      const uint32_t i = within_[k];
      products_[i] = problem_.dot(search, i) + search_[dims_];
      const double share = bend_[i] * products_[i];
      problem_.add(share, i, sums_.data() + k % kCopies * dims_);
      bias += share;
    }
    std::copy(search_.begin(), search_.end(), image_.begin());
    for (size_t copy = 0; copy < kCopies; ++copy) {
      for (size_t d = 0; d < dims_; ++d) image_[d] += sums_[copy * dims_ + d];
    }
    image_[dims_] = search_[dims_] + bias;
    count(2 * within_.size());
  }

  // About the minimum of P along the direction: the root of its slope, which is increasing and piecewise linear, by
  // Newton's method inside a bracket.
  double line_search() {
    const Value* direction = narrow(direction_);
    for (const uint32_t i : beyond_) change_[i] = problem_.dot(direction, i) + direction_[dims_];
    for (size_t i = 0; i < change_.size(); ++i) {
      change_[i] *= labels_[i];
      bend_[i] = 2 * costs_[i] * change_[i];
    }
    count(beyond_.size());
    const double straight = lanes_dot(weights_.data(), direction_.data(), dims_ + 1);
    const double bend = sum_of_squares(direction_.data(), dims_ + 1);
    const double first = std::fabs(lanes_dot(gradient_.data(), direction_.data(), dims_ + 1));
    return root_of_slope(kSlopeTolerance * first, [&](double step, double* curvature) {
      *curvature = bend;
      return straight + step * bend - slope(step, curvature);
    });
  }

  // sum_i t_i y_i d.x_i a step down the direction, and what rows within the margin add to P's curvature there; in four
  // lanes, so that the additions need not wait for one another.
  double slope(double step, double* curvature) const {
    double sums[4] = {}, bends[4] = {};
    const auto visit = [&](size_t i, size_t lane) {
      // Products instead of branches, which no processor could guess.
      const double left = slack_[i] - step * change_[i];
      sums[lane] += bend_[i] * std::max(left, 0.0);
      bends[lane] += bend_[i] * change_[i] * static_cast<double>(left > 0);
    };
    size_t i = 0;
    for (; i + 4 <= change_.size(); i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) visit(i + lane, lane);
    }
    for (; i < change_.size(); ++i) visit(i, i % 4);
    *curvature += (bends[0] + bends[2]) + (bends[1] + bends[3]);
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
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

  const Problem& problem_;
  const int8_t* labels_;
  const double* costs_;
  const SvmOptions& options_;
  double* best_alpha_;
  Value* best_weights_;
  SvmResult& result_;

  const size_t dims_;
  const uint32_t before_;
  uint64_t visited_ = 0;
  std::vector<double> alpha_, slack_;            // t and z at w
  std::vector<double> change_, products_, bend_; // how z falls along the direction; products with search_; 2 C (* change)
  std::vector<double> weights_, gradient_, direction_;
  std::vector<double> residual_, scaled_, search_, preconditioner_; // of the conjugate gradients
  std::vector<double> image_;                                       // Hessian * search_, or w(t)
  std::vector<Value> narrow_, sums_;                                // a vector rounded; rows' sums, kCopies of them
  std::vector<double> parts_;                                       // copies of w(t) and of the diagonal
  std::vector<uint32_t> within_, beyond_; // rows by the side of the margin they are on
};

template <size_t kPerRow>
void train_compact(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                   double* alpha, double* weights, SvmResult& result) {
  const CompactProblem<kPerRow> problem(rows);
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
  const DenseProblem problem(rows);
  Smooth<DenseProblem>(problem, labels, costs, options, alpha, weights, result).solve();
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
