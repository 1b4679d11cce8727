// Packing and reading ratio codes, and a linear model in the form their scan wants; the layout is in ratio.h.
#include "ratio.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "fine.h"
#include "magnitudes.h"
#include "reach.h"

namespace farsight {

size_t ratio_position(uint32_t features, size_t i, uint32_t j) {
  const size_t accumulator = i / kLanes;
  const size_t lane = i % kLanes;
  const uint32_t fours = features & ~3u;
  const uint32_t pairs = features & ~1u;
  if (j < fours) return (j / 4 * 4 + accumulator) * 64 + lane * 4 + j % 4;
  if (j < pairs) return (fours + accumulator / 2) * 64 + lane * 4 + accumulator % 2 * 2 + (j - fours);
  return pairs * size_t{64} + lane * 4 + accumulator;
}

namespace {

// 4, 2 or 1 bytes, little-endian.
template <uint32_t kRun>
uint32_t load_run(const uint8_t* bytes) {
  if constexpr (kRun == 1) return *bytes;
  std::conditional_t<kRun == 4, uint32_t, uint16_t> word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

size_t upper_bytes(RatioShape shape) {
  if (shape.id_form == IdForm::kTenBit) return shape.features * size_t{16};
  return shape.id_form == IdForm::kWord ? shape.features * size_t{64} : 0;
}

size_t blocks_of(size_t count) { return (count + kRatioBlockItems - 1) / kRatioBlockItems; }

RatioShape shape_of(const RatioParameters& parameters) {
  return {parameters.features, ratio_id_form(parameters.dims), parameters.dims};
}

struct alignas(64) TableLine {
  int8_t weights[64];
};

} // namespace

// The bits of the refine section from one on; 57 of them at least.
inline uint64_t RatioCodes::refine_from(size_t bit) const {
  uint64_t word;
  std::memcpy(&word, refine_ + bit / 8, sizeof word);
  return word >> (bit % 8);
}

// The lowest field: its sign bit goes to the top and comes back down.
inline int32_t RatioCodes::rest(uint64_t fields) const {
  return static_cast<int32_t>(static_cast<uint32_t>(fields) << (32 - low_bits_)) >> (32 - low_bits_);
}

template <typename Visit>
void RatioCodes::for_each(size_t slot, Visit visit) const {
  switch (shape_.id_form) {
    case IdForm::kByte: return for_each_of<IdForm::kByte>(slot, visit);
    case IdForm::kTenBit: return for_each_of<IdForm::kTenBit>(slot, visit);
    case IdForm::kWord: return for_each_of<IdForm::kWord>(slot, visit);
  }
}

// The usual numbers of features (the papers' 6, and the least of representatives) have loops of their own, unrolled.
template <IdForm form, typename Visit>
void RatioCodes::for_each_of(size_t slot, Visit visit) const {
  switch (parameters_.features) {
    case 6: return for_each_as<form, 6>(slot, visit);
    case 8: return for_each_as<form, 8>(slot, visit);
    default: return for_each_as<form, 0>(slot, visit);
  }
}

// Visits the features in order, as many as there are for kFeatures = 0. Those of a run (four, a pair, a single one) lie
// side by side, so each of their arrays is read once a run.
template <IdForm form, uint32_t kFeatures, typename Visit>
void RatioCodes::for_each_as(size_t slot, Visit visit) const {
  const uint32_t features = kFeatures == 0 ? parameters_.features : kFeatures;
  const uint8_t* low = block(slot / kRatioBlockItems);
  const uint8_t* values = low + features * size_t{64};
  const uint8_t* upper = values + features * size_t{64};
  const size_t first_bit = slot * features * low_bits_;
  // Of few features one word has all rests.
  const bool together = features * low_bits_ <= 57;
  uint64_t rests = low_bits_ == 0 ? 0 : refine_from(first_bit);
  const auto visit_run = [&](uint32_t j, auto run) {
    const size_t at = ratio_position(features, slot % kRatioBlockItems, j);
    const uint32_t ids = load_run<run.value>(low + at), highs = load_run<run.value>(values + at);
    uint32_t uppers = 0, planes[2] = {0, 0};
    if constexpr (form == IdForm::kWord) uppers = load_run<run.value>(upper + at);
    if constexpr (form == IdForm::kTenBit) {
      const uint8_t* bits = upper + at / 64 * 16 + at % 64 / 8;
      planes[0] = bits[0] >> (at % 8);
      planes[1] = bits[8] >> (at % 8);
    }
    for (uint32_t f = 0; f < run.value; ++f) {
      uint32_t id = ids >> (8 * f) & 255;
      if constexpr (form == IdForm::kWord) id |= (uppers >> (8 * f) & 255) << 8;
      if constexpr (form == IdForm::kTenBit) id |= (planes[0] >> f & 1) << 8 | (planes[1] >> f & 1) << 9;
      int32_t code = static_cast<int32_t>((highs >> (8 * f) & 255) << low_bits_);
      if (low_bits_ != 0) {
        code += rest(together ? rests : refine_from(first_bit + (j + f) * low_bits_));
        rests >>= low_bits_;
      }
      const bool known = id < parameters_.dims && code >= 0;
      visit(j + f, known ? id : 0, known ? static_cast<uint32_t>(code) : 0);
    }
  };
  uint32_t j = 0;
  for (; j + 4 <= features; j += 4) visit_run(j, std::integral_constant<uint32_t, 4>{});
  if (features & 2) visit_run(j, std::integral_constant<uint32_t, 2>{});
  if (features & 1) visit_run(j + (features & 2), std::integral_constant<uint32_t, 1>{});
}

namespace {

// Scores approximately as  bias + ws * 2^low * scale * sum_j w8[id_j] * high_j  with w8 = round(w / ws) and
// ws = max|w| / 127.
// With value = high * 2^low * scale + delta the difference to the exact score is
//   sum_j (w - ws * w8)[id_j] * high_j * 2^low * scale + sum_j w[id_j] * delta_j,
// at most  max|w - ws * w8| * (max_sum + n * max|delta|) + (sum of the n largest |w|) * max|delta|,  where |delta| is
// at most 2^(low-1) * scale, and 0 when low == 0. The integer sum is below 2^24, so what is left are the roundings of
// scale, bias, product and sum to float: at most 2^-24 of |product| three times and of |bias| twice.
class RatioQuery final : public Query {
 public:
  RatioQuery(const RatioCodes& codes, const float* weights, double bias)
      : codes_(codes), weights_(weights, weights + codes.dims()), bias_(bias) {
    const RatioParameters& parameters = codes.parameters();
    const uint32_t low = parameters.value_bits - 8;
    const double features = parameters.features;
    table_.resize(ratio_table_entries(codes.shape().id_form) / 64 + 1);

    const Magnitudes magnitude = magnitudes(weights, codes.dims(), parameters.features);
    const double weight_step = magnitude.largest / 127.0;
    const double weight_error = quantise(weight_step);
    const double value_step = std::ldexp(parameters.scale, static_cast<int>(low));
    const double largest_delta = low == 0 ? 0.0 : value_step / 2;
    const double largest_sum = std::min(parameters.max_sum + features * largest_delta, features * 255 * value_step);
    scale_ = static_cast<float>(weight_step * value_step);
    // 2^-24 is half a unit in the last place; the constant covers results too small for a normal float.
    const double rounding = std::ldexp(4 * (magnitude.largest * largest_sum + std::fabs(bias)), -24) + 1e-36;
    const double error = weight_error * largest_sum + magnitude.sum * largest_delta + rounding;
    error_ = std::nextafter(static_cast<float>(error), INFINITY);
    if (ratio_fine() != nullptr && codes.shape().id_form != IdForm::kWord &&
        Fine::is_normal(parameters.scale, weights_, bias)) {
      fine_.emplace(codes, weights_, bias, magnitude.largest);
    }
  }

  const FineQuery* fine() const override { return fine_ ? &*fine_ : nullptr; }

  void approximate(size_t first, size_t count, float* scores) const override {
    kernels().ratio_scan(codes_.block(first), count, codes_.shape(), table_[0].weights, scale_,
                         static_cast<float>(bias_), scores);
  }

  size_t reaching(Blocks blocks, Blocks, size_t, float threshold, uint32_t* positions, float* scores) const override {
    const RatioScan scan{codes_.shape(), table_[0].weights, largest_, scale_, static_cast<float>(bias_)};
    return reach_kernels().ratio_reach(codes_.block(blocks.first), blocks.count, scan, threshold, positions, scores);
  }

  double exact(size_t slot) const override {
    const double scale = codes_.parameters().scale;
    double sums[4] = {};
    codes_.for_each(slot, [&](uint32_t j, uint32_t id, uint32_t code) {
      sums[j % 4] += static_cast<double>(weights_[id]) * (code * scale);
    });
    return bias_ + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }

  float error() const override { return error_; }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }

 private:
  // Fills the table; returns the largest |w - step * w8|.
  double quantise(double step) {
    if (!(step > 0)) return 0;
    int8_t* table = table_[0].weights;
    const double inverse = 1 / step;
    double largest = 0;
    for (size_t d = 0; d < weights_.size(); ++d) {
      const double weight = weights_[d];
      if (weight == 0) continue; // most are: a model knows only the features of its examples
      const double rounded = std::clamp(round_to_even(weight * inverse), -127.0, 127.0);
      table[d] = static_cast<int8_t>(rounded);
      largest_ = std::max(largest_, table[d]);
      largest = std::max(largest, std::fabs(weight - step * rounded));
    }
    return largest;
  }

  // For |x| < 2^51; adding 1.5 * 2^52 leaves no bits behind the point.
  static double round_to_even(double x) {
    constexpr double kShift = 6755399441055744.0;
    return (x + kShift) - kShift;
  }

  // Every step of a sum rounds by at most 2^-24 of it, and so do scale, bias, product and score; the constant is as above.
  class Fine final : public FineQuery {
   public:
    // Whether no sum of products overflows, and what underflows is less than the constant.
    static bool is_normal(double scale, const std::vector<float>& weights, double bias) {
      const auto is_small = [](double value) { return std::fabs(value) <= 0x1p90; };
      return scale >= 0x1p-100 && scale <= 0x1p20 && is_small(bias) && std::all_of(weights.begin(), weights.end(), is_small);
    }

    Fine(const RatioCodes& codes, const std::vector<float>& weights, double bias, double largest)
        : codes_(codes), weights_(ratio_table_entries(codes.shape().id_form)), bias_(static_cast<float>(bias)) {
      std::copy(weights.begin(), weights.end(), weights_.begin());
      const RatioParameters& parameters = codes.parameters();
      error_ = std::ldexp((parameters.features + 4) * (largest * parameters.max_sum + std::fabs(bias)), -23) + 1e-36;
    }

    void scores(size_t first, size_t end, float* scores) const override {
      const RatioParameters& parameters = codes_.parameters();
      const float scale = static_cast<float>(parameters.scale);
      const FineScan scan{codes_.shape(), weights_.data(), parameters.value_bits - 8, scale, bias_};
      ratio_fine()(codes_.blocks(), codes_.refine(), first, end, scan, scores);
    }

    double error() const override { return error_; }
    void prefetch(size_t begin, size_t end) const override { codes_.prefetch_rests(begin, end); }

   private:
    const RatioCodes& codes_;
    std::vector<float> weights_; // one for every id there may be
    float bias_;
    double error_;
  };

  const RatioCodes& codes_;
  std::vector<float> weights_;
  std::vector<TableLine> table_;
  int8_t largest_ = 0; // of the table
  double bias_;
  float scale_;
  float error_;
  std::optional<Fine> fine_;
};

} // namespace

IdForm ratio_id_form(uint32_t dims) {
  return dims <= 256 ? IdForm::kByte : dims <= 1024 ? IdForm::kTenBit : IdForm::kWord;
}

size_t ratio_table_entries(IdForm form) {
  return form == IdForm::kByte ? 256 : form == IdForm::kTenBit ? 1024 : 65536;
}

size_t ratio_block_bytes(RatioShape shape) { return shape.features * size_t{128} + upper_bytes(shape); }

size_t ratio_codes_bytes(size_t count, const RatioParameters& parameters) {
  return blocks_of(count) * ratio_block_bytes(shape_of(parameters));
}

size_t ratio_refine_bytes(size_t count, const RatioParameters& parameters) {
  const size_t bits = count * parameters.features * (parameters.value_bits - 8);
  return bits == 0 ? 0 : (bits + 7) / 8 + 8;
}

void pack_ratio(const uint16_t* ids, const uint32_t* codes, const uint32_t* order, size_t first, size_t count,
                const RatioParameters& parameters, uint8_t* blocks, uint8_t* refine) {
  const RatioShape shape = shape_of(parameters);
  const size_t stride = ratio_block_bytes(shape);
  const uint32_t features = parameters.features;
  const uint32_t low_bits = parameters.value_bits - 8;
  const uint32_t half = low_bits == 0 ? 0 : 1u << (low_bits - 1);
  // 64 slots fill whole bytes of the refine section, so parts can be packed by different threads.
  const size_t slot_bits = size_t{features} * low_bits;
  if (slot_bits != 0) {
    std::memset(refine + first * slot_bits / 8, 0, ((first + count) * slot_bits + 7) / 8 - first * slot_bits / 8);
  }
  std::memset(blocks + first / kRatioBlockItems * stride, 0, blocks_of(count) * stride);
  for (size_t slot = first; slot < first + count; ++slot) {
    uint8_t* low = blocks + slot / kRatioBlockItems * stride;
    uint8_t* values = low + features * size_t{64};
    uint8_t* upper = values + features * size_t{64};
    const size_t row = size_t{order[slot]} * features;
    for (uint32_t j = 0; j < features; ++j) {
      const uint32_t id = ids[row + j];
      const uint32_t code = codes[row + j];
      const uint32_t high = (code + half) >> low_bits;
      const size_t at = ratio_position(features, slot % kRatioBlockItems, j);
      low[at] = static_cast<uint8_t>(id);
      values[at] = static_cast<uint8_t>(high);
      if (shape.id_form == IdForm::kWord) {
        upper[at] = static_cast<uint8_t>(id >> 8);
      } else if (shape.id_form == IdForm::kTenBit) {
        uint8_t* planes = upper + at / 64 * 16 + at % 64 / 8;
        planes[0] |= static_cast<uint8_t>((id >> 8 & 1) << (at % 8));
        planes[8] |= static_cast<uint8_t>((id >> 9 & 1) << (at % 8));
      }
      if (low_bits == 0) continue;
      const uint32_t rest = (code - (high << low_bits)) & ((1u << low_bits) - 1);
      const size_t bit = slot * slot_bits + size_t{j} * low_bits;
      const uint32_t shifted = rest << (bit % 8);
      for (uint32_t byte = 0; byte * 8 < bit % 8 + low_bits; ++byte) {
        refine[bit / 8 + byte] |= static_cast<uint8_t>(shifted >> (byte * 8));
      }
    }
  }
}

RatioCodes::RatioCodes(const RatioParameters& parameters, size_t count, const uint8_t* blocks, const uint8_t* refine)
    : parameters_(parameters),
      shape_(shape_of(parameters)),
      low_bits_(parameters.value_bits - 8),
      count_(count),
      block_bytes_(ratio_block_bytes(shape_)),
      blocks_(blocks),
      refine_(refine) {}

size_t RatioCodes::count() const { return count_; }
size_t RatioCodes::dims() const { return parameters_.dims; }
size_t RatioCodes::row_values() const { return parameters_.features; }
bool RatioCodes::sparse() const { return true; }
size_t RatioCodes::block_items() const { return kRatioBlockItems; }
size_t RatioCodes::block_bytes() const { return block_bytes_; }

std::unique_ptr<Query> RatioCodes::prepare(const float* weights, double bias) const {
  return std::make_unique<RatioQuery>(*this, weights, bias);
}

void RatioCodes::decode(size_t slot, uint32_t* ids, float* values) const {
  for_each(slot, [&](uint32_t j, uint32_t id, uint32_t code) {
    ids[j] = id;
    values[j] = static_cast<float>(code * parameters_.scale);
  });
}

// At most n features of at most the largest code, and all of them at most max_sum together.
double RatioCodes::largest_sum(const float* magnitudes) const {
  const Magnitudes magnitude = farsight::magnitudes(magnitudes, parameters_.dims, parameters_.features);
  const double largest_value = std::ldexp(255 * parameters_.scale, static_cast<int>(low_bits_)) +
                               std::ldexp(parameters_.scale, static_cast<int>(low_bits_));
  const double sum = std::min(magnitude.sum * largest_value, magnitude.largest * parameters_.max_sum);
  return sum * (1 + 0x1p-20); // decode() rounds once
}

// |q - v|^2 = |q|^2 + sum_j v_j * (v_j - 2 * q[id_j]), rounded up to 0 where cancellation leaves less.
double RatioCodes::distance(size_t slot, const float* query, double norm) const {
  double sum = norm;
  for_each(slot, [&](uint32_t, uint32_t id, uint32_t code) {
    const double value = code * parameters_.scale;
    sum += value * (value - 2.0 * static_cast<double>(query[id]));
  });
  return std::max(sum, 0.0);
}

void RatioCodes::prefetch_rests(size_t begin, size_t end) const {
  const size_t bits = size_t{parameters_.features} * low_bits_;
  if (bits != 0 && begin < end) prefetch_lines(refine_ + begin * bits / 8, (end * bits + 7) / 8 - begin * bits / 8);
}

// The lines that for_each touches: four features of an item lie side by side, so do two of a pair.
// Into the second-level cache, as prefetch_lines does: seven lines a slot are more than the first has places for under way.
void RatioCodes::prefetch(size_t slot) const {
  const uint32_t features = parameters_.features;
  const uint8_t* low = block(slot / kRatioBlockItems);
  const uint8_t* values = low + features * size_t{64};
  const uint8_t* upper = values + features * size_t{64};
  const uint32_t fours = features & ~3u;
  for (uint32_t j = 0; j < features; j += j < fours ? 4 : 2) {
    const size_t at = ratio_position(features, slot % kRatioBlockItems, j);
    __builtin_prefetch(low + at, 0, 1);
    __builtin_prefetch(values + at, 0, 1);
    if (shape_.id_form == IdForm::kWord) __builtin_prefetch(upper + at, 0, 1);
    if (shape_.id_form == IdForm::kTenBit) __builtin_prefetch(upper + at / 64 * 16, 0, 1);
  }
  if (low_bits_ != 0) __builtin_prefetch(refine_ + slot * features * low_bits_ / 8, 0, 1);
}

} // namespace farsight
