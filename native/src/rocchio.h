// Rocchio's relevance weights (Rocchio 1965): mean of the positives * positive_weight - mean of the negatives *
// negative_weight. The k-NN query of the papers' baselines, usable as a linear model without bias.
#pragma once

#include "svm.h"

namespace farsight {

void rocchio(const DenseRows& rows, const int8_t* labels, double positive_weight, double negative_weight,
             float* weights);
void rocchio(const SparseRows& rows, const int8_t* labels, double positive_weight, double negative_weight,
             float* weights);

} // namespace farsight
