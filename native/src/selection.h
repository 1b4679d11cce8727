// Choosing the clusters that a round reads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cells.h"

namespace farsight {

// Writes the numbers of the best clusters (at most `count`) in order to `clusters` and returns how many. Empty clusters
// are left out. Clusters of more than `size_limit` items come after all the others (Exquisitor §3.3 omits them), so they
// are only read by a caller that asks for nearly every cluster. `ordinary` receives how many of the written clusters are
// within the limit.
//
// Without a spread, clusters are ordered by the score of their representative, as in the paper. What is wanted of a
// cluster, however, is its best items, not its average one. With a spread, the scores of its items are taken as normal
// around that of the representative, with variance sum_d w_d^2 var_d (dimensions taken as independent): of the
// kPreselected * count best by the representatives' approximate scores, those with the largest such mean + kDeviations *
// deviation are written: a guess at best items needs no exact mean, and it costs a cache miss or six. Where there
// are up to kScannedSpreads * count dense clusters, their spreads are scanned like the representatives, which costs about
// as much: where clusters hold several dense groups, their means say little of the best items (decision 0003).
//
// Where clusters are grouped and few are wanted, only the representatives of the groups with the best means are scored:
// as many groups as lie in about every kBlockShare-th block (kDenseBlockShare-th of dense ones), and no fewer than hold
// kLeastScored clusters for each one wanted (decision 0009).
inline constexpr size_t kPreselected = 2;
inline constexpr size_t kScannedSpreads = 256;
inline constexpr double kDeviations = 2;
inline constexpr size_t kBlockShare = 8, kDenseBlockShare = 4;
inline constexpr size_t kLeastScored = 32;

// A model prepared for what is known of clusters.
struct ClusterQueries {
  const Query& representatives;
  const Query* spread = nullptr; // scores clusters by that variance (squared weights over codes of variances)
  const Query* groups = nullptr; // scores the means of the groups of cells
};

size_t select_clusters(const Cells& cells, const ClusterQueries& queries, size_t count, uint64_t size_limit,
                       uint32_t* clusters, size_t* ordinary);

} // namespace farsight
