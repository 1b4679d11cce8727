// One residual after the other: rotate, quantise, and find the factors that make its estimates unbiased.
#include "rabitq-pack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <span>
#include <stdexcept>
#include <vector>

#include "parallel.h"

namespace farsight {

namespace {

// Steps of the best uniform quantiser of a standard normal variable with 2, 4 … 256 levels (Max, 1960). More levels than
// that reach beyond any value.
constexpr double kNormalSteps[] = {1.596, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308};

// From so many bits on the factor is the step itself, which a code of this form holds: what the factor would correct is less
// than what rounding it costs.
constexpr uint32_t kSteppedBits = 6;

float from_upper_half(uint16_t half) { return std::bit_cast<float>(uint32_t{half} << 16); }

// To the nearest float whose lower half is zero.
uint16_t upper_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Not below: values at the end of the range stay in it.
uint16_t upper_half_above(float value) {
  const uint16_t half = upper_half(value);
  return from_upper_half(half) < value ? static_cast<uint16_t>(half + 1) : half;
}

class ResidualEncoder {
 public:
  ResidualEncoder(const RabitqParameters& parameters, const Rotation& rotation)
      : parameters_(parameters), rotation_(rotation), residual_(parameters.dims), rotated_(parameters.dims),
        code_(parameters.dims) {}

  void encode(const uint8_t* record, const float* offset, const float* step, const float* representative) {
    const size_t dims = parameters_.dims;
    for (size_t d = 0; d < dims; ++d) {
      const float lower = static_cast<float>(record[dims + d]) / 255 - 0.5f;
      residual_[d] = offset[d] + step[d] * (static_cast<float>(record[d]) + lower) - representative[d];
    }
    rotated_ = residual_;
    rotation_.apply(rotated_.data());
    quantise();
    factor_ = factor(parameters_.bits);
    scan_factor_ = parameters_.scan_bits == parameters_.bits ? factor_ : factor(parameters_.scan_bits);
  }

  const uint16_t* code() const { return code_.data(); }
  uint16_t factor() const { return factor_; }
  uint16_t scan_factor() const { return scan_factor_; }

  // The largest |residual - what is stored of it|.
  double error() {
    const float factor = from_upper_half(factor_);
    for (size_t d = 0; d < rotated_.size(); ++d) rotated_[d] = factor * static_cast<float>(level(d, parameters_.bits));
    rotation_.undo(rotated_.data());
    float largest = 0;
    for (size_t d = 0; d < rotated_.size(); ++d) largest = std::max(largest, std::fabs(residual_[d] - rotated_[d]));
    return largest;
  }

 private:
  // The step that suits normal values of this length, or the smaller one that covers all of them.
  void quantise() {
    double square = 0;
    float largest = 0;
    for (const float value : rotated_) {
      square += static_cast<double>(value) * static_cast<double>(value);
      largest = std::max(largest, std::fabs(value));
    }
    square_ = square;
    const int half = 1 << (parameters_.bits - 1);
    double step = static_cast<double>(largest) / half;
    if (parameters_.bits <= std::size(kNormalSteps)) {
      const double deviation = std::sqrt(square / static_cast<double>(rotated_.size()));
      step = std::min(step, kNormalSteps[parameters_.bits - 1] * deviation);
    }
    if (parameters_.bits >= kSteppedBits) step = from_upper_half(upper_half_above(static_cast<float>(step)));
    step_ = step;
    const double inverse = step > 0 ? 1 / step : 0;
    for (size_t d = 0; d < rotated_.size(); ++d) {
      const double step_number = std::floor(static_cast<double>(rotated_[d]) * inverse);
      code_[d] = static_cast<uint16_t>(std::clamp(step_number, -static_cast<double>(half), half - 1.0) + half);
      if (d >= parameters_.full_dims) code_[d] &= 0xfffe;
    }
  }

  // Of the upper `bits` of a code.
  double level(size_t d, uint32_t bits) const {
    const double middle = bits == parameters_.bits && d >= parameters_.full_dims ? 1 : 0.5;
    return (code_[d] >> (parameters_.bits - bits)) + middle - (1u << (bits - 1));
  }

  // Of the upper `bits` of the codes: |r|^2 / <r, levels>, or the step.
  uint16_t factor(uint32_t bits) const {
    double product = 0;
    for (size_t d = 0; d < rotated_.size(); ++d) product += static_cast<double>(rotated_[d]) * level(d, bits);
    if (square_ == 0 || step_ == 0) return 0;
    const bool stepped = bits == parameters_.bits && bits >= kSteppedBits;
    const uint16_t half = upper_half(static_cast<float>(stepped ? step_ : square_ / product));
    if (!(product > 0) || !std::isfinite(from_upper_half(half))) {
      throw std::range_error("a vector is too far from its cluster for a float; scale the input, or use normalize=true");
    }
    return half;
  }

  RabitqParameters parameters_;
  const Rotation& rotation_;
  std::vector<float> residual_, rotated_;
  std::vector<uint16_t> code_;
  double square_ = 0;
  double step_ = 0;
  uint16_t factor_ = 0, scan_factor_ = 0;
};

// Puts the upper bits of a code into lane `lane` of a block of zeros, and its factor.
void put_scan(const ResidualEncoder& encoder, const RabitqParameters& parameters, size_t lane, uint8_t* block) {
  const uint16_t factor = encoder.scan_factor();
  std::memcpy(block + 8 + 2 * lane, &factor, sizeof factor);
  const uint32_t per_group = 4 / parameters.scan_bits, shift = parameters.bits - parameters.scan_bits;
  for (uint32_t d = 0; d < parameters.dims; ++d) {
    const uint32_t group = d / per_group, of_eight = group % 8;
    const uint32_t bit = of_eight / 4 * 4 + d % per_group * parameters.scan_bits;
    uint8_t& byte = block[kRabitqHeadBytes + size_t{group / 8} * 64 + 4 * lane + of_eight % 4];
    byte = static_cast<uint8_t>(byte | encoder.code()[d] >> shift << bit);
  }
}

// Into a row of zeros.
void put_refine(const ResidualEncoder& encoder, std::span<const RabitqPlane> planes, uint8_t* row) {
  const uint16_t factor = encoder.factor();
  std::memcpy(row, &factor, sizeof factor);
  row += sizeof factor;
  for (const RabitqPlane& plane : planes) {
    for (uint32_t d = 0; d < plane.dims; ++d) {
      const uint32_t field = encoder.code()[d] >> plane.shift & ((1u << plane.width) - 1);
      uint8_t& byte = row[size_t{d} * plane.width / 8];
      byte = static_cast<uint8_t>(byte | field << (d * plane.width % 8));
    }
    row += plane.bytes();
  }
}

} // namespace

double pack_rabitq(const FineRecords& records, size_t first, const ResidualClusters& clusters,
                   const RabitqParameters& parameters, size_t threads, uint8_t* blocks, uint8_t* refine) {
  const size_t block_bytes = rabitq_block_bytes(parameters), row_bytes = rabitq_refine_row_bytes(parameters);
  const size_t count = (records.rows + kRabitqBlockItems - 1) / kRabitqBlockItems;
  const size_t shares = std::clamp<size_t>(threads, 1, std::max<size_t>(count, 1));
  const Rotation rotation(parameters.dims);
  const std::vector<RabitqPlane> planes = rabitq_refine_planes(parameters);
  if (row_bytes != 0) std::memset(refine, 0, records.rows * row_bytes);
  std::vector<double> errors(shares);
  run_parts(shares, [&](size_t share) {
    ResidualEncoder encoder(parameters, rotation);
    const size_t from = count * share / shares, to = count * (share + 1) / shares;
    const uint32_t* const ends = clusters.starts + clusters.count + 1;
    // The cluster that holds the first slot of this share.
    size_t cluster =
      static_cast<size_t>(std::upper_bound(clusters.starts, ends, first + from * kRabitqBlockItems) - clusters.starts) - 1;
    std::memset(blocks + from * block_bytes, 0, (to - from) * block_bytes);
    for (size_t b = from; b < to; ++b) {
      uint8_t* const block = blocks + b * block_bytes;
      const uint32_t head = static_cast<uint32_t>(cluster);
      uint16_t begins = 0;
      const size_t rows = std::min(kRabitqBlockItems, records.rows - b * kRabitqBlockItems);
      for (size_t lane = 0; lane < rows; ++lane) {
        const size_t row = b * kRabitqBlockItems + lane;
        if (lane > 0 && clusters.starts[cluster + 1] == first + row) {
          ++cluster;
          begins = static_cast<uint16_t>(begins | 1u << lane);
        }
        encoder.encode(records.codes + row * 2 * records.dims, records.offset, records.step,
                       clusters.representatives + cluster * records.dims);
        put_scan(encoder, parameters, lane, block);
        if (row_bytes != 0) put_refine(encoder, planes, refine + row * row_bytes);
        errors[share] = std::max(errors[share], encoder.error());
      }
      std::memcpy(block, &head, sizeof head);
      std::memcpy(block + 4, &begins, sizeof begins);
      if (clusters.starts[cluster + 1] == first + (b + 1) * kRabitqBlockItems) ++cluster;
    }
  });
  return *std::max_element(errors.begin(), errors.end());
}

} // namespace farsight
