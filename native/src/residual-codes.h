// What codes of residuals share: a slot's vector is the representative of its cluster plus a residual kept in a rotated
// basis. There is no short cut to its distance, so distances are of decoded vectors.
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <vector>

#include "codes.h"
#include "kernels.h"
#include "rotation.h"

namespace farsight {

inline constexpr uint32_t kMostRabitqDims = 4096;

class ResidualCodes : public Codes {
 public:
  size_t count() const override { return count_; }
  size_t dims() const override { return dims_; }
  size_t row_values() const override { return dims_; }
  bool sparse() const override { return false; }
  size_t block_items() const override { return kRabitqBlockItems; }
  const uint8_t* blocks() const override { return blocks_; }
  std::unique_ptr<DistanceQuery> prepare_distance(const float* query) const override;
  // Infinite: factors are the items' own, and no bound of all of them is kept.
  double largest_sum(const float*) const override { return std::numeric_limits<double>::infinity(); }
  void decode(size_t slot, uint32_t* ids, float* values) const override;
  double distance(size_t slot, const float* query, double norm) const override;

  const Codes& representatives() const { return representatives_; }
  const Rotation& rotation() const { return rotation_; }
  // Clusters come from a file and may say anything: at most the last one.
  virtual size_t cluster(size_t slot) const = 0;

 protected:
  // representatives: dense codes of the same dims, at least one, which outlive these.
  ResidualCodes(size_t dims, size_t count, const uint8_t* blocks, const Codes& representatives)
      : dims_(dims), count_(count), blocks_(blocks), representatives_(representatives), rotation_(dims) {}

 private:
  // The stored residual of a slot in the rotated basis: dims() floats.
  virtual void residual(size_t slot, float* values) const = 0;

  size_t dims_;
  size_t count_;
  const uint8_t* blocks_;
  const Codes& representatives_;
  Rotation rotation_;
};

// The squared distance of every decoded vector, rounded to float once.
class ResidualDistanceQuery final : public DistanceQuery {
 public:
  ResidualDistanceQuery(const ResidualCodes& codes, const float* query)
      : codes_(codes), query_(query, query + codes.dims()) {}

  void approximate(size_t first, size_t count, float* distances) const override {
    const size_t begin = first * kRabitqBlockItems;
    for (size_t i = 0; i < count * kRabitqBlockItems; ++i) {
      const bool present = begin + i < codes_.count();
      distances[i] = present ? static_cast<float>(codes_.distance(begin + i, query_.data(), 0)) : 0.0f;
    }
  }

  float error() const override { return 0; }

 private:
  const ResidualCodes& codes_;
  std::vector<float> query_;
};

inline std::unique_ptr<DistanceQuery> ResidualCodes::prepare_distance(const float* query) const {
  return std::make_unique<ResidualDistanceQuery>(*this, query);
}

inline void ResidualCodes::decode(size_t slot, uint32_t*, float* values) const {
  residual(slot, values);
  rotation_.undo(values);
  std::array<float, kMostRabitqDims> mean;
  representatives_.decode(cluster(slot), nullptr, mean.data());
  for (size_t d = 0; d < dims_; ++d) values[d] += mean[d];
}

// Of the decoded vector: four accumulators by d % 4, ((a0 + a1) + (a2 + a3)); the norm is not needed.
inline double ResidualCodes::distance(size_t slot, const float* query, double) const {
  std::array<float, kMostRabitqDims> values;
  decode(slot, nullptr, values.data());
  double sums[4] = {};
  for (size_t d = 0; d < dims_; ++d) {
    const double difference = static_cast<double>(query[d]) - static_cast<double>(values[d]);
    sums[d % 4] += difference * difference;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

} // namespace farsight
