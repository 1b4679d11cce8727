// Sparse vectors as panels of 16-bit integers, and rows as the weights that score them.
//
// The nearest of the vectors c to x has the largest x.c - |c|^2 / 2. With C the largest norm in a panel, K = kUnit and
// R = kRatio, a panel holds K c_f / C for every feature f and R K |c|^2 / (2 C^2) in its bias row. A row's weights are
// t x_f / |x| and, for the bias, -t C / (R |x|), where t = min(1, R |x| / C) keeps them within 1; so a score is
//   K t / (C |x|) (x.c - |c|^2 / 2),
// at most K and at least -R K / 2. Rounding: weights (2^-15), panel values (1) and products (1) by half a unit each, so
// a feature is off by at most 1.5 and a row of n features with its bias by less than 1.5 n + 3, largest weights
// cut to 1 - 2^-15 included.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "assign-rows.h"
#include "panels.h"

namespace farsight {

inline constexpr float kUnit = 30000;
inline constexpr float kRatio = 1.25f;
// 1.5 times as many features must fit between kUnit and 2^15.
inline constexpr size_t kMaxPanelFeatures = 1024;

inline float score_error(size_t features) { return 1.5f * static_cast<float>(features) + 3; }
inline int16_t panel_value(float value, float largest_norm) {
  return largest_norm > 0 ? static_cast<int16_t>(std::lrintf(kUnit * value / largest_norm)) : int16_t{0};
}
inline int16_t panel_bias(double square, float largest_norm) {
  if (!(largest_norm > 0)) return 0;
  return static_cast<int16_t>(std::lrint(kRatio * kUnit / 2 * square / (double{largest_norm} * largest_norm)));
}

// Rows with their weights for panels that reach no farther than R times their norm, where t is 1.
class WeighedRows {
 public:
  explicit WeighedRows(const SparseTable& table, size_t threads);

  size_t count(size_t row) const { return table_.counts[row]; }
  float norm(size_t row) const { return norms_[row]; }

  // Weights of a row for a panel of this largest norm: those of `map`'s features, as (panel row, weight), then the bias
  // in `bias_row`. Returns how many there are.
  size_t weigh(size_t row, float largest_norm, const uint32_t* map, uint32_t bias_row, uint32_t* rows,
               int16_t* weights) const;
  // What a score of 1 is worth, as x.c - |c|^2 / 2.
  float unit(size_t row, float largest_norm) const {
    const float reach = kRatio * norms_[row];
    return (largest_norm > reach ? largest_norm * largest_norm / kRatio : largest_norm * norms_[row]) / kUnit;
  }

 private:
  const SparseTable& table_;
  std::vector<float> norms_;
  std::vector<uint16_t> codes_; // per entry: id, weight
};

// What `map` says of a feature that a panel does not have.
inline constexpr uint32_t kNoRow = 0xffffffff;

} // namespace farsight
