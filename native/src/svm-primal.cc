// The method of multipliers for the SVM's dual (Rockafellar, Math. Oper. Res. 1976), its subproblems solved in the
// primal by Newton's method with conjugate gradients and an exact line search (Keerthi and DeCoste, JMLR 2005).
//
// With multipliers a_i and stiffnesses s_i of the rows, z_i = 1 - y_i f(x_i) and q_i = 0 (hinge) or 1 / 2C_i (squared
// hinge), a subproblem is
//   min_w F(w) = |w|^2 / 2 + sum_i max over 0 <= t <= U_i of  t z_i - q_i t^2 / 2 - (t - a_i)^2 / 2 s_i
// whose maximiser t_i = clamp((a_i + s_i z_i) / (1 + s_i q_i), 0, U_i) is feasible for the dual at any w. F is
// piecewise quadratic, grad F = w - w(t) with w(t) = sum_i t_i y_i x_i, and the duality gap splits into
//   P(w) - D(t) = |w - w(t)|^2 / 2 + sum_i (loss_i - t_i z_i + q_i t_i^2 / 2),
// what Newton steps lower and what only new multipliers a := t lower. So whichever part is larger says what is next.
//
// s_i is proportional to a_i, not one for all: where some alpha end at C and others at a ten-thousandth of it, a row
// of the second kind under the stiffness of the first is a wall that every Newton step runs into.
#include "svm-primal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "svm-problem.h"

namespace farsight {

namespace {

// Of conjugate gradients: the share of the preconditioned residual that is left to the next step.
constexpr double kGradientTolerance = 0.2;

// Vectors over the dimensions have one more element, the bias.
template <typename Problem>
class Multipliers {
 public:
  using Value = typename Problem::Value;
  Multipliers(const Problem& problem, const int8_t* labels, const double* costs, const SvmOptions& options,
              double* alpha, Value* weights, SvmResult& result);
  void solve();

 private:
  void renew();
  void look();
  void answer();
  void measure();
  void step();
  void find_direction();
  void apply_hessian();
  double line_search();
  double slope(double step, double* curvature) const;

  double upper(size_t i) const { return options_.squared_hinge ? kInfinity : costs_[i]; }
  double diagonal(size_t i) const { return options_.squared_hinge ? 0.5 / costs_[i] : 0; }
  double pull(size_t i, double slack) const { return lead_[i] + rise_[i] * slack; }
  bool is_free(size_t i, double pull) const { return pull > 0 && pull < upper(i); }
  void count(size_t products);

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  // The stiffness to begin with; by how much it grows when new multipliers leave more than kGain of their part.
  static constexpr double kStiffness = 1.5, kStiffer = 1.2, kGain = 0.5;
  static constexpr double kSlopeTolerance = 0.01;
  static constexpr int kScaleSteps = 24; // of best_scale: to 1e-7

  const Problem& problem_;
  const int8_t* labels_;
  const double* costs_;
  const SvmOptions& options_;
  double* best_alpha_;
  Value* best_weights_;
  SvmResult& result_;

  const size_t dims_;
  std::vector<double> lead_, rise_;             // a_i / (1 + s_i q_i) and s_i / (1 + s_i q_i)
  std::vector<double> alpha_, slack_, change_;  // t and z at w, and how z falls along the direction
  double stiffer_ = kStiffness, floor_ = 0;     // s_i = stiffer_ * max(a_i, floor_)
  std::vector<double> weights_, gradient_, direction_;
  std::vector<double> residual_, scaled_, search_, preconditioner_; // of the conjugate gradients
  std::vector<double> image_;                                       // Hessian * search_, or w(t)
  std::vector<Value> narrow_, sum_;                                 // as the problem's products want them
  std::vector<uint32_t> free_;
  double inner_ = 0, outer_ = 0; // the two parts of the gap
  uint64_t products_ = 0;
  const uint32_t before_;
};

template <typename Problem>
Multipliers<Problem>::Multipliers(const Problem& problem, const int8_t* labels, const double* costs,
                                  const SvmOptions& options, double* alpha, Value* weights, SvmResult& result)
    : problem_(problem), labels_(labels), costs_(costs), options_(options), best_alpha_(alpha),
      best_weights_(weights), result_(result), dims_(problem.dims()),
      lead_(problem.size()), rise_(problem.size()), alpha_(alpha, alpha + problem.size()), slack_(problem.size()),
      change_(problem.size()), weights_(dims_ + 1), gradient_(dims_ + 1), direction_(dims_ + 1), residual_(dims_ + 1),
      scaled_(dims_ + 1), search_(dims_ + 1), preconditioner_(dims_ + 1), image_(dims_ + 1), narrow_(dims_),
      sum_(dims_), before_(result.iterations) {
  size_t positive = 0;
  for (double& a : alpha_) {
    a = std::max(a, 0.0);
    floor_ += a;
    positive += a > 0;
  }
  floor_ = positive > 0 ? floor_ / positive : 1;
}

template <typename Problem>
void Multipliers<Problem>::solve() {
  const auto ends = [this] {
    return result_.converged || result_.iterations >= options_.max_iterations || is_late(options_);
  };
  if (ends()) return;
  for (size_t i = 0; i < alpha_.size(); ++i) {
    problem_.add(labels_[i] * alpha_[i], i, weights_.data());
    weights_[dims_] += labels_[i] * alpha_[i];
  }
  image_ = weights_;
  look();
  double last = kInfinity;
  while (!ends()) {
    renew();
    do {
      step();
    } while (inner_ > outer_ && !ends());
    if (outer_ > kGain * last) stiffer_ *= kStiffer;
    last = outer_;
  }
}

// New multipliers, and where they leave the gradient.
template <typename Problem>
void Multipliers<Problem>::renew() {
  for (size_t i = 0; i < alpha_.size(); ++i) {
    const double stiffness = stiffer_ * std::max(alpha_[i], floor_);
    const double share = 1 / (1 + stiffness * diagonal(i));
    lead_[i] = alpha_[i] * share;
    rise_[i] = stiffness * share;
  }
  answer();
  measure();
}

// The slacks at w, after rounding it to what is returned.
template <typename Problem>
void Multipliers<Problem>::look() {
  for (size_t d = 0; d < dims_; ++d) weights_[d] = narrow_[d] = static_cast<Value>(weights_[d]);
  for (size_t i = 0; i < slack_.size(); ++i) {
    slack_[i] = 1 - labels_[i] * (problem_.dot(narrow_.data(), i) + weights_[dims_]);
  }
  count(slack_.size());
}

// t and the gradient at w.
template <typename Problem>
void Multipliers<Problem>::answer() {
  std::fill(image_.begin(), image_.end(), 0.0);
  for (size_t i = 0; i < alpha_.size(); ++i) {
    alpha_[i] = std::clamp(pull(i, slack_[i]), 0.0, upper(i));
    if (alpha_[i] == 0) continue;
    problem_.add(labels_[i] * alpha_[i], i, image_.data());
    image_[dims_] += labels_[i] * alpha_[i];
  }
  for (size_t d = 0; d <= dims_; ++d) gradient_[d] = weights_[d] - image_[d];
  count(alpha_.size());
}

// Both objectives, the primal at the best multiple of w, and the parts of the gap at w itself.
template <typename Problem>
void Multipliers<Problem>::measure() {
  double linear = 0, loss = 0, met = 0;
  for (size_t i = 0; i < alpha_.size(); ++i) {
    const double left = std::max(slack_[i], 0.0);
    const double square = 0.5 * diagonal(i) * alpha_[i] * alpha_[i];
    linear += alpha_[i] - square;
    loss += costs_[i] * (options_.squared_hinge ? left * left : left);
    met += alpha_[i] * slack_[i] - square;
  }
  inner_ = 0.5 * sum_of_squares(gradient_.data(), dims_ + 1);
  outer_ = loss - met;
  const Measured measured{sum_of_squares(weights_.data(), dims_ + 1), slack_, costs_, options_.squared_hinge};
  const double scale = measured.best_scale(kScaleSteps);
  const double primal = measured.primal(scale);
  const double dual = linear - 0.5 * sum_of_squares(image_.data(), dims_ + 1);
  if (primal < result_.primal) {
    result_.primal = primal;
    for (size_t d = 0; d < dims_; ++d) best_weights_[d] = static_cast<Value>(weights_[d] * scale);
    result_.bias = weights_[dims_] * scale;
  }
  if (dual > result_.dual) {
    result_.dual = dual;
    std::copy(alpha_.begin(), alpha_.end(), best_alpha_);
  }
  result_.converged = result_.primal - result_.dual <= options_.epsilon * result_.primal;
}

template <typename Problem>
void Multipliers<Problem>::step() {
  find_direction();
  const double step = line_search();
  for (size_t d = 0; d <= dims_; ++d) weights_[d] += step * direction_[d];
  look();
  answer();
  measure();
}

// Conjugate gradients on (I + sum over free rows of s_i / (1 + s_i q_i) x_i x_i') d = -gradient, preconditioned by the
// diagonal, which has the bias in it: a feature of every row.
template <typename Problem>
void Multipliers<Problem>::find_direction() {
  free_.clear();
  std::fill(preconditioner_.begin(), preconditioner_.end(), 1.0);
  for (uint32_t i = 0; i < alpha_.size(); ++i) {
    if (!is_free(i, pull(i, slack_[i]))) continue;
    free_.push_back(i);
    problem_.add_squares(rise_[i], i, preconditioner_.data());
    preconditioner_[dims_] += rise_[i];
  }
  count(free_.size());
  std::fill(direction_.begin(), direction_.end(), 0.0);
  for (size_t d = 0; d <= dims_; ++d) {
    residual_[d] = -gradient_[d];
    search_[d] = scaled_[d] = residual_[d] / preconditioner_[d];
  }
  double square = lanes_dot(residual_.data(), scaled_.data(), dims_ + 1);
  const double enough = kGradientTolerance * kGradientTolerance * square;
  for (size_t k = 0; k < kMaxGradients && square > enough && (k == 0 || !is_late(options_)); ++k) {
    apply_hessian();
    const double step = square / lanes_dot(search_.data(), image_.data(), dims_ + 1);
    for (size_t d = 0; d <= dims_; ++d) {
      direction_[d] += step * search_[d];
      residual_[d] -= step * image_[d];
      scaled_[d] = residual_[d] / preconditioner_[d];
    }
    const double next = lanes_dot(residual_.data(), scaled_.data(), dims_ + 1);
    for (size_t d = 0; d <= dims_; ++d) search_[d] = scaled_[d] + next / square * search_[d];
    square = next;
  }
}

// image_ = Hessian * search_, in the precision of Value: the direction needs no more.
template <typename Problem>
void Multipliers<Problem>::apply_hessian() {
  for (size_t d = 0; d < dims_; ++d) narrow_[d] = static_cast<Value>(search_[d]);
  std::fill(sum_.begin(), sum_.end(), Value{0});
  double bias = 0;
  for (const uint32_t i : free_) {
    const double share = rise_[i] * (problem_.dot(narrow_.data(), i) + search_[dims_]);
    problem_.add(share, i, sum_.data());
    bias += share;
  }
  for (size_t d = 0; d < dims_; ++d) image_[d] = search_[d] + sum_[d];
  image_[dims_] = search_[dims_] + bias;
  count(2 * free_.size());
}

// The minimum of F along the direction: the root of its slope, which is increasing and piecewise linear, by Newton's
// method inside a bracket.
template <typename Problem>
double Multipliers<Problem>::line_search() {
  for (size_t d = 0; d < dims_; ++d) narrow_[d] = static_cast<Value>(direction_[d]);
  for (size_t i = 0; i < change_.size(); ++i) {
    change_[i] = labels_[i] * (problem_.dot(narrow_.data(), i) + direction_[dims_]);
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

// sum_i t_i y_i d.x_i a step down the direction, and what the free rows add to F's curvature there.
template <typename Problem>
double Multipliers<Problem>::slope(double step, double* curvature) const {
  double sum = 0;
  for (size_t i = 0; i < change_.size(); ++i) {
    const double at = pull(i, slack_[i] - step * change_[i]);
    sum += std::clamp(at, 0.0, upper(i)) * change_[i];
    *curvature += is_free(i, at) ? rise_[i] * change_[i] * change_[i] : 0;
  }
  return sum;
}

template <typename Problem>
void Multipliers<Problem>::count(size_t products) {
  products_ += products;
  const uint64_t pass = kProductsPerVisit * std::max<size_t>(problem_.size(), 1);
  result_.iterations = before_ + static_cast<uint32_t>((products_ + pass - 1) / pass);
}

} // namespace

void train_primal(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, float* weights, SvmResult& result) {
  const DenseProblem problem(rows);
  Multipliers<DenseProblem>(problem, labels, costs, options, alpha, weights, result).solve();
}

// Over the features that occur: a thousand rows have few of a large vocabulary, and here vectors of all are walked.
void train_primal(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, double* weights, SvmResult& result) {
  std::vector<uint32_t> place(rows.dims, 0), used, ids(rows.rows * rows.per_row, 0);
  for (size_t j = 0; j < ids.size(); ++j) {
    if (rows.values[j] == 0) continue;
    const uint32_t id = rows.ids[j];
    if (place[id] == 0) {
      used.push_back(id);
      place[id] = static_cast<uint32_t>(used.size());
    }
    ids[j] = place[id] - 1;
  }
  const SparseRows compact{ids.data(), rows.values, rows.rows, rows.per_row, std::max<size_t>(used.size(), 1)};
  std::vector<double> compact_weights(compact.dims);
  for (size_t k = 0; k < used.size(); ++k) compact_weights[k] = weights[used[k]];
  const SparseProblem problem(compact);
  Multipliers<SparseProblem>(problem, labels, costs, options, alpha, compact_weights.data(), result).solve();
  for (size_t k = 0; k < used.size(); ++k) weights[used[k]] = compact_weights[k];
}

} // namespace farsight
