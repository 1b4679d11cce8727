// Rows of few features as Newton's method for the SVM walks them; see svm-smooth.cc.
#pragma once

#include <algorithm>
#include <vector>

#include "svm.h"

namespace farsight {

// Sparse rows over the features that occur: a thousand rows have few of a large vocabulary, and vectors of all are
// walked. kPerRow: features of a row, known to the compiler; 0 for any number. The values given are to outlive it.
template <size_t kPerRow>
class CompactProblem {
 public:
  using Value = double;
  static constexpr bool kIsExact = true; // products may be added up

  explicit CompactProblem(const SparseRows& rows)
      : rows_(rows.rows), per_row_(rows.per_row), values_(rows.values), ids_(rows.rows * rows.per_row) {
    std::vector<uint32_t> place(rows.dims, 0);
    for (size_t j = 0; j < ids_.size(); ++j) {
      const uint32_t id = rows.ids[j];
      uint32_t at = place[id];
      if (at == 0) {
        if (values_[j] == 0) continue;
        used_.push_back(id);
        place[id] = at = static_cast<uint32_t>(used_.size());
      }
      ids_[j] = at - 1;
    }
    copies_ = dims() <= kFewDims ? kCopies : 1;
    narrow_.resize(dims());
    sums_.resize(copies_ * dims());
    within_ids_.resize(ids_.size());
    within_values_.resize(ids_.size());
  }

  size_t size() const { return rows_; }
  size_t dims() const { return std::max<size_t>(used_.size(), 1); }
  const std::vector<uint32_t>& used() const { return used_; }

  double dot(const double* v, size_t i) const { return product(v, ids_.data(), values_, i); }
  void add(double a, size_t i, double* v) const { accumulate(a, ids_.data(), values_, i, v); }
  void add_squares(double a, size_t i, double* v) const {
    const uint32_t* ids = ids_.data() + i * per_row();
    const float* values = values_ + i * per_row();
    for (size_t j = 0; j < per_row(); ++j) v[ids[j]] += a * (double(values[j]) * values[j]);
  }
  void add_both(double a, size_t i, double* v, double b, double* squares) const {
    add(a, i, v);
    add_squares(b, i, squares);
  }

  // The rows that apply_hessian() walks, from now on: they are copied to lie one after the other.
  void lay_out(const std::vector<uint32_t>& within) {
    uint32_t* ids = within_ids_.data();
    float* values = within_values_.data();
    for (const uint32_t i : within) {
      const uint32_t* row_ids = ids_.data() + i * per_row();
      const float* row_values = values_ + i * per_row();
      for (size_t j = 0; j < per_row(); ++j) *ids++ = row_ids[j];
      for (size_t j = 0; j < per_row(); ++j) *values++ = row_values[j];
    }
  }

  // out = v + sum_k bends[k] (x_k.v + bias) x_k over the rows laid out, their products and sums in float; returns the
  // same of the bias.
  double apply_hessian(const std::vector<float>& bends, const double* v, double bias, double* out) {
    const size_t dims = this->dims(), copies = copies_;
    // Locals, so that the compiler sees that no sum is one of them.
    const uint32_t* ids = within_ids_.data();
    const float* values = within_values_.data();
    const float* bend = bends.data();
    float* narrow = narrow_.data();
    float* sums = sums_.data();
    for (size_t d = 0; d < dims; ++d) narrow[d] = static_cast<float>(v[d]);
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    const float narrow_bias = static_cast<float>(bias);
    float shares = 0;
    for (size_t k = 0; k < bends.size(); ++k) {
      const float share = bend[k] * (product(narrow, ids, values, k) + narrow_bias);
      accumulate(share, ids, values, k, sums + (k & (copies - 1)) * dims);
      shares += share;
    }
    for (size_t d = 0; d < dims; ++d) out[d] = v[d] + sums[d];
    for (size_t copy = 1; copy < copies; ++copy) {
      for (size_t d = 0; d < dims; ++d) out[d] += sums[copy * dims + d];
    }
    return bias + shares;
  }

 private:
  // Where there are few features, most rows share some. Were all rows added to one vector, each would wait for the one
  // before it.
  static constexpr size_t kCopies = 4, kFewDims = 256; // a power of two

  size_t per_row() const { return kPerRow > 0 ? kPerRow : per_row_; }

  // The products of row i, of `all_ids` and `all_values`, with a vector, in the vector's precision.
  template <typename Real>
  Real product(const Real* v, const uint32_t* all_ids, const float* all_values, size_t i) const {
    const uint32_t* ids = all_ids + i * per_row();
    const float* values = all_values + i * per_row();
    Real even = 0, odd = 0; // two chains of additions instead of one
    size_t j = 0;
    for (; j + 1 < per_row(); j += 2) {
      even += v[ids[j]] * values[j];
      odd += v[ids[j + 1]] * values[j + 1];
    }
    if (j < per_row()) even += v[ids[j]] * values[j];
    return even + odd;
  }
  template <typename Real>
  void accumulate(Real a, const uint32_t* all_ids, const float* all_values, size_t i, Real* v) const {
    const uint32_t* ids = all_ids + i * per_row();
    const float* values = all_values + i * per_row();
    for (size_t j = 0; j < per_row(); ++j) v[ids[j]] += a * values[j];
  }

  const size_t rows_, per_row_;
  const float* values_;         // of the rows given
  std::vector<uint32_t> ids_;   // positions in used_
  std::vector<uint32_t> used_;  // the features that occur
  size_t copies_ = 1; // of sums_: 1 or kCopies
  std::vector<uint32_t> within_ids_;
  std::vector<float> within_values_, narrow_, sums_;
};

} // namespace farsight
