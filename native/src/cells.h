// One modality of an opened index, and checked access to it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codes.h"
#include "packed.h"
#include "repeats.h"

namespace farsight {

// Clusters in groups of near ones: group g holds clusters [starts[g], starts[g + 1]).
struct ClusterGroups {
  const Codes* means; // of the members' representatives, one per group; nullptr: clusters are not grouped
  std::span<const uint32_t> starts; // groups + 1
};

// One modality of an opened index. Slots are in cluster order: cluster c holds slots [starts[c], starts[c + 1]).
// The arrays are mapped from files and untrusted: item numbers and starts are range-checked before use.
struct Cells {
  const Codes* codes;
  const Codes* representatives; // one per cluster
  PackedNumbers items; // slot -> item
  PackedNumbers slots; // item -> slot
  std::span<const uint32_t> starts; // clusters + 1
  std::span<const BlockRun> repeats = {}; // of the codes; scan_all scores one block of each
  ClusterGroups groups = {};
};

// Checked access to what a file says about slots and clusters.
class Bounds {
 public:
  explicit Bounds(const Cells& cells)
      : cells_(cells), slots_(std::min(cells.codes->count(), cells.items.size())) {}

  size_t slots() const { return slots_; }
  size_t clusters() const { return cells_.starts.empty() ? 0 : cells_.starts.size() - 1; }

  struct Range {
    size_t begin;
    size_t end;
  };
  // Empty for a cluster that does not exist.
  Range cluster(uint32_t c) const {
    if (c >= clusters()) return {0, 0};
    const size_t begin = std::min<size_t>(cells_.starts[c], slots_);
    return {begin, std::clamp<size_t>(cells_.starts[c + 1], begin, slots_)};
  }

  size_t size(uint32_t c) const {
    const Range range = cluster(c);
    return range.end - range.begin;
  }

  // The slot of an item, or slots() when it has none.
  size_t slot(uint32_t item) const {
    return item < cells_.slots.size() ? std::min<size_t>(cells_.slots[item], slots_) : slots_;
  }

 private:
  const Cells& cells_;
  size_t slots_;
};

} // namespace farsight
