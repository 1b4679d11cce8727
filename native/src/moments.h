// Mean and variance of clusters, from their members. Results do not depend on the number of threads.
// Dense sums are of codes, exactly: with value = offset + step * code, the mean of the values is
// offset + step * (mean of the codes) and their variance step^2 * (variance of the codes).
#pragma once

#include <vector>

#include "vectors.h"

namespace farsight {

// Where the moments of a sparse cluster go: `features` entries each, value descending, then id ascending; 0 pads.
struct SparseMoments {
  size_t features;
  uint16_t* ids;
  float* values;
};

// Sums over the members of one sparse cluster at a time.
class SparseSums {
 public:
  explicit SparseSums(size_t dims) : sums_(dims) {}
  // An entry of a member; its value is not 0.
  void add(uint32_t id, double value) {
    Sums& sum = sums_[id];
    if (sum.values == 0) ids_.push_back(id);
    sum.values += value;
    sum.squares += value * value;
  }
  // The strongest means of `count` members as entry `cluster` of `out`.
  void mean(double count, size_t cluster, const SparseMoments& out);
  // Population variances: how far the members spread around their mean.
  void variance(double count, size_t cluster, const SparseMoments& out);
  void clear();

 private:
  struct Sums {
    double values = 0;
    double squares = 0;
  };
  struct Entry {
    uint32_t id;
    float value;
  };
  void write(size_t cluster, const SparseMoments& out);

  std::vector<Sums> sums_;
  std::vector<uint32_t> ids_; // of the features seen
  std::vector<Entry> entries_;
};

// Sums over the members of one dense cluster at a time.
class DenseSums {
 public:
  explicit DenseSums(size_t dims) : sums_(dims), squares_(dims) {}
  void add(const uint8_t* codes) {
    for (size_t d = 0; d < sums_.size(); ++d) {
      sums_[d] += codes[d];
      squares_[d] += uint32_t{codes[d]} * codes[d];
    }
  }
  // dims values each.
  void mean(double count, const float* offset, const float* step, float* out) const;
  void variance(double count, const float* step, float* out) const;
  void clear();

 private:
  std::vector<uint64_t> sums_, squares_;
};

// Cluster c holds rows order[starts[c] .. starts[c + 1]); an empty cluster is left as it is in the output.
void means(const SparseVectors& rows, size_t dims, const uint32_t* order, const uint32_t* starts, size_t clusters,
           size_t features, size_t threads, uint16_t* ids, float* values);
void means(const Sq8Vectors& rows, const uint32_t* order, const uint32_t* starts, size_t clusters, size_t threads,
           float* values);

} // namespace farsight
