// The means of groups of sparse vectors, searched as one wide panel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparse-panels.h"

namespace farsight {

class SparseNodes {
 public:
  // The means of `starts.size() - 1` groups of rows: group g has members[starts[g] .. starts[g + 1]).
  SparseNodes(const SparseTable& table, std::span<const uint32_t> members, std::span<const uint32_t> starts, size_t dims,
              size_t threads);

  size_t count() const { return count_; }
  // found[(row - first) * beam + i], i < beam: the nodes nearest to each of rows [first, last), in no order; of equally
  // near ones the lower. beam: at most count().
  void search(const WeighedRows& rows, size_t first, size_t last, size_t beam, uint16_t* found) const;

 private:
  // Nodes are scored kBlock at a time, so that a block's popular features stay in a level 2 cache over a batch of rows.
  static constexpr size_t kBlock = 512;
  static constexpr size_t kBatch = 2048;

  const int16_t* block(size_t b) const { return panel_.data() + b * (features_ + 1) * kBlock; }

  size_t count_;
  size_t blocks_;
  size_t features_ = 0;
  float largest_norm_ = 0;
  std::vector<uint32_t> map_;  // feature to panel row
  std::vector<int16_t> panel_; // per block: a row per feature, then the bias
};

} // namespace farsight
