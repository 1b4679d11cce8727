// Runs of blocks that repeat one another byte for byte: a third of YFCC100M has no text, and one picture in sixty is the
// same placeholder, each in one huge cluster. What one block of a run scores, all of them score.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codes.h"

namespace farsight {

// Clusters of fewer slots are not searched for repeats: reading them all takes less than looking.
inline constexpr size_t kLeastRepeatedSlots = size_t{1} << 16;

// Blocks [begin, end), all equal to block `begin`.
struct BlockRun {
  size_t begin;
  size_t end;
};

// The longest runs inside the large clusters, ascending; reads the codes of these. starts as in Cells, checked.
std::vector<BlockRun> repeated_blocks(const Codes& codes, std::span<const uint32_t> starts);

} // namespace farsight
