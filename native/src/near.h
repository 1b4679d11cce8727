// SpreadS (IRIS) without looking at every item: the items near a set of queries are looked for in the clusters near them.
#pragma once

#include "levels.h"
#include "survey.h"

namespace farsight {

struct NearOptions {
  std::span<const uint32_t> skip = {}; // items left out: ascending, unique
  size_t clusters = 8;                 // read per query and space besides its own: the nearest
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct NearResult {
  size_t found = 0;
  uint64_t items_scored = 0;
  uint64_t clusters_read = 0;
  bool complete = true; // false: the deadline passed first, and these are the nearest of what was read
};

// Clusters of more items are mostly one vector, and of those a few of the lowest numbers are read.
inline constexpr size_t kMostOfCluster = 4096;
inline constexpr size_t kFewOfCluster = 512;

// Writes the items nearest to any of `queries` (items), at most `items.size()`, by their exact distance as
// nearest_distances has it, nearest first, then by number. levels: of each space.
NearResult near_items(std::span<const Space> spaces, std::span<const Levels* const> levels,
                      std::span<const uint32_t> queries, const NearOptions& options, std::span<uint32_t> items);

// The exact distance of given items to the nearest of `queries`, as nearest_distances has it.
void nearest_of_items(std::span<const Space> spaces, std::span<const uint32_t> queries,
                      std::span<const uint32_t> items, double* distances);

} // namespace farsight
