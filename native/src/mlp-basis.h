// The coordinates that a network is trained in: the score of a linear model, and similarities to some of the rows.
//
// A gradient step moves a unit's weights by a sum of rows, so they stay among the combinations of rows; and of those few
// matter. Products with a few dozen rows instead of all dimensions make an epoch some twenty times cheaper, and the
// trained units are written back as weights of the dimensions: sum_j v_j (x.q_j) = x.(sum_j v_j q_j). Vectors of few
// dimensions are their own coordinates.
#pragma once

#include <vector>

#include "mlp-net.h"
#include "mlp.h"

namespace farsight {

// Vectors of at most so many dimensions are taken as they are; of others, products with at most so many rows.
inline constexpr size_t kOwnDims = 128;
inline constexpr size_t kPrototypes = 63;

struct LinearStart {
  std::vector<float> weights;
  double bias = 0;
  std::vector<double> scores; // per row
};

template <typename Rows>
class MlpBasis {
 public:
  // prototypes: rows to take products with, ignored where the dimensions themselves serve. `seen` rows give means and
  // deviations; every coordinate is brought to mean 0 and deviation 1 over them.
  MlpBasis(const Rows& rows, const LinearStart& linear, std::vector<uint32_t> prototypes,
           const std::vector<uint32_t>& seen);

  // Coordinate 0 is the linear score.
  const NetRows& coordinates() const { return coordinates_; }

  // The linear score is mean + deviation * coordinate 0; the deviation is 0 where it is the same for every row.
  double score_mean() const { return mean_[0]; }
  double score_deviation() const { return factor_[0] == 0 ? 0 : 1 / factor_[0]; }

  // Takes another linear model's score as coordinate 0 of what is folded; for the same rows and labels, so that it means
  // the same.
  void replace(const LinearStart& linear);

  // The first layer over the dimensions, from one over the coordinates: v (inputs() values) and its bias.
  void fold(const float* unit, double bias, float* weights, float* folded_bias) const;

 private:
  void standardise(const std::vector<uint32_t>& seen);

  const Rows& rows_;
  const LinearStart* linear_;
  std::vector<uint32_t> prototypes_;
  NetRows coordinates_;
  std::vector<double> mean_, factor_;
};

} // namespace farsight
