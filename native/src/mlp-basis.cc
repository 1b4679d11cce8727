// Coordinates of rows, and units over coordinates as units over dimensions.
#include "mlp-basis.h"

#include <algorithm>
#include <cmath>

#include "kernels.h"

namespace farsight {

namespace {

constexpr uint32_t kNone = UINT32_MAX;

void copy_row(const DenseRows& rows, size_t i, float* out) { std::copy_n(rows.values + i * rows.dims, rows.dims, out); }
void copy_row(const SparseRows& rows, size_t i, float* out) {
  for (size_t j = i * rows.per_row; j < (i + 1) * rows.per_row; ++j) out[rows.ids[j]] += rows.values[j];
}

// The products of every row with the prototypes, from column `from` on.
void products(const DenseRows& rows, const std::vector<uint32_t>& prototypes, size_t from, NetRows& out) {
  constexpr size_t kRows = 64; // which stay in the second-level cache while they meet every panel of prototypes
  const size_t panels = (prototypes.size() + kLayerRows - 1) / kLayerRows;
  std::vector<float> panel(panels * rows.dims * kLayerRows), zeros(kRows), sums(kRows * kLayerRows);
  for (size_t p = 0; p < prototypes.size(); ++p) {
    float* lane = panel.data() + p / kLayerRows * rows.dims * kLayerRows + p % kLayerRows;
    const float* row = rows.values + prototypes[p] * rows.dims;
    for (size_t d = 0; d < rows.dims; ++d) lane[d * kLayerRows] = row[d];
  }
  for (size_t first = 0; first < rows.rows; first += kRows) {
    const size_t count = std::min(kRows, rows.rows - first);
    const Layer layer{rows.values + first * rows.dims, rows.dims, zeros.data(), rows.dims, count};
    for (size_t p = 0; p < panels; ++p) {
      layer_kernels().layer(panel.data() + p * rows.dims * kLayerRows, kLayerRows, layer, sums.data(), kLayerRows);
      const size_t width = std::min(kLayerRows, prototypes.size() - p * kLayerRows);
      for (size_t r = 0; r < count; ++r) {
        std::copy_n(sums.data() + r * kLayerRows, width, out.row(first + r) + from + p * kLayerRows);
      }
    }
  }
}

void products(const SparseRows& rows, const std::vector<uint32_t>& prototypes, size_t from, NetRows& out) {
  // What the prototypes have of every feature of theirs, side by side.
  std::vector<uint32_t> place(rows.dims, kNone);
  std::vector<float> table;
  for (size_t p = 0; p < prototypes.size(); ++p) {
    for (size_t j = prototypes[p] * rows.per_row; j < (prototypes[p] + 1) * rows.per_row; ++j) {
      if (rows.values[j] == 0) continue;
      uint32_t& at = place[rows.ids[j]];
      if (at == kNone) {
        at = static_cast<uint32_t>(table.size());
        table.resize(table.size() + prototypes.size());
      }
      table[at + p] += rows.values[j];
    }
  }
  for (size_t i = 0; i < rows.rows; ++i) {
    for (size_t j = i * rows.per_row; j < (i + 1) * rows.per_row; ++j) {
      if (rows.values[j] == 0 || place[rows.ids[j]] == kNone) continue;
      kernels().axpy(rows.values[j], table.data() + place[rows.ids[j]], out.row(i) + from, prototypes.size());
    }
  }
}

void add_row(const DenseRows& rows, size_t i, float share, float* weights) {
  kernels().axpy(share, rows.values + i * rows.dims, weights, rows.dims);
}
void add_row(const SparseRows& rows, size_t i, float share, float* weights) {
  for (size_t j = i * rows.per_row; j < (i + 1) * rows.per_row; ++j) weights[rows.ids[j]] += share * rows.values[j];
}

} // namespace

template <typename Rows>
MlpBasis<Rows>::MlpBasis(const Rows& rows, const LinearStart& linear, std::vector<uint32_t> prototypes,
                         const std::vector<uint32_t>& seen)
    : rows_(rows), linear_(&linear),
      prototypes_(rows.dims <= kOwnDims ? std::vector<uint32_t>() : std::move(prototypes)),
      coordinates_(1 + (rows.dims <= kOwnDims ? rows.dims : prototypes_.size()), rows.rows) {
  for (size_t i = 0; i < rows.rows; ++i) {
    coordinates_.row(i)[0] = static_cast<float>(linear.scores[i]);
    if (rows.dims <= kOwnDims) copy_row(rows, i, coordinates_.row(i) + 1);
  }
  if (rows.dims > kOwnDims) products(rows, prototypes_, 1, coordinates_);
  standardise(seen);
}

// A coordinate that is constant, or not finite, is left at 0.
template <typename Rows>
void MlpBasis<Rows>::standardise(const std::vector<uint32_t>& seen) {
  const size_t width = coordinates_.inputs;
  std::vector<double> squares(width);
  mean_.assign(width, 0);
  const double share = 1.0 / static_cast<double>(seen.size());
  for (const uint32_t i : seen) {
    for (size_t d = 0; d < width; ++d) mean_[d] += share * coordinates_.row(i)[d];
  }
  for (const uint32_t i : seen) {
    for (size_t d = 0; d < width; ++d) {
      const double difference = coordinates_.row(i)[d] - mean_[d];
      squares[d] += share * difference * difference;
    }
  }
  factor_.assign(width, 0);
  for (size_t d = 0; d < width; ++d) {
    // Below a millionth of the mean, a deviation is rounding.
    const bool varies = std::isfinite(squares[d]) && squares[d] > 1e-12 * mean_[d] * mean_[d] && squares[d] > 1e-60;
    if (varies) factor_[d] = 1 / std::sqrt(squares[d]);
  }
  for (size_t i = 0; i < rows_.rows; ++i) {
    float* row = coordinates_.row(i);
    for (size_t d = 0; d < width; ++d) {
      row[d] = factor_[d] == 0 ? 0 : static_cast<float>((row[d] - mean_[d]) * factor_[d]);
    }
  }
}

template <typename Rows>
void MlpBasis<Rows>::replace(const LinearStart& linear) {
  double mean = 0, square = 0;
  const double share = 1.0 / static_cast<double>(linear.scores.size());
  for (const double score : linear.scores) mean += share * score;
  for (const double score : linear.scores) square += share * (score - mean) * (score - mean);
  if (!std::isfinite(square) || !(square > 1e-12 * mean * mean) || factor_[0] == 0) return;
  linear_ = &linear;
  mean_[0] = mean;
  factor_[0] = 1 / std::sqrt(square);
}

template <typename Rows>
void MlpBasis<Rows>::fold(const float* unit, double bias, float* weights, float* folded_bias) const {
  std::fill_n(weights, rows_.dims, 0.0f);
  const double linear = unit[0] * factor_[0];
  bias += linear * (linear_->bias - mean_[0]);
  kernels().axpy(static_cast<float>(linear), linear_->weights.data(), weights, rows_.dims);
  for (size_t j = 1; j < coordinates_.inputs; ++j) {
    if (factor_[j] == 0) continue;
    const double share = unit[j] * factor_[j];
    bias -= share * mean_[j];
    if (rows_.dims <= kOwnDims) {
      weights[j - 1] += static_cast<float>(share);
    } else {
      add_row(rows_, prototypes_[j - 1], static_cast<float>(share), weights);
    }
  }
  *folded_bias = static_cast<float>(bias);
}

template class MlpBasis<DenseRows>;
template class MlpBasis<SparseRows>;

} // namespace farsight
