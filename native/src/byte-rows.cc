// Coding of rows in bytes, and products of four rows at a time.
#include "byte-rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace farsight {

namespace {

constexpr size_t kSampledRows = 8; // one row in so many says how large a column's values are
constexpr float kLargestCode = 127;
constexpr size_t kParts = 16; // of a maximum: the compiler may then take as many values at once

float largest_magnitude(const float* values, size_t n) {
  float parts[kParts] = {};
  size_t d = 0;
  for (; d + kParts <= n; d += kParts) {
    for (size_t p = 0; p < kParts; ++p) {
      const float magnitude = std::fabs(values[d + p]);
      parts[p] = magnitude > parts[p] ? magnitude : parts[p];
    }
  }
  for (; d < n; ++d) parts[0] = std::max(parts[0], std::fabs(values[d]));
  return *std::max_element(parts, parts + kParts);
}

// The nearest whole number of a value between -127 and 127: added to 1.5 * 2^23, it is what the low bits hold.
int8_t rounded(float value) {
  constexpr float kMagic = 12582912;
  return static_cast<int8_t>(std::bit_cast<uint32_t>(value + kMagic) & 0xff);
}

} // namespace

ByteRows::ByteRows(const DenseRows& rows)
    : stride_((rows.dims + kByteLanes - 1) / kByteLanes * kByteLanes), columns_(rows.dims), rows_(rows.rows + 1),
      codes_((rows.rows + 1) * stride_) {
  for (size_t i = 0; i < rows.rows; i += kSampledRows) {
    const float* x = rows.values + i * rows.dims;
    for (size_t d = 0; d < rows.dims; ++d) {
      const float magnitude = std::fabs(x[d]);
      columns_[d] = magnitude > columns_[d] ? magnitude : columns_[d];
    }
  }
  const float largest = largest_magnitude(columns_.data(), rows.dims);
  std::vector<float> shares(rows.dims), scaled(rows.dims);
  for (size_t d = 0; d < rows.dims; ++d) {
    // A column that the sample knows nothing of may be as large as any.
    if (!(columns_[d] > 0)) columns_[d] = largest;
    shares[d] = columns_[d] > 0 ? 1 / columns_[d] : 0;
  }
  for (size_t i = 0; i < rows.rows; ++i) {
    const float* x = rows.values + i * rows.dims;
    for (size_t d = 0; d < rows.dims; ++d) scaled[d] = x[d] * shares[d];
    const float magnitude = largest_magnitude(scaled.data(), rows.dims);
    if (!(magnitude > 0) || !std::isfinite(magnitude)) continue;
    const float share = kLargestCode / magnitude;
    int8_t* codes = codes_.data() + i * stride_;
    for (size_t d = 0; d < rows.dims; ++d) codes[d] = rounded(scaled[d] * share);
    rows_[i] = magnitude / kLargestCode;
  }
}

void ByteRows::multiply(const std::vector<uint32_t>& list, const float* v, double bias, const double* curvature,
                        double* products, float* image) const {
  const ByteKernels& kernels = byte_kernels();
  std::vector<float> scaled(stride_), sum(curvature == nullptr ? 0 : stride_);
  for (size_t d = 0; d < dims(); ++d) scaled[d] = v[d] * columns_[d];
  double total = 0;
  for (size_t first = 0; first < list.size(); first += kByteRows) {
    const size_t count = std::min(kByteRows, list.size() - first);
    const int8_t* group[kByteRows];
    float dots[kByteRows], shares[kByteRows] = {};
    for (size_t r = 0; r < kByteRows; ++r) group[r] = row(r < count ? list[first + r] : rows_.size() - 1);
    kernels.dots(group, scaled.data(), stride_, dots);
    for (size_t r = 0; r < count; ++r) {
      const uint32_t i = list[first + r];
      products[i] = static_cast<double>(dots[r]) * rows_[i] + bias;
      if (curvature == nullptr) continue;
      const double share = curvature[i] * products[i];
      total += share;
      shares[r] = static_cast<float>(share * rows_[i]);
    }
    if (curvature != nullptr) kernels.sums(group, shares, sum.data(), stride_);
  }
  if (curvature == nullptr) return;
  for (size_t d = 0; d < dims(); ++d) image[d] += sum[d] * columns_[d];
  image[dims()] += static_cast<float>(total);
}

} // namespace farsight
