// Reading rabitq codes, and a linear model in the form their scan wants; the layout is in rabitq.h.
#include "rabitq.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "reach.h"
#include "remembered-scores.h"

namespace farsight {

namespace {

// Where the scan has all bits, its estimates differ from exact scores by the steps of its table alone. Else by the lower
// bits: docs/codecs.md has what is lost.
size_t candidates_for(const RabitqParameters& parameters, size_t wanted) {
  if (parameters.scan_bits == parameters.bits) return wanted + wanted / 4 + 16;
  return wanted * (parameters.scan_bits == 4 ? 3 : parameters.scan_bits == 2 ? 4 : 10);
}

// Exact scores ahead that codes are asked for.
constexpr size_t kAhead = 8;

// To the nearest whole number, halves to even, where |value| < 2^51: adding and taking away 1.5 * 2^52.
double nearest(double value) {
  constexpr double kShift = 6755399441055744.0;
  return (value + kShift) - kShift;
}

// What the nibbles of a plane add to a score: 16 doubles for each group of 4 / width dimensions, scaled by 2^shift.
class PlaneTable {
 public:
  PlaneTable(const RabitqPlane& plane, size_t groups, const std::vector<double>& weights)
      : groups_(groups), values_(groups * 16) {
    if (plane.width == 4) fill<4>(plane, weights);
    if (plane.width == 2) fill<2>(plane, weights);
    if (plane.width == 1) fill<1>(plane, weights);
  }

  size_t groups() const { return groups_; }
  const std::vector<double>& values() const { return values_; }
  double largest() const {
    double most = 0;
    for (const double value : values_) most = std::max(most, std::fabs(value));
    return most;
  }

  // Of consecutive nibbles, the lower of a byte first: four sums by group % 4, then ((s0 + s1) + (s2 + s3)).
  double sum(const uint8_t* bytes) const {
    double sums[4] = {};
    const double* table = values_.data();
    size_t g = 0;
    for (; g + 4 <= groups_; g += 4, bytes += 2, table += 64) {
      sums[0] += table[bytes[0] & 15];
      sums[1] += table[16 + (bytes[0] >> 4)];
      sums[2] += table[32 + (bytes[1] & 15)];
      sums[3] += table[48 + (bytes[1] >> 4)];
    }
    if (g < groups_) {
      sums[0] += table[bytes[0] & 15];
      sums[1] += table[16 + (bytes[0] >> 4)];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  // The same of the rows of a block, eight groups a row in the order of rabitq.h.
  double sum_rows(const uint8_t* bytes) const {
    double sums[4] = {};
    const double* table = values_.data();
    for (size_t g = 0; g < groups_; g += 8, bytes += 64, table += 128) {
      for (size_t k = 0; k < 4; ++k) {
        sums[k] += table[16 * k + (bytes[k] & 15)];
        sums[k] += table[64 + 16 * k + (bytes[k] >> 4)];
      }
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

 private:
  template <uint32_t kWidth>
  void fill(const RabitqPlane& plane, const std::vector<double>& weights) {
    constexpr uint32_t kDims = 4 / kWidth, kMask = (1u << kWidth) - 1;
    const double scale = 1u << plane.shift;
    double* out = values_.data();
    for (size_t g = 0; g < groups_; ++g, out += 16) {
      double own[kDims] = {};
      for (uint32_t j = 0; j < kDims && g * kDims + j < plane.dims; ++j) own[j] = scale * weights[g * kDims + j];
      for (uint32_t nibble = 0; nibble < 16; ++nibble) {
        double value = 0;
        for (uint32_t j = 0; j < kDims; ++j) value += own[j] * ((nibble >> (j * kWidth) & kMask) - kMask / 2.0);
        out[nibble] = value;
      }
    }
  }

  size_t groups_;
  std::vector<double> values_;
};

// A nibble is a code of one dimension, of two or of four. What it adds to the scan's score, for each of its 16 values, is
// kept as an int8 of a step common to all: off by at most 1 / 254 of the largest.
class RabitqQuery final : public Query {
 public:
  RabitqQuery(const RabitqCodes& codes, const float* weights, double bias)
      : codes_(codes),
        representatives_(codes.representatives(), codes.representatives().prepare(weights, bias)),
        scan_(codes.rows() * 128) {
    std::vector<double> rotated(weights, weights + codes.dims());
    codes.rotation().apply(rotated.data());
    const RabitqParameters& parameters = codes.parameters();
    const RabitqPlane scanned{parameters.scan_bits, parameters.bits - parameters.scan_bits, parameters.dims};
    tables_.emplace_back(scanned, codes.rows() * 8, rotated);
    for (const RabitqPlane& plane : codes.refine_planes()) tables_.emplace_back(plane, plane.groups(), rotated);
    const std::vector<double>& upper = tables_.front().values();
    const double step = tables_.front().largest() / 127;
    // Of the largest this is 127 but for a few roundings.
    const double inverse = step > 0 && std::isfinite(1 / step) ? 1 / step : 0;
    for (size_t i = 0; i < scan_.size(); ++i) scan_[i] = static_cast<int8_t>(nearest(upper[i] * inverse));
    // The scan's own levels are 2^shift smaller.
    step_ = static_cast<float>(std::ldexp(step, -static_cast<int>(scanned.shift)));
  }

  void approximate(size_t first, size_t count, float* scores) const override {
    estimate({first, count}, {}, scores);
  }

  size_t reaching(Blocks blocks, Blocks next, size_t slots, float threshold, uint32_t* positions,
                  float* scores) const override {
    estimate(blocks, next, scores);
    return keep_reaching(kernels(), scores, slots, threshold, positions);
  }
  bool asks_ahead() const override { return true; }

  double exact(size_t slot) const override {
    return residual(slot) + representatives_.exact(codes_.cluster(slot));
  }

  void exact_ascending(const uint32_t* slots, size_t count, double* scores) const override {
    size_t cluster = codes_.representatives().count();
    double mean = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i + kAhead < count) codes_.prefetch(slots[i + kAhead]);
      const size_t own = codes_.cluster(slots[i]);
      if (own != cluster) mean = representatives_.exact(cluster = own);
      scores[i] = residual(slots[i]) + mean;
    }
  }

  // No bound that holds for every item is of use.
  float error() const override { return INFINITY; }
  size_t candidates(size_t wanted) const override { return candidates_for(codes_.parameters(), wanted); }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }
  const Query* held_for(const Codes& codes) const override {
    return &codes == &codes_.representatives() ? &representatives_ : nullptr;
  }

 private:
  // The kernel's scores, and those of the clusters' representatives.
  void estimate(Blocks blocks, Blocks next, float* scores) const {
    kernels().rabitq_scan(codes_.block(blocks.first), blocks.count, codes_.rows(), scan_.data(), step_,
                          ahead_of(codes_, blocks, next), scores);
    RememberedScores::Block block;
    const auto mean = [&](size_t cluster) { return representatives_.score(cluster, block); };
    const size_t last = codes_.representatives().count() - 1;
    for (size_t b = 0; b < blocks.count; ++b, scores += kRabitqBlockItems) {
      const uint8_t* head = codes_.block(blocks.first + b);
      uint32_t cluster;
      uint16_t begins;
      std::memcpy(&cluster, head, sizeof cluster);
      std::memcpy(&begins, head + 4, sizeof begins);
      // Bit 0 says nothing that `cluster` does not. Most blocks are of one cluster.
      if (begins <= 1) {
        const float score = mean(std::min<size_t>(cluster, last));
        for (size_t i = 0; i < kRabitqBlockItems; ++i) scores[i] += score;
        continue;
      }
      for (size_t i = 0; i < kRabitqBlockItems;) {
        const float score = mean(std::min<size_t>(cluster, last));
        // Up to where the next cluster begins.
        const uint32_t later = begins & ~((2u << i) - 1);
        const size_t end = later == 0 ? kRabitqBlockItems : static_cast<size_t>(std::countr_zero(later));
        for (; i < end; ++i) scores[i] += score;
        ++cluster;
      }
    }
  }

  // The planes from the scan's on, then times the factor.
  double residual(size_t slot) const {
    double sum = tables_.front().sum_rows(codes_.scan_bytes(slot));
    const uint8_t* bytes = codes_.refine_bytes(slot);
    for (size_t p = 1; p < tables_.size(); ++p) {
      sum += tables_[p].sum(bytes);
      bytes += tables_[p].groups() / 2;
    }
    return static_cast<double>(codes_.factor(slot)) * sum;
  }

  const RabitqCodes& codes_;
  RememberedScores representatives_;
  std::vector<PlaneTable> tables_; // of the scan, then of the refine planes
  std::vector<int8_t> scan_;
  float step_ = 0;
};

float from_upper_half(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return std::bit_cast<float>(uint32_t{half} << 16);
}

size_t blocks_of(size_t count) { return (count + kRabitqBlockItems - 1) / kRabitqBlockItems; }

size_t rows_of(const RabitqParameters& parameters) { return (size_t{parameters.dims} * parameters.scan_bits + 31) / 32; }

} // namespace

size_t rabitq_block_bytes(const RabitqParameters& parameters) { return kRabitqHeadBytes + 64 * rows_of(parameters); }

size_t rabitq_codes_bytes(size_t count, const RabitqParameters& parameters) {
  return blocks_of(count) * rabitq_block_bytes(parameters);
}

std::vector<RabitqPlane> rabitq_refine_planes(const RabitqParameters& parameters) {
  const bool partial = parameters.full_dims < parameters.dims;
  std::vector<RabitqPlane> planes;
  uint32_t left = parameters.bits - parameters.scan_bits;
  for (const uint32_t width : {4u, 2u, 1u}) {
    while (left >= width + (partial ? 1 : 0)) planes.push_back({width, left -= width, parameters.dims});
  }
  if (left > 0) planes.push_back({1, 0, parameters.full_dims});
  return planes;
}

size_t rabitq_refine_row_bytes(const RabitqParameters& parameters) {
  if (parameters.bits == parameters.scan_bits) return 0;
  size_t bytes = 2;
  for (const RabitqPlane& plane : rabitq_refine_planes(parameters)) bytes += plane.bytes();
  return bytes;
}

RabitqCodes::RabitqCodes(const RabitqParameters& parameters, size_t count, const uint8_t* blocks,
                         const uint8_t* refine, const Codes& representatives)
    : ResidualCodes(parameters.dims, count, blocks, representatives),
      parameters_(parameters),
      refine_planes_(rabitq_refine_planes(parameters)),
      rows_(rows_of(parameters)),
      block_bytes_(rabitq_block_bytes(parameters)),
      refine_bytes_(rabitq_refine_row_bytes(parameters)),
      refine_(refine) {}

std::unique_ptr<Query> RabitqCodes::prepare(const float* weights, double bias) const {
  return std::make_unique<RabitqQuery>(*this, weights, bias);
}

size_t RabitqCodes::cluster(size_t slot) const {
  const uint8_t* head = block(slot / kRabitqBlockItems);
  uint32_t first;
  uint16_t begins;
  std::memcpy(&first, head, sizeof first);
  std::memcpy(&begins, head + 4, sizeof begins);
  // Bit 0 says nothing that `first` does not.
  const uint32_t before = begins & ((2u << slot % kRabitqBlockItems) - 1) & ~1u;
  return std::min<size_t>(size_t{first} + static_cast<size_t>(std::popcount(before)), representatives().count() - 1);
}

float RabitqCodes::factor(size_t slot) const {
  if (refine_bytes_ != 0) return from_upper_half(refine_ + slot * refine_bytes_);
  return from_upper_half(block(slot / kRabitqBlockItems) + 8 + 2 * (slot % kRabitqBlockItems));
}

float RabitqCodes::levels(size_t slot, int16_t* twice) const {
  const size_t dims = parameters_.dims;
  const uint32_t width = parameters_.scan_bits, shift = parameters_.bits - width;
  const auto level = [](uint32_t field, uint32_t of_width, uint32_t of_shift) {
    return (2 * static_cast<int>(field) - static_cast<int>((1u << of_width) - 1)) * (1 << of_shift);
  };
  const uint8_t* row = scan_bytes(slot);
  // 32 / width dimensions a row: those of the four low nibbles, then those of the four high ones.
  for (size_t d = 0; d < dims; row += 64) {
    uint32_t word;
    std::memcpy(&word, row, sizeof word);
    const uint32_t nibbles[2] = {word & 0x0f0f0f0f, word >> 4 & 0x0f0f0f0f};
    for (const uint32_t four : nibbles) {
      for (uint32_t k = 0; k < 32; k += 8) {
        for (uint32_t j = 0; j < 4 && d < dims; j += width, ++d) {
          twice[d] = static_cast<int16_t>(level(four >> (k + j) & ((1u << width) - 1), width, shift));
        }
      }
    }
  }
  const uint8_t* bytes = refine_bytes(slot);
  for (const RabitqPlane& plane : refine_planes_) {
    for (size_t d = 0; d < plane.dims; ++d) {
      const uint32_t field = bytes[d * plane.width / 8] >> (d * plane.width % 8) & ((1u << plane.width) - 1);
      twice[d] = static_cast<int16_t>(twice[d] + level(field, plane.width, plane.shift));
    }
    bytes += plane.bytes();
  }
  return factor(slot);
}

void RabitqCodes::residual(size_t slot, float* values) const {
  std::array<int16_t, kMostRabitqDims> twice;
  const float half_factor = levels(slot, twice.data()) / 2;
  for (size_t d = 0; d < parameters_.dims; ++d) values[d] = half_factor * static_cast<float>(twice[d]);
}

void RabitqCodes::prefetch(size_t slot) const {
  const uint8_t* head = block(slot / kRabitqBlockItems);
  __builtin_prefetch(head);
  const uint8_t* row = head + kRabitqHeadBytes + 4 * (slot % kRabitqBlockItems);
  for (size_t r = 0; r < rows_; ++r, row += 64) __builtin_prefetch(row);
  if (refine_bytes_ != 0) prefetch_lines(refine_ + slot * refine_bytes_, refine_bytes_);
}

} // namespace farsight
