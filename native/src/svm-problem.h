// What the solvers of the SVM share: the rows as they see them, the primal objective along a ray, and the line search.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels.h"
#include "svm.h"

namespace farsight {

// Conjugate gradients of a step in the primal, at most.
inline constexpr size_t kMaxGradients = 300;
// An iteration is a pass of visits. A visit of coordinate descent is two products of a row with a vector, each waiting
// for the other. In the primal products are independent: four count as a visit, which makes an iteration take 1 to 2
// times as long as a pass of visits.
inline constexpr uint64_t kProductsPerVisit = 4;

// Where the slope along a direction, increasing and piecewise linear, is `small` or less: Newton's method from a step
// of 1, inside a bracket. `slope(step, &curvature)` gives both at a step.
template <typename Slope>
double root_of_slope(double small, Slope slope) {
  constexpr int kMaxTrials = 40;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double step = 1, low = 0, high = kInfinity;
  for (int trial = 0; trial < kMaxTrials; ++trial) {
    double curvature = 0;
    const double at = slope(step, &curvature);
    if (std::fabs(at) <= small) break;
    (at > 0 ? high : low) = step;
    const double next = step - at / curvature;
    if (next > low && next < high) {
      step = next;
    } else {
      step = high < kInfinity ? 0.5 * (low + high) : 2 * step;
    }
  }
  return step;
}

// The rows: with a vector v of dims() values, v.x, v += a x, v += a x^2 (by element), and x.x. Value is what the
// weights are kept in while they are trained.
class DenseProblem {
 public:
  using Value = float;
  explicit DenseProblem(const DenseRows& rows) : rows_(rows) {}
  size_t size() const { return rows_.rows; }
  size_t dims() const { return rows_.dims; }
  double dot(const float* v, size_t i) const { return kernels_.dot(v, row(i), rows_.dims); }
  void add(double a, size_t i, float* v) const { kernels_.axpy(static_cast<float>(a), row(i), v, rows_.dims); }
  void add(double a, size_t i, double* v) const;
  void add_squares(double a, size_t i, double* v) const;
  void add_both(double a, size_t i, double* v, double b, double* squares) const {
    add(a, i, v);
    add_squares(b, i, squares);
  }
  double square(size_t i) const { return kernels_.dot(row(i), row(i), rows_.dims); }

 private:
  const float* row(size_t i) const { return rows_.values + i * rows_.dims; }

  const DenseRows& rows_;
  const Kernels& kernels_ = kernels();
};

class SparseProblem {
 public:
  using Value = double;
  explicit SparseProblem(const SparseRows& rows) : rows_(rows) {}
  size_t size() const { return rows_.rows; }
  size_t dims() const { return rows_.dims; }
  double dot(const double* v, size_t i) const;
  void add(double a, size_t i, double* v) const;
  void add_squares(double a, size_t i, double* v) const;
  double square(size_t i) const;

 private:
  const SparseRows& rows_;
};

// Weights and what is known of the rows under them: |w|^2 + b^2 and the slacks 1 - y_i f(x_i).
struct Measured {
  double weights_square;
  const std::vector<double>& slack;
  const double* costs;
  bool squared_hinge;

  double primal(double scale) const; // objective of scale * w
  double best_scale(int steps) const;
};

// x.y in eight lanes, so that the additions need not wait for one another.
template <typename X, typename Y>
double lanes_dot(const X* x, const Y* y, size_t n) {
  double lanes[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t l = 0; l < 8; ++l) lanes[l] += double(x[i + l]) * double(y[i + l]);
  }
  for (; i < n; ++i) lanes[i % 8] += double(x[i]) * double(y[i]);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <typename Value>
double sum_of_squares(const Value* values, size_t n) {
  return lanes_dot(values, values, n);
}

inline bool is_late(const SvmOptions& options) {
  using Clock = std::chrono::steady_clock;
  return options.deadline != Clock::time_point::max() && Clock::now() >= options.deadline;
}

inline void DenseProblem::add(double a, size_t i, double* v) const {
  const float* x = row(i);
  for (size_t d = 0; d < rows_.dims; ++d) v[d] += a * x[d];
}

inline void DenseProblem::add_squares(double a, size_t i, double* v) const {
  const float* x = row(i);
  for (size_t d = 0; d < rows_.dims; ++d) v[d] += a * (double(x[d]) * x[d]);
}

inline double SparseProblem::dot(const double* v, size_t i) const {
  const uint32_t* ids = rows_.ids + i * rows_.per_row;
  const float* values = rows_.values + i * rows_.per_row;
  double even = 0, odd = 0; // two chains of additions instead of one
  size_t j = 0;
  for (; j + 1 < rows_.per_row; j += 2) {
    even += v[ids[j]] * values[j];
    odd += v[ids[j + 1]] * values[j + 1];
  }
  if (j < rows_.per_row) even += v[ids[j]] * values[j];
  return even + odd;
}

inline void SparseProblem::add(double a, size_t i, double* v) const {
  const uint32_t* ids = rows_.ids + i * rows_.per_row;
  const float* values = rows_.values + i * rows_.per_row;
  for (size_t j = 0; j < rows_.per_row; ++j) v[ids[j]] += a * values[j];
}

inline void SparseProblem::add_squares(double a, size_t i, double* v) const {
  const uint32_t* ids = rows_.ids + i * rows_.per_row;
  const float* values = rows_.values + i * rows_.per_row;
  for (size_t j = 0; j < rows_.per_row; ++j) v[ids[j]] += a * (double(values[j]) * values[j]);
}

inline double SparseProblem::square(size_t i) const {
  return sum_of_squares(rows_.values + i * rows_.per_row, rows_.per_row);
}

inline double Measured::primal(double scale) const {
  double loss = 0;
  for (size_t i = 0; i < slack.size(); ++i) {
    const double left = std::max(1 - scale * (1 - slack[i]), 0.0);
    loss += costs[i] * (squared_hinge ? left * left : left);
  }
  return 0.5 * scale * scale * weights_square + loss;
}

// The s in [1/2, 2] with the smallest primal at s w, by bisection of its derivative
//   s |w|^2 - sum over s m_i < 1 of C_i m_i (hinge)  or  2 C_i m_i (1 - s m_i) (squared),  m_i = y_i f(x_i).
// At a large C it matters: on separable rows w reaches the margins only in the limit, and C times a slack of 1e-6 on
// every support vector is more than |w|^2 / 2, while s w is past them for a relative cost of 2e-6. Hence also the
// upper end of the bracket and the last factor: a step too far costs the primal at most twice the step, relatively
// (right of the optimum only w and the rows with m_i < 0 raise it, which are in it with s |m_i| and more), and it
// covers the rounding of float weights.
inline double Measured::best_scale(int steps) const {
  double low = 0.5, high = 2;
  for (int step = 0; step < steps; ++step) {
    const double s = 0.5 * (low + high);
    double pull = 0;
    for (size_t i = 0; i < slack.size(); ++i) {
      const double at = 1 - slack[i];
      const double left = 1 - s * at;
      const double weight = squared_hinge ? 2 * left : 1;
      pull += left > 0 ? costs[i] * at * weight : 0;
    }
    (s * weights_square > pull ? high : low) = s;
  }
  return high * (1 + 1e-6);
}

} // namespace farsight
