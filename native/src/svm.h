// Linear models from a few thousand labelled rows.
//
// The SVM is LIBLINEAR's dual coordinate descent (Hsieh et al., ICML 2008) with shrinking and a seeded permutation:
//   min_w 1/2 w.w + sum_i C_i max(0, 1 - y_i (w.x_i + b))        hinge (L1 loss)
//   min_w 1/2 w.w + sum_i C_i max(0, 1 - y_i (w.x_i + b))^2      squared hinge (L2 loss)
// where b is the weight of a constant feature 1 and is regularised with w, as in LIBLINEAR -B 1. Where that crawls, on
// rows that no plane separates at a large C, svm-primal.h takes over; sparse rows with a squared hinge and a moderate C
// begin there. Both stop on the measured duality gap, not on the gradient: a gradient tolerance promises little at
// C = 1e4, the gap bounds the distance of the objective from its optimum at any C. An epsilon below 2e-6 is not
// reached: see Measured::best_scale.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace farsight {

struct DenseRows {
  const float* values; // rows x dims, row-major
  size_t rows;
  size_t dims;
};

// A value of 0 pads a row; an id may then be anything below dims.
struct SparseRows {
  const uint32_t* ids; // rows x per_row
  const float* values; // rows x per_row
  size_t rows;
  size_t per_row;
  size_t dims;
};

struct SvmOptions {
  bool squared_hinge = false;
  double epsilon = 1e-3; // stops at primal - dual <= epsilon * primal; the optimum lies between the two
  uint32_t max_iterations = 1000; // about this much work at most, in passes over all rows
  uint64_t seed = 0;
  // Training stops here too, with the best so far.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct SvmResult {
  double bias = 0;
  double primal = 0; // objective at the returned weights
  double dual = 0;   // objective of the dual at the returned alpha (<= primal, equal at the optimum)
  uint32_t iterations = 0;
  bool converged = false; // false: max_iterations or the deadline came first
};

// labels: +1 or -1 per row. costs: C_i > 0 per row. alpha: in, the starting point (warm start; clipped to
// where the optimum can be), out, the solution of the dual. weights: dims floats out, the solution of the primal.
SvmResult train_svm(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                    double* alpha, float* weights);
SvmResult train_svm(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                    double* alpha, float* weights);

} // namespace farsight
