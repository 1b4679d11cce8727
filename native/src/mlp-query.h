// A multilayer perceptron as a query over codes.
#pragma once

#include <memory>

#include "codes.h"
#include "mlp.h"

namespace farsight {

// The score in double over what decode() returns: exact() of prepare_mlp. A unit's sum is its bias plus lanes_dot
// (svm-problem.h) of weights and inputs; in the first layer over sparse rows, the bias and one product after another.
double exact_score(const MlpModel& model, bool sparse, size_t row_values, const uint32_t* ids, const float* values);

// Both refer to the model and the codes. The model's inputs are the codes' dimensions.
std::unique_ptr<Query> prepare_mlp(const MlpModel& model, const Codes& codes);

// exact(slot) is the variance of the scores around representative `slot` to the first order, sum_d (df/dx_d)^2 var_d,
// from the variances of the dimensions, taken as independent; the derivatives are those at the representative.
std::unique_ptr<Query> prepare_mlp_spread(const MlpModel& model, const Codes& representatives, const Codes& spread);

} // namespace farsight
