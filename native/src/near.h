// SpreadS (IRIS) without looking at every item: the items near a set of queries are looked for in the clusters near them.
#pragma once

#include <vector>

#include "levels.h"
#include "query-vectors.h"

namespace farsight {

struct NearResult {
  size_t found = 0;
  uint64_t items_scored = 0;
  uint64_t clusters_read = 0;
  bool complete = true; // false: the deadline passed first, and these are the nearest of what was read
};

// Clusters of more items are mostly one vector, and of those a few of the lowest numbers are read.
inline constexpr size_t kMostOfCluster = 4096;
inline constexpr size_t kFewOfCluster = 512;

// The clusters near some queries, to look for more and more items in.
class NearSearch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // queries: items. clusters: read per query and space, the nearest besides its own. levels: of each space, may be nullptr.
  // Refers to the cells; past the deadline the queries' own clusters must do.
  NearSearch(std::span<const Space> spaces, std::span<const Levels* const> levels, std::span<const uint32_t> queries,
             size_t clusters, TimePoint deadline = TimePoint::max());

  // Writes the items nearest to any query, at most items.size(), by their exact distance as nearest_distances has it,
  // nearest first, then by number. skip: items left out, ascending, unique.
  NearResult find(std::span<const uint32_t> skip, std::span<uint32_t> items,
                  TimePoint deadline = TimePoint::max()) const;

 private:
  std::span<const uint32_t> clusters_of(uint32_t q, size_t s, size_t most) const;

  std::vector<Space> spaces_;
  QueryVectors queries_;
  std::vector<std::vector<uint32_t>> clusters_; // of each query in each space: its own first, then the nearest others
  bool complete_ = true;
};

// The exact distance of given items to the nearest of `queries`, as nearest_distances has it.
void nearest_of_items(std::span<const Space> spaces, std::span<const uint32_t> queries,
                      std::span<const uint32_t> items, double* distances);

} // namespace farsight
