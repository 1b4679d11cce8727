// Packing records into rabitq codes: what their cluster's representative leaves of them, rotated and quantised.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rabitq.h"

namespace farsight {

// Cluster c holds slots [starts[c], starts[c + 1]), none is empty; representatives: dims floats each, as they are stored.
struct ResidualClusters {
  const float* representatives;
  const uint32_t* starts;
  size_t count;
};

// Rows of 2 * dims bytes: upper bytes of all dimensions, then lower ones;
// value = offset[d] + step[d] * (upper + lower / 255 - 1/2).
struct FineRecords {
  const uint8_t* codes;
  const float* offset;
  const float* step;
  size_t rows;
  size_t dims;
};

// Packs the records of slots [first, first + records.rows), first being a multiple of a block's items, to the beginning
// of `blocks` and `refine`. Returns the largest |record's value - stored value|. Throws std::range_error for a residual
// whose factor no float holds. The result does not depend on the number of threads.
double pack_rabitq(const FineRecords& records, size_t first, const ResidualClusters& clusters,
                   const RabitqParameters& parameters, size_t threads, uint8_t* blocks, uint8_t* refine);

} // namespace farsight
