// The clusters of one space that are nearest to a vector.
#pragma once

#include <vector>

#include "cells.h"
#include "collector.h"
#include "levels.h"

namespace farsight {

// With as many distances between queries and representatives every one is measured. With more, only those in the groups
// whose means are nearest, or, where clusters are not grouped, those that the levels lead to.
inline constexpr size_t kMostDistances = size_t{1} << 22;
// Nodes gone into on each level, and groups looked into: so many, or one for so many clusters wanted where that is more.
inline constexpr size_t kBeam = 4;
inline constexpr size_t kNearGroups = 8;
inline constexpr size_t kClustersOfNode = 16;

class NearClusters {
 public:
  // queries: how many will be asked for. levels: of these cells, or nullptr.
  NearClusters(const Cells& cells, const Levels* levels, size_t queries);

  // Adds the `count` clusters nearest to `query` (dims floats, norm: its squared length), nearest first. Approximate
  // distances decide, exact ones on levels.
  void append(const float* query, double norm, size_t count, std::vector<uint32_t>& out);

 private:
  enum class Way { kAll, kGroups, kLevels };

  std::vector<uint32_t> near_groups(const float* query, size_t count);

  const Cells& cells_;
  const Levels* levels_;
  size_t clusters_;
  Way way_;
  Reaching reaching_;
};

} // namespace farsight
