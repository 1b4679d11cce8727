// Packing and reading sq8 codes, and a linear model or a vector in the form their scans want; the layout is in sq8.h.
#include "sq8.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "reach.h"

namespace farsight {

namespace {

size_t padded(uint32_t dims) { return (size_t{dims} + 3) & ~size_t{3}; }

size_t blocks_of(size_t count) { return (count + kSq8BlockItems - 1) / kSq8BlockItems; }

// score = bias + sum_d w_d * offset_d + sum_d u_d * code_d  with u_d = w_d * step_d (exact in double).
// Approximately u_d = q * (256 * high_d + low_d), q = max|u| / 32512, so that high fits int8 with low in [-128, 127].
// The errors e_d of that add up to sum_d e_d * code_d; as codes lie in 0..255, adding 127.5 * sum_d e_d to the bias
// leaves at most 127.5 * sum_d |e_d|. In float, both integer sums, their sum, the scale, the product and the result
// round once each: with M the largest possible |256 * high_sum| + |low_sum|, at most 2^-24 of q * M five times, and of
// the bias twice.
class Sq8Query final : public Query {
 public:
  Sq8Query(const Sq8Codes& codes, const float* weights, double bias)
      : codes_(codes), folded_(codes.padded_dims()), high_(folded_.size()), low_(folded_.size()), bias_(bias) {
    double largest = 0;
    for (size_t d = 0; d < codes.dims(); ++d) {
      folded_[d] = static_cast<double>(weights[d]) * static_cast<double>(codes.step()[d]);
      bias_ += static_cast<double>(weights[d]) * static_cast<double>(codes.offset()[d]);
      largest = std::max(largest, std::fabs(folded_[d]));
    }
    const double step = largest / 32512;
    double error_sum = 0;
    double error_magnitude = 0;
    double integer_magnitude = 0;
    for (size_t d = 0; d < folded_.size(); ++d) {
      const double scaled = step > 0 ? std::clamp(std::nearbyint(folded_[d] / step), -32512.0, 32512.0) : 0.0;
      const int32_t weight = static_cast<int32_t>(scaled);
      const int32_t high = (weight + 128) >> 8;
      const int32_t low = weight - 256 * high;
      high_[d] = static_cast<int8_t>(high);
      low_[d] = static_cast<int8_t>(low);
      const double error = folded_[d] - step * weight;
      error_sum += error;
      error_magnitude += std::fabs(error);
      integer_magnitude += 256 * std::abs(high) + std::abs(low);
    }
    scale_ = static_cast<float>(step);
    const double centred_bias = bias_ + 127.5 * error_sum;
    approximate_bias_ = static_cast<float>(centred_bias);
    // 2^-24 is half a unit in the last place; the constant covers results too small for a normal float.
    const double rounding = std::ldexp(6 * (step * 255 * integer_magnitude + std::fabs(centred_bias)), -24) + 1e-33;
    error_ = std::nextafter(static_cast<float>(127.5 * error_magnitude + rounding), INFINITY);
  }

  void approximate(size_t first, size_t count, float* scores) const override {
    scan({first, count}, {}, scores);
  }

  size_t reaching(Blocks blocks, Blocks next, size_t slots, float threshold, uint32_t* positions,
                  float* scores) const override {
    scan(blocks, next, scores);
    return keep_reaching(kernels(), scores, slots, threshold, positions);
  }
  bool asks_ahead() const override { return true; }

  double exact(size_t slot) const override {
    const uint8_t* row = codes_.block(slot / kSq8BlockItems) + slot % kSq8BlockItems * 4;
    return kernels().sq8_dot(folded_.data(), row, folded_.size()) + bias_;
  }

  float error() const override { return error_; }
  void prefetch(size_t slot) const override { codes_.prefetch(slot); }

 private:
  void scan(Blocks blocks, Blocks next, float* scores) const {
    kernels().sq8_scan(codes_.block(blocks.first), blocks.count, codes_.padded_dims(), high_.data(), low_.data(), scale_,
                       approximate_bias_, ahead_of(codes_, blocks, next), scores);
  }

  const Sq8Codes& codes_;
  std::vector<double> folded_;
  std::vector<int8_t> high_;
  std::vector<int8_t> low_;
  double bias_;
  float scale_;
  float approximate_bias_;
  float error_;
};

// |x - q|^2 = sum_d (step_d * code_d + shift_d)^2 with shift_d = offset_d - q_d, all in float.
// u = 2^-24. shift is rounded once, and step * code + shift once (fused), so with M_d the largest |x_d - q_d| that a code
// can make a difference is off by at most
//   e_d = u (1.01 |shift_d| + 1.01 M_d) + 2^-51 (|q_d| + |offset_d| + 255 step_d) + 2^-148,
// the second part being for the three roundings to double here and in distance(), the third for results too small for
// a normal float. Its square is then off by at most 2 M_d e_d + e_d^2. Every square goes through at most n = dims / 4 + 2
// sums, dims rounded up to a multiple of 4, which round by at most 1.01 n u of the total, sum (M_d + e_d)^2; the sums
// of distance() by less than u of it. Together
//   E = sum (2 M_d e_d + e_d^2) + 1.01 (n + 2) u sum (M_d + e_d)^2 + 1e-36.
class Sq8DistanceQuery final : public DistanceQuery {
 public:
  Sq8DistanceQuery(const Sq8Codes& codes, const float* query) : codes_(codes), shift_(codes.padded_dims()) {
    double difference_error = 0;
    double total = 0;
    for (size_t d = 0; d < codes.dims(); ++d) {
      const double offset = codes.offset()[d];
      const double range = 255.0 * codes.step()[d];
      const double shift = offset - query[d];
      shift_[d] = static_cast<float>(shift);
      const double most = std::max(std::fabs(shift), std::fabs(shift + range));
      const double magnitude = std::fabs(static_cast<double>(query[d])) + std::fabs(offset) + range;
      const double error = std::ldexp(1.01 * (std::fabs(shift) + most), -24) + std::ldexp(magnitude, -51) + 0x1p-148;
      difference_error += (2 * most + error) * error;
      total += (most + error) * (most + error);
    }
    const double sums = static_cast<double>(codes.padded_dims()) / 4 + 4;
    const double error = difference_error + std::ldexp(1.01 * sums * total, -24) + 1e-36;
    // Twice the largest distance: below it no sum overflows.
    const bool bounded = 2 * (total + error) < static_cast<double>(std::numeric_limits<float>::max());
    error_ = bounded ? std::nextafter(static_cast<float>(error), INFINITY) : INFINITY;
  }

  void approximate(size_t first, size_t count, float* distances) const override {
    kernels().sq8_distance(codes_.block(first), count, codes_.padded_dims(), codes_.step().data(), shift_.data(),
                           distances);
  }

  float error() const override { return error_; }

 private:
  const Sq8Codes& codes_;
  std::vector<float> shift_;
  float error_;
};

} // namespace

size_t sq8_block_bytes(uint32_t dims) { return padded(dims) * kSq8BlockItems; }

size_t sq8_codes_bytes(size_t count, uint32_t dims) { return blocks_of(count) * sq8_block_bytes(dims); }

void pack_sq8(const uint8_t* rows, const uint32_t* order, size_t first, size_t count, uint32_t dims, uint8_t* blocks) {
  const size_t stride = sq8_block_bytes(dims);
  std::memset(blocks + first / kSq8BlockItems * stride, 0, blocks_of(count) * stride);
  for (size_t slot = first; slot < first + count; ++slot) {
    const uint8_t* row = rows + size_t{order[slot]} * dims;
    uint8_t* out = blocks + slot / kSq8BlockItems * stride + slot % kSq8BlockItems * 4;
    for (uint32_t d = 0; d < dims; ++d) out[size_t{d / 4} * 64 + d % 4] = row[d];
  }
}

Sq8Codes::Sq8Codes(const Sq8Parameters& parameters, size_t count, const uint8_t* blocks)
    : dims_(parameters.dims),
      padded_dims_(padded(parameters.dims)),
      offset_(parameters.offset, parameters.offset + parameters.dims),
      step_(parameters.step, parameters.step + parameters.dims),
      count_(count),
      block_bytes_(sq8_block_bytes(parameters.dims)),
      blocks_(blocks) {
  offset_.resize(padded_dims_);
  step_.resize(padded_dims_);
}

size_t Sq8Codes::count() const { return count_; }
size_t Sq8Codes::dims() const { return dims_; }
size_t Sq8Codes::row_values() const { return dims_; }
bool Sq8Codes::sparse() const { return false; }
size_t Sq8Codes::block_items() const { return kSq8BlockItems; }
size_t Sq8Codes::block_bytes() const { return block_bytes_; }

std::unique_ptr<Query> Sq8Codes::prepare(const float* weights, double bias) const {
  return std::make_unique<Sq8Query>(*this, weights, bias);
}

std::unique_ptr<DistanceQuery> Sq8Codes::prepare_distance(const float* query) const {
  return std::make_unique<Sq8DistanceQuery>(*this, query);
}

// offset + step * code in float, a rounding per operation; exact() and distance() use the value in double.
void Sq8Codes::decode(size_t slot, uint32_t*, float* values) const {
  const uint8_t* row = block(slot / kSq8BlockItems) + slot % kSq8BlockItems * 4;
  for (uint32_t d = 0; d < dims_; ++d) {
    values[d] = offset_[d] + step_[d] * static_cast<float>(row[size_t{d / 4} * 64 + d % 4]);
  }
}

// Whole blocks four dimensions of every item at a time, which is how they lie in memory.
void Sq8Codes::decode_run(size_t slot, size_t count, uint32_t* ids, float* values) const {
  while (count > 0) {
    if (slot % kSq8BlockItems != 0 || count < kSq8BlockItems) {
      decode(slot++, ids, values);
      values += dims_;
      --count;
      continue;
    }
    const uint8_t* row = block(slot / kSq8BlockItems);
    for (size_t d = 0; d < dims_; d += 4, row += 64) {
      const size_t width = std::min<size_t>(4, dims_ - d);
      for (size_t i = 0; i < kSq8BlockItems; ++i) {
        for (size_t k = 0; k < width; ++k) {
          values[i * dims_ + d + k] = offset_[d + k] + step_[d + k] * static_cast<float>(row[4 * i + k]);
        }
      }
    }
    slot += kSq8BlockItems;
    count -= kSq8BlockItems;
    values += kSq8BlockItems * dims_;
  }
}

double Sq8Codes::largest_sum(const float* magnitudes) const {
  double sum = 0;
  for (size_t d = 0; d < dims_; ++d) {
    const double low = offset_[d], high = low + 255.0 * static_cast<double>(step_[d]);
    sum += static_cast<double>(magnitudes[d]) * std::max(std::fabs(low), std::fabs(high));
  }
  return sum * (1 + 0x1p-20); // decode() rounds twice
}

// Four accumulators by d % 4, ((a0 + a1) + (a2 + a3)); the norm is not needed.
double Sq8Codes::distance(size_t slot, const float* query, double) const {
  const uint8_t* row = block(slot / kSq8BlockItems) + slot % kSq8BlockItems * 4;
  double sums[4] = {};
  for (uint32_t d = 0; d < dims_; ++d) {
    const uint8_t code = row[size_t{d / 4} * 64 + d % 4];
    const double value = static_cast<double>(offset_[d]) + static_cast<double>(step_[d]) * code;
    const double difference = static_cast<double>(query[d]) - value;
    sums[d % 4] += difference * difference;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void Sq8Codes::prefetch(size_t slot) const {
  const uint8_t* row = block(slot / kSq8BlockItems) + slot % kSq8BlockItems * 4;
  for (size_t d = 0; d < padded_dims_; d += 4, row += 64) __builtin_prefetch(row);
}

} // namespace farsight
