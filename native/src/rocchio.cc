// Sums in double, row after row.
#include "rocchio.h"

#include <algorithm>
#include <vector>

namespace farsight {

namespace {

void add_row(const DenseRows& rows, size_t i, double share, double* weights) {
  for (size_t d = 0; d < rows.dims; ++d) weights[d] += share * rows.values[i * rows.dims + d];
}

void add_row(const SparseRows& rows, size_t i, double share, double* weights) {
  for (size_t j = i * rows.per_row; j < (i + 1) * rows.per_row; ++j) weights[rows.ids[j]] += share * rows.values[j];
}

template <typename Rows>
void relevance_weights(const Rows& rows, const int8_t* labels, double positive_weight, double negative_weight,
                       float* weights) {
  const size_t positives = std::count_if(labels, labels + rows.rows, [](int8_t label) { return label > 0; });
  const double positive_share = positive_weight / std::max<size_t>(positives, 1);
  const double negative_share = -negative_weight / std::max<size_t>(rows.rows - positives, 1);
  std::vector<double> sum(rows.dims, 0.0);
  for (size_t i = 0; i < rows.rows; ++i) add_row(rows, i, labels[i] > 0 ? positive_share : negative_share, sum.data());
  std::transform(sum.begin(), sum.end(), weights, [](double value) { return static_cast<float>(value); });
}

} // namespace

void rocchio(const DenseRows& rows, const int8_t* labels, double positive_weight, double negative_weight,
             float* weights) {
  relevance_weights(rows, labels, positive_weight, negative_weight, weights);
}

void rocchio(const SparseRows& rows, const int8_t* labels, double positive_weight, double negative_weight,
             float* weights) {
  relevance_weights(rows, labels, positive_weight, negative_weight, weights);
}

} // namespace farsight
