// The means of groups of dense vectors, searched as panels of 16.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels.h"
#include "panel-distances.h"

namespace farsight {

class DenseNodes {
 public:
  // The means of `starts.size() - 1` groups of the rows of `values`: group g has members[starts[g] .. starts[g + 1]).
  DenseNodes(const std::vector<float>& values, size_t dims, std::span<const uint32_t> members,
             std::span<const uint32_t> starts, size_t threads);

  size_t count() const { return count_; }
  // found[(row - first) * beam + i], i < beam: the nodes nearest to each of rows [first, last), in no order; of equally
  // near ones the lower. read(row, out) writes a row's values. beam: at most count().
  template <typename Read>
  void search(const Read& read, size_t first, size_t last, size_t beam, uint16_t* found) const;

 private:
  // So many rows at a time that they and a panel stay in a level 2 cache.
  size_t batch() const { return std::clamp<size_t>(131072 / (dims_ * sizeof(float)) / kPanelRows, 1, 16) * kPanelRows; }
  void offer(const float* distances, size_t panel, size_t beam, std::vector<uint64_t>& keys, float& threshold) const;

  size_t dims_;
  size_t count_;
  std::vector<float> panels_;
};

// Keys order by distance (not negative, so its bits do), then by lower node; the `beam` smallest stay.
inline void keep_nearest(std::vector<uint64_t>& keys, size_t beam, float& threshold) {
  if (keys.size() < beam) return;
  std::nth_element(keys.begin(), keys.begin() + (beam - 1), keys.end());
  keys.resize(beam);
  threshold = std::bit_cast<float>(static_cast<uint32_t>(keys.back() >> 16));
}

template <typename Read>
void DenseNodes::search(const Read& read, size_t first, size_t last, size_t beam, uint16_t* found) const {
  const PanelDistances measure = panel_distances();
  const size_t rows = batch();
  std::vector<float> queries(rows * dims_);
  std::vector<std::vector<uint64_t>> keys(rows);
  std::vector<float> thresholds(rows);
  float distances[kPanelRows * kLanes];
  for (size_t begin = first; begin < last; begin += rows) {
    const size_t here = std::min(rows, last - begin);
    for (size_t q = 0; q < here; ++q) {
      read(begin + q, queries.data() + q * dims_);
      keys[q].clear();
      thresholds[q] = std::numeric_limits<float>::infinity();
    }
    for (size_t p = 0; p * kLanes < count_; ++p) {
      // The last group may hold rows of an earlier batch: measured, not used.
      for (size_t group = 0; group < here; group += kPanelRows) {
        measure(panels_.data() + p * kLanes * dims_, queries.data() + group * dims_, dims_, distances);
        for (size_t q = group; q < std::min(here, group + kPanelRows); ++q) {
          offer(distances + (q - group) * kLanes, p, beam, keys[q], thresholds[q]);
        }
      }
    }
    for (size_t q = 0; q < here; ++q) {
      keep_nearest(keys[q], beam, thresholds[q]);
      uint16_t* out = found + (begin - first + q) * beam;
      for (const uint64_t key : keys[q]) *out++ = static_cast<uint16_t>(key & 0xffff);
    }
  }
}

} // namespace farsight
