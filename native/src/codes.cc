// What queries do alike.
#include "codes.h"

#include "reach.h"

namespace farsight {

size_t Query::reaching(Blocks blocks, Blocks, size_t slots, float threshold, uint32_t* positions, float* scores) const {
  approximate(blocks.first, blocks.count, scores);
  return keep_reaching(kernels(), scores, slots, threshold, positions);
}

Ahead ahead_of(const Codes& codes, Blocks blocks, Blocks next) {
  const size_t bytes = codes.block_bytes();
  if (next.count > 0) return {codes.blocks() + next.first * bytes, next.count * bytes};
  if (scan_ahead(blocks.count) == 0) return {};
  return {codes.blocks() + blocks.first * bytes + kScanAheadBytes, blocks.count * bytes};
}

} // namespace farsight
