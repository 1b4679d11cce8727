// Finding runs of equal blocks.
#include "repeats.h"

#include <algorithm>
#include <cstring>

namespace farsight {

std::vector<BlockRun> repeated_blocks(const Codes& codes, std::span<const uint32_t> starts) {
  const size_t items = codes.block_items(), bytes = codes.block_bytes();
  std::vector<BlockRun> runs;
  for (size_t c = 0; c + 1 < starts.size(); ++c) {
    const size_t first = std::min<size_t>(starts[c], codes.count());
    const size_t last = std::min<size_t>(starts[c + 1], codes.count());
    if (first + kLeastRepeatedSlots > last) continue;
    // Whole blocks of this cluster alone.
    const size_t end = last / items;
    for (size_t block = (first + items - 1) / items; block < end;) {
      const uint8_t* const model = codes.blocks() + block * bytes;
      size_t next = block + 1;
      while (next < end && std::memcmp(model, codes.blocks() + next * bytes, bytes) == 0) ++next;
      if ((next - block) * items >= kLeastRepeatedSlots) runs.push_back({block, next});
      block = next;
    }
  }
  return runs;
}

} // namespace farsight
