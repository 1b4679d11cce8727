// A dense vector in the form the distance scan of ratio codes wants; the layout is in ratio.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "magnitudes.h"
#include "ratio.h"

namespace farsight {

namespace {

// |q - x|^2 = |q|^2 + sum_j x_j (x_j - 2 q[id_j]); the scan reads v_j = high_j * step, step = 2^low * scale, for x_j.
// With x = v + delta, |delta| <= D (2^(low-1) * scale, and 0 when low == 0), a term moves by
//   x (x - 2q) - v (v - 2q) = delta (x + v - 2q).
// Let S >= sum x, sum v (the same bound as of RatioQuery), Q = max|q| and Q_n the sum of the n largest |q|: all terms
// together move by at most
//   2 D (S + Q_n).
// In float, u = 2^-24: v carries two roundings (of step and of the product) and v - 2q one more, which moves v (v - 2q)
// by at most u * 3.1 v |v - 2q| + u * 2.1 v^2. With P = min(S, 255 step) * S >= sum v^2 and T = P + 2 Q S, which is at
// least sum v |v - 2q|, that is 5.2 u T in all. The n sums round by at most 1.001 n u T, the last one by 1.001 u (T + |q|^2), |q|^2 itself by
// u |q|^2. The distances this is compared with round in double, 2^-53 (dims + n + 4) of (T + |q|^2), less than u / 100.
// Together
//   E = 2 D (S + Q_n) + u ((n + 8) T + 3 |q|^2) + tiny.
// Taking the larger of the distance and 0 on both sides brings them no further apart. tiny: where v is too small for a
// normal float it is off by less than 2^-141, and every sum by less than 2^-149.
class RatioDistanceQuery final : public DistanceQuery {
 public:
  RatioDistanceQuery(const RatioCodes& codes, const float* query)
      : codes_(codes), twice_(ratio_table_entries(codes.shape().id_form)) {
    const RatioParameters& parameters = codes.parameters();
    const uint32_t low = parameters.value_bits - 8;
    const double features = parameters.features;
    double norm = 0;
    for (size_t d = 0; d < codes.dims(); ++d) {
      twice_[d] = 2 * query[d];
      norm += static_cast<double>(query[d]) * query[d];
    }
    const double step = std::ldexp(parameters.scale, static_cast<int>(low));
    step_ = static_cast<float>(step);
    norm_ = static_cast<float>(norm);

    const Magnitudes magnitude = magnitudes(query, codes.dims(), parameters.features);
    const double largest_value = 255 * step;
    const double largest_delta = low == 0 ? 0.0 : step / 2;
    const double largest_sum = std::min(parameters.max_sum + features * largest_delta, features * largest_value);
    const double terms = (std::min(largest_sum, largest_value) + 2.0 * magnitude.largest) * largest_sum;
    const double rounding = std::ldexp((features + 8) * terms + 3 * norm, -24);
    const double tiny = std::ldexp(features * (largest_value + magnitude.largest), -140) + 1e-36;
    const double error = 2 * largest_delta * (largest_sum + magnitude.sum) + rounding + tiny;
    // Below this nothing overflows: not 2 q, not v - 2q, no sum.
    const double largest = 4 * (terms + norm + largest_value + magnitude.largest) + error;
    const bool bounded = largest < static_cast<double>(std::numeric_limits<float>::max());
    error_ = bounded ? std::nextafter(static_cast<float>(error), INFINITY) : INFINITY;
  }

  void approximate(size_t first, size_t count, float* distances) const override {
    kernels().ratio_distance(codes_.block(first), count, codes_.shape(), twice_.data(), step_, norm_, distances);
  }

  float error() const override { return error_; }

 private:
  const RatioCodes& codes_;
  std::vector<float> twice_;
  float step_;
  float norm_;
  float error_;
};

} // namespace

std::unique_ptr<DistanceQuery> RatioCodes::prepare_distance(const float* query) const {
  return std::make_unique<RatioDistanceQuery>(*this, query);
}

} // namespace farsight
