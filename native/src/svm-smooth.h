// The SVM with a squared hinge and a moderate C, by Newton's method in the primal: some tens of passes over the rows in
// all, where coordinate descent crawls.
#pragma once

#include "svm.h"

namespace farsight {

// Whether this is the faster way: squared hinge, no cost above kSmoothCost.
inline constexpr double kSmoothCost = 100;
bool is_smooth(const SvmOptions& options, const double* costs, size_t rows);

// Continues from alpha and what `result` says of it and of the weights, which are objectives of feasible points: all
// are replaced by better ones only. Counts its work in result.iterations and stops as SvmOptions says.
void train_smooth(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, float* weights, SvmResult& result);
void train_smooth(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, double* weights, SvmResult& result);

} // namespace farsight
