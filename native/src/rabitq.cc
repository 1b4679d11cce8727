// Reading rabitq codes, and a linear model in the form their scan wants; the layout is in rabitq.h.
#include "rabitq.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace farsight {

namespace {

// Of the best by approximate score, so many times as many as are wanted are scored exactly, by the bits of the scan:
// docs/codecs.md has what that loses.
size_t oversampling(const RabitqParameters& parameters) {
  if (parameters.scan_bits == parameters.bits || parameters.scan_bits == 4) return 2;
  return parameters.scan_bits == 2 ? 4 : 10;
}

// A nibble is a code of one dimension, of two or of four. What it adds to a score, for each of its 16 values, is kept as
// an int8 of a step common to all: |sum of a group's weights times code around zero| / 127 at most.
class RabitqQuery final : public Query {
 public:
  RabitqQuery(const RabitqCodes& codes, const float* weights, double bias)
      : codes_(codes),
        representatives_(codes.representatives().prepare(weights, bias)),
        rotated_(weights, weights + codes.dims()),
        table_(codes.rows() * 128) {
    codes.rotation().apply(rotated_.data());
    fill_table();
  }

  void approximate(size_t first, size_t count, float* scores) const override {
    kernels().rabitq_scan(codes_.block(first), count, codes_.rows(), table_.data(), step_, scores);
    std::array<float, kMostRepresentativeBlock> means{};
    size_t known = std::numeric_limits<size_t>::max(); // the block of representatives whose scores are in `means`
    const size_t block_items = codes_.representatives().block_items();
    const auto mean = [&](size_t cluster) {
      if (cluster / block_items != known) {
        known = cluster / block_items;
        representatives_->approximate(known, 1, means.data());
      }
      return means[cluster % block_items];
    };
    const size_t last = codes_.representatives().count() - 1;
    for (size_t b = 0; b < count; ++b, scores += kRabitqBlockItems) {
      const uint8_t* head = codes_.block(first + b);
      uint32_t cluster;
      uint16_t begins;
      std::memcpy(&cluster, head, sizeof cluster);
      std::memcpy(&begins, head + 4, sizeof begins);
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

  // Sixteen sums by d % 16, added pairwise, then times the factor, then the representative's.
  double exact(size_t slot) const override {
    std::array<uint8_t, kMostRabitqDims> code;
    const double factor = codes_.codes(slot, code.data());
    double sums[16] = {};
    const size_t dims = codes_.dims();
    const size_t whole = dims - dims % 16;
    for (size_t d = 0; d < whole; d += 16) {
      for (size_t k = 0; k < 16; ++k) sums[k] += rotated_[d + k] * (code[d + k] - centre_);
    }
    for (size_t d = whole; d < dims; ++d) sums[d - whole] += rotated_[d] * (code[d] - centre_);
    for (size_t half = 8; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
    }
    return factor * sums[0] + representatives_->exact(codes_.cluster(slot));
  }

  // No bound that holds for every item is of use.
  float error() const override { return INFINITY; }
  size_t oversample() const override { return oversampling(codes_.parameters()); }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }

 private:
  void fill_table() {
    const uint32_t scan_bits = codes_.parameters().scan_bits;
    const size_t per_group = 4 / scan_bits, groups = codes_.rows() * 8, dims = codes_.dims();
    const uint32_t mask = (1u << scan_bits) - 1;
    const double scan_centre = mask / 2.0;
    double largest = 0;
    for (size_t g = 0; g < groups; ++g) {
      double sum = 0;
      for (size_t d = g * per_group; d < std::min(dims, (g + 1) * per_group); ++d) sum += std::fabs(rotated_[d]);
      largest = std::max(largest, sum * scan_centre);
    }
    const double step = largest / 127;
    for (size_t g = 0; g < groups; ++g) {
      for (uint32_t nibble = 0; nibble < 16; ++nibble) {
        double value = 0;
        for (size_t j = 0; j < per_group && g * per_group + j < dims; ++j) {
          value += rotated_[g * per_group + j] * ((nibble >> (j * scan_bits) & mask) - scan_centre);
        }
        const double scaled = step > 0 ? std::clamp(std::nearbyint(value / step), -127.0, 127.0) : 0.0;
        table_[g / 8 * 128 + g % 8 * 16 + nibble] = static_cast<int8_t>(scaled);
      }
    }
    step_ = static_cast<float>(step);
    centre_ = ((1u << codes_.parameters().bits) - 1) / 2.0;
  }

  const RabitqCodes& codes_;
  std::unique_ptr<Query> representatives_;
  std::vector<double> rotated_;
  std::vector<int8_t> table_;
  float step_ = 0;
  double centre_ = 0;
};

// The squared distance of every decoded vector, rounded to float once.
class RabitqDistanceQuery final : public DistanceQuery {
 public:
  RabitqDistanceQuery(const RabitqCodes& codes, const float* query) : codes_(codes), query_(query, query + codes.dims()) {}

  void approximate(size_t first, size_t count, float* distances) const override {
    const size_t begin = first * kRabitqBlockItems;
    for (size_t i = 0; i < count * kRabitqBlockItems; ++i) {
      const bool present = begin + i < codes_.count();
      distances[i] = present ? static_cast<float>(codes_.distance(begin + i, query_.data(), 0)) : 0.0f;
    }
  }

  float error() const override { return 0; }

 private:
  const RabitqCodes& codes_;
  std::vector<float> query_;
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

size_t rabitq_refine_row_bytes(const RabitqParameters& parameters) {
  const uint32_t low = parameters.bits - parameters.scan_bits;
  return low == 0 ? 0 : 2 + (size_t{parameters.dims} + 7) / 8 * low;
}

RabitqCodes::RabitqCodes(const RabitqParameters& parameters, size_t count, const uint8_t* blocks,
                         const uint8_t* refine, const Codes& representatives)
    : parameters_(parameters),
      rotation_(parameters.dims),
      rows_(rows_of(parameters)),
      block_bytes_(rabitq_block_bytes(parameters)),
      refine_bytes_(rabitq_refine_row_bytes(parameters)),
      count_(count),
      blocks_(blocks),
      refine_(refine),
      representatives_(representatives) {}

std::unique_ptr<Query> RabitqCodes::prepare(const float* weights, double bias) const {
  return std::make_unique<RabitqQuery>(*this, weights, bias);
}

std::unique_ptr<DistanceQuery> RabitqCodes::prepare_distance(const float* query) const {
  return std::make_unique<RabitqDistanceQuery>(*this, query);
}

size_t RabitqCodes::cluster(size_t slot) const {
  const uint8_t* head = block(slot / kRabitqBlockItems);
  uint32_t first;
  uint16_t begins;
  std::memcpy(&first, head, sizeof first);
  std::memcpy(&begins, head + 4, sizeof begins);
  // Bit 0 says nothing that `first` does not.
  const uint32_t before = begins & ((2u << slot % kRabitqBlockItems) - 1) & ~1u;
  return std::min<size_t>(size_t{first} + static_cast<size_t>(std::popcount(before)), representatives_.count() - 1);
}

float RabitqCodes::codes(size_t slot, uint8_t* out) const {
  const size_t dims = parameters_.dims;
  const uint32_t scan_bits = parameters_.scan_bits, low = parameters_.bits - scan_bits;
  const size_t lane = slot % kRabitqBlockItems;
  const uint8_t* row = block(slot / kRabitqBlockItems) + kRabitqHeadBytes + 4 * lane;
  const uint32_t mask = (1u << scan_bits) - 1;
  // 32 / scan_bits dimensions a row: those of the four low nibbles, then those of the four high ones.
  for (size_t d = 0; d < dims; row += 64) {
    uint32_t word;
    std::memcpy(&word, row, sizeof word);
    const uint32_t nibbles[2] = {word & 0x0f0f0f0f, word >> 4 & 0x0f0f0f0f};
    for (const uint32_t four : nibbles) {
      for (uint32_t k = 0; k < 32; k += 8) {
        for (uint32_t j = 0; j < 4 && d < dims; j += scan_bits) out[d++] = static_cast<uint8_t>(four >> (k + j) & mask);
      }
    }
  }
  if (low == 0) return from_upper_half(block(slot / kRabitqBlockItems) + 8 + 2 * lane);
  const uint8_t* rest = refine_ + slot * refine_bytes_;
  const float factor = from_upper_half(rest);
  rest += 2;
  const uint32_t low_mask = (1u << low) - 1;
  for (size_t d = 0; d < dims; d += 8, rest += low) {
    uint64_t fields = 0;
    std::memcpy(&fields, rest, low);
    const size_t end = std::min(dims, d + 8);
    for (size_t at = d; at < end; ++at, fields >>= low) {
      out[at] = static_cast<uint8_t>(uint32_t{out[at]} << low | (static_cast<uint32_t>(fields) & low_mask));
    }
  }
  return factor;
}

void RabitqCodes::decode(size_t slot, uint32_t*, float* values) const {
  std::array<uint8_t, kMostRabitqDims> code;
  const float factor = codes(slot, code.data());
  const float centre = static_cast<float>((1u << parameters_.bits) - 1) / 2;
  for (size_t d = 0; d < parameters_.dims; ++d) values[d] = factor * (static_cast<float>(code[d]) - centre);
  rotation_.undo(values);
  std::array<float, kMostRabitqDims> mean;
  representatives_.decode(cluster(slot), nullptr, mean.data());
  for (size_t d = 0; d < parameters_.dims; ++d) values[d] += mean[d];
}

// Of the decoded vector: four accumulators by d % 4, ((a0 + a1) + (a2 + a3)); the norm is not needed.
double RabitqCodes::distance(size_t slot, const float* query, double) const {
  std::array<float, kMostRabitqDims> values;
  decode(slot, nullptr, values.data());
  double sums[4] = {};
  for (size_t d = 0; d < parameters_.dims; ++d) {
    const double difference = static_cast<double>(query[d]) - static_cast<double>(values[d]);
    sums[d % 4] += difference * difference;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void RabitqCodes::prefetch(size_t slot) const {
  const uint8_t* head = block(slot / kRabitqBlockItems);
  __builtin_prefetch(head);
  const uint8_t* row = head + kRabitqHeadBytes + 4 * (slot % kRabitqBlockItems);
  for (size_t r = 0; r < rows_; ++r, row += 64) __builtin_prefetch(row);
  if (refine_bytes_ != 0) prefetch_lines(refine_ + slot * refine_bytes_, refine_bytes_);
}

} // namespace farsight
