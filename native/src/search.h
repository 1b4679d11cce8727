// Searching packed codes with a linear model: the b best clusters, the r best items of their segments, every item.
//
// Every function here returns exactly what double arithmetic over the decoded codes would: the 8-bit scan only
// discards what provably cannot be among the best (its error is bounded by Query::error()); the rest is scored
// exactly. Over codes that only estimate scores (Query::candidates) exact scores decide among the best estimates. Order is
// score descending, then number ascending, so ties never depend on threads or instruction set.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codes.h"
#include "packed.h"
#include "repeats.h"

namespace farsight {

// One modality of an opened index. Slots are in cluster order: cluster c holds slots [starts[c], starts[c + 1]).
// The arrays are mapped from files and untrusted: item numbers and starts are range-checked before use.
struct Cells {
  const Codes* codes;
  const Codes* representatives; // one per cluster
  PackedNumbers items; // slot -> item
  PackedNumbers slots; // item -> slot
  std::span<const uint32_t> starts; // clusters + 1
  std::span<const BlockRun> repeats = {}; // of the codes; scan_all scores one block of each
};

struct ScanOptions {
  std::span<const uint32_t> skip = {}; // items left out (seen, labelled, excluded): ascending, unique
  size_t workers = 1;             // threads that split the work; the answer does not depend on it
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct ScanResult {
  uint64_t items_scored = 0;  // items of the ranges read, skipped ones included
  uint64_t clusters_read = 0; // clusters of the list that were read, empty ones included; 0 for scan_all
  bool complete = true; // false: the deadline passed and the best so far was returned, at least of one batch
};

// Writes the numbers of the best clusters (at most `count`) in order to `clusters` and returns how many. Empty clusters
// are left out. Clusters of more than `size_limit` items come after all the others (Exquisitor §3.3 omits them), so they
// are only read by a caller that asks for nearly every cluster. `ordinary` receives how many of the written clusters are
// within the limit.
//
// Without a spread, clusters are ordered by the score of their representative, as in the paper. What is wanted of a
// cluster, however, is its best items, not its average one. With a spread, the scores of its items are taken as normal
// around that of the representative, with variance sum_d w_d^2 var_d (dimensions taken as independent): of the
// kPreselected * count best by the representatives' approximate scores, those with the largest such mean + kDeviations *
// deviation are written: a guess at best items needs no exact mean, and it costs a cache miss or six.
// spread: scores clusters by that variance (squared weights over codes of variances), or nullptr.
inline constexpr size_t kPreselected = 2;
inline constexpr double kDeviations = 2;
size_t select_clusters(const Cells& cells, const Query& representatives, const Query* spread, size_t count,
                       uint64_t size_limit, uint32_t* clusters, size_t* ordinary);

// Reads `clusters` in `segments` runs (run s is clusters [s * n / segments, (s + 1) * n / segments)) and writes the
// `per_segment` best items of each run: run s at items[s * per_segment], counts[s] of them.
// `items` and `scores` have room for segments * per_segment.
ScanResult scan_clusters(const Cells& cells, const Query& query, std::span<const uint32_t> clusters, size_t segments,
                         size_t per_segment, const ScanOptions& options, uint32_t* items, double* scores,
                         uint32_t* counts);

// The `count` best of all items. Writes how many to *found. Of a run of repeated blocks only as many are read as may be
// among the best; all count as scored.
ScanResult scan_all(const Cells& cells, const Query& query, size_t count, const ScanOptions& options, uint32_t* items,
                    double* scores, size_t* found);

// Exact scores of given items by direct access (the cross-modality look-ups of Exquisitor §3.3). An item that has no
// slot scores minus infinity.
void score_items(const Cells& cells, const Query& query, std::span<const uint32_t> items, double* scores);

// The decoded vectors of given items, row_values() values each and for sparse codes as many ids (ids may be null for
// dense codes); zeros for an item that has no slot.
void decode_items(const Cells& cells, std::span<const uint32_t> items, uint32_t* ids, float* values);

// Squared distances of given items to a dense query of dims floats; infinity for an item that has no slot.
void item_distances(const Cells& cells, const float* query, std::span<const uint32_t> items, double* distances);

} // namespace farsight
