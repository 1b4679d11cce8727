// Vectors of several modalities as one: concatenated, space after space.
#pragma once

#include <algorithm>
#include <vector>

#include "survey.h"

namespace farsight {

// The slot of an item, or the number of slots when it has none (a damaged index may say anything).
inline size_t slot_of(const Cells& cells, uint32_t item) {
  const size_t count = cells.codes->count();
  return item < cells.slots.size() ? std::min<size_t>(cells.slots[item], count) : count;
}

inline size_t total_dims(std::span<const Space> spaces) {
  size_t dims = 0;
  for (const Space& space : spaces) dims += space.cells->codes->dims();
  return dims;
}

// The decoded vectors of an item, dense, total_dims() floats; false for an item without a slot in some space.
inline bool decode_concatenated(std::span<const Space> spaces, uint32_t item, float* out) {
  std::vector<uint32_t> ids;
  std::vector<float> values;
  for (const Space& space : spaces) {
    const Codes& codes = *space.cells->codes;
    const size_t slot = slot_of(*space.cells, item);
    if (slot >= codes.count()) return false;
    if (codes.sparse()) {
      ids.resize(codes.row_values());
      values.resize(codes.row_values());
      codes.decode(slot, ids.data(), values.data());
      std::fill(out, out + codes.dims(), 0.0f);
      for (size_t j = 0; j < values.size(); ++j) {
        if (values[j] != 0 && ids[j] < codes.dims()) out[ids[j]] += values[j];
      }
    } else {
      codes.decode(slot, nullptr, out);
    }
    out += codes.dims();
  }
  return true;
}

} // namespace farsight
