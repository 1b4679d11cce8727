// The SVM in the primal: its second phase, for rows that no plane separates at a large C. There the weights stay finite
// while alpha grows with C, so a dual method has far to go and the primal is the better conditioned problem.
#pragma once

#include "svm.h"

namespace farsight {

// Continues from alpha and what `result` says of it and of the weights, which are objectives of feasible points: all
// are replaced by better ones only. Counts its work in result.iterations and stops as SvmOptions says.
void train_primal(const DenseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, float* weights, SvmResult& result);
void train_primal(const SparseRows& rows, const int8_t* labels, const double* costs, const SvmOptions& options,
                  double* alpha, double* weights, SvmResult& result);

} // namespace farsight
