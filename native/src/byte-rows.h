// Dense rows in a byte per value, for products that need no more: x_id is about row_i * column_d * code_id.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bytes.h"
#include "svm.h"

namespace farsight {

class ByteRows {
 public:
  static constexpr bool kIsRough = true;

  explicit ByteRows(const DenseRows& rows);

  // What a row pulls, written for each of some rows whose products are known.
  using Pulls = std::function<void(std::span<const uint32_t> rows, double* pulls)>;

  // For the rows of an ascending list: products[i] = v.x_i + bias, v of dims() floats; and where there are `pulls`
  // image += sum_i pull_i x_i, the bias' own share in image[dims()].
  void walk(const std::vector<uint32_t>& list, const float* v, double bias, double* products, const Pulls& pulls,
            float* image) const;

  // A walk whose pulls are curvature[i] products[i]; without curvature the products alone.
  void multiply(const std::vector<uint32_t>& list, const float* v, double bias, const double* curvature,
                double* products, float* image) const;

  size_t dims() const { return columns_.size(); }

 private:
  const int8_t* row(size_t i) const { return codes_.data() + i * stride_; }

  size_t stride_;                     // a whole number of kByteLanes
  std::vector<float> columns_, rows_; // the factors; that of a row of zeros, which fills a group up, comes last
  std::vector<int8_t> codes_;
};

} // namespace farsight
