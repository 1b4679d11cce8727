// The levels of an eCP hierarchy (Exquisitor §3.2), to walk down from the root to clusters near a vector.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search.h"

namespace farsight {

class Levels {
 public:
  // sizes: nodes of each level from the clusters up. nodes: cluster number of each node above the first level, bottom up;
  // parents: of each node below the root's level, its place on the next. Both are mapped and untrusted: what does not
  // fit is left out. Copies what it needs.
  Levels(std::span<const uint32_t> sizes, std::span<const uint32_t> nodes, std::span<const uint32_t> parents);

  // Adds clusters near `query` (dims floats) to `out`: on every level the `beam` nearest nodes are gone into, and of the
  // clusters reached the `count` nearest are written, nearest first.
  void nearest(const Codes& representatives, const float* query, double norm, size_t beam, size_t count,
               std::vector<uint32_t>& out) const;

 private:
  struct Level {
    std::vector<uint32_t> clusters; // of each node; empty for the first level, where a node is its cluster
    std::vector<uint32_t> starts;   // of each node's children in `children`
    std::vector<uint32_t> children; // places on the level below
  };
  std::vector<Level> levels_; // from the root down, without the clusters
  size_t roots_ = 0;
};

} // namespace farsight
