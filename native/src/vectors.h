// Vectors as the builder holds them: row-major codes in input order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// Non-negative sparse vectors, per_row entries a row; a value of 0 pads. Ids of a row's non-zero values are distinct.
struct SparseVectors {
  const uint16_t* ids;
  const float* values;
  size_t rows;
  size_t per_row;
};

// sq8 rows (row-major, not packed) with their scale: value_d = offset[d] + step[d] * code_d.
struct Sq8Vectors {
  const uint8_t* codes;
  const float* offset;
  const float* step;
  size_t rows;
  size_t dims;
};

} // namespace farsight
