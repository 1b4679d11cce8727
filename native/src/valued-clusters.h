// Clusters that may hold the best items of a grid's cells (GridS of IRIS): by the score of their representative and its
// distance to the positives.
#pragma once

#include "search.h"

namespace farsight {

// score_factor * score + distance_factor * sqrt(rest + weight * the squared distance to the nearest centre)
struct ClusterValue {
  double score_factor;
  double distance_factor;
  double weight;
  double rest; // what the other modalities add to the squared distance, on average
};

// Writes the clusters of the largest value to `out`, at most out.size(), best first; empty ones and those of more than
// `size_limit` items are left out. Approximate scores and distances decide. centres: rows of dims floats.
size_t valued_clusters(const Cells& cells, const Query& representatives, std::span<const float> centres,
                       const ClusterValue& value, uint64_t size_limit, std::span<uint32_t> out);

// Writes the items of clusters, in order, to `out` until it is full; returns how many.
size_t cluster_items(const Cells& cells, std::span<const uint32_t> clusters, std::span<uint32_t> out);

} // namespace farsight
