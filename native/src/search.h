// Searching packed codes with a model: the r best items of segments of clusters, or of every item.
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

#include "cells.h"

namespace farsight {

struct ScanOptions {
  std::span<const uint32_t> skip = {}; // items left out (seen, labelled, excluded): ascending, unique
  std::span<const uint32_t> admitted = {}; // a bit for each item that a filter lets through; empty: all are
  size_t workers = 1;             // threads that split the work; the answer does not depend on it
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct ScanResult {
  uint64_t items_scored = 0;  // items of the ranges read, skipped ones included
  uint64_t clusters_read = 0; // clusters of the list that were read, empty ones included; 0 for scan_all
  bool complete = true; // false: the deadline passed and the best so far was returned, at least of one batch
};

// Reads `clusters` in `segments` runs (run s is clusters [s * n / segments, (s + 1) * n / segments)) and writes the
// `per_segment` best items of each run: run s at items[s * per_segment], counts[s] of them.
// `items` and `scores` have room for segments * per_segment.
ScanResult scan_clusters(const Cells& cells, const Query& query, std::span<const uint32_t> clusters, size_t segments,
                         size_t per_segment, const ScanOptions& options, uint32_t* items, double* scores,
                         uint32_t* counts);

// The `count` best of all items. Writes how many to *found. Of a run of repeated blocks only as many are read as may be
// among the best; all count as scored. With `representatives`, the same model prepared for those of the clusters, the scan
// begins with promising clusters: the answer is the same, and is known to be above most other scores from the start.
ScanResult scan_all(const Cells& cells, const Query& query, const Query* representatives, size_t count,
                    const ScanOptions& options, uint32_t* items, double* scores, size_t* found);

} // namespace farsight
