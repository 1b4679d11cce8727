// Coding of rows in bytes, and products of four rows at a time.
#include "byte-rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace farsight {

namespace {

constexpr size_t kSampledRows = 8; // one row in so many says how large a column's values are

// The nearest whole number of a value of a word's size: added to 1.5 * 2^23, it is what the low bits hold.
int16_t rounded(float value) {
  constexpr float kMagic = 12582912;
  return static_cast<int16_t>(std::bit_cast<uint32_t>(value + kMagic) & 0xffff);
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
  const float largest = rows.dims == 0 ? 0 : *std::max_element(columns_.begin(), columns_.end());
  std::vector<float> shares(rows.dims);
  for (size_t d = 0; d < rows.dims; ++d) {
    // A column that the sample knows nothing of may be as large as any.
    if (!(columns_[d] >= kLeastMagnitude)) columns_[d] = largest;
    shares[d] = columns_[d] >= kLeastMagnitude ? 1 / columns_[d] : 0;
  }
  for (size_t i = 0; i < rows.rows; ++i) {
    int8_t* codes = codes_.data() + i * stride_;
    const float magnitude = byte_kernels().code(rows.values + i * rows.dims, shares.data(), rows.dims, codes);
    rows_[i] = std::isfinite(magnitude) ? magnitude / kLargestByte : 0;
  }
}

void ByteRows::walk(const std::vector<uint32_t>& list, const float* v, double bias, double* products,
                    const Pulls& pulls, float* image) const {
  const ByteKernels& kernels = byte_kernels();
  // The vector in words, of which the step is about a 32,767th of its largest value.
  std::vector<float> scaled(dims()), sum(pulls ? stride_ : 0);
  std::vector<int16_t> words(stride_);
  float largest = 0;
  for (size_t d = 0; d < dims(); ++d) {
    scaled[d] = v[d] * columns_[d];
    largest = std::max(largest, std::fabs(scaled[d]));
  }
  const bool is_codable = largest >= kLeastMagnitude && std::isfinite(largest);
  const float per_step = is_codable ? static_cast<float>(largest_word(stride_)) / largest : 0;
  const double step = is_codable ? static_cast<double>(largest) / largest_word(stride_) : 0;
  for (size_t d = 0; d < dims(); ++d) words[d] = rounded(scaled[d] * per_step);
  double total = 0;
  for (size_t first = 0; first < list.size(); first += kByteRows) {
    const size_t count = std::min(kByteRows, list.size() - first);
    const int8_t* group[kByteRows];
    int64_t dots[kByteRows];
    for (size_t r = 0; r < kByteRows; ++r) group[r] = row(r < count ? list[first + r] : rows_.size() - 1);
    kernels.dots(group, words.data(), stride_, dots);
    for (size_t r = 0; r < count; ++r) {
      const uint32_t i = list[first + r];
      products[i] = static_cast<double>(dots[r]) * (step * rows_[i]) + bias;
    }
    if (!pulls) continue;
    double pull[kByteRows];
    float shares[kByteRows] = {};
    pulls({list.data() + first, count}, pull);
    for (size_t r = 0; r < count; ++r) {
      total += pull[r];
      shares[r] = static_cast<float>(pull[r] * rows_[list[first + r]]);
    }
    kernels.sums(group, shares, sum.data(), stride_);
  }
  if (!pulls) return;
  for (size_t d = 0; d < dims(); ++d) image[d] += sum[d] * columns_[d];
  image[dims()] += static_cast<float>(total);
}

void ByteRows::multiply(const std::vector<uint32_t>& list, const float* v, double bias, const double* curvature,
                        double* products, float* image) const {
  Pulls pulls;
  if (curvature != nullptr) {
    pulls = [&](std::span<const uint32_t> rows, double* out) {
      for (size_t r = 0; r < rows.size(); ++r) out[r] = curvature[rows[r]] * products[rows[r]];
    };
  }
  walk(list, v, bias, products, pulls, image);
}

} // namespace farsight
