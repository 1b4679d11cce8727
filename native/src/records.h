// Records: rows as the builder keeps them in its scratch files, a fixed number of bytes each, in input order.
//   ratio   features ids (u16), then features codes of 2 or 4 bytes, little-endian; an entry with code 0 has id 0, so
//           equal codes are equal bytes
//   sq8     one byte per dimension
// Results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "encode.h"
#include "ratio.h"

namespace farsight {

struct RatioRecordForm {
  uint32_t features;
  uint32_t code_bytes; // 2 or 4
  size_t bytes() const { return size_t{features} * (2 + code_bytes); }
};

// What an encoding pass raises; see encode.h.
struct Extremes {
  double largest = 0;
  double sum = 0;
  double error = 0;
};

// encode_ratio and encode_ratio_dense into records; without records they only measure. The bad value reported is that
// of the lowest row.
BadValue encode_ratio_records(const uint32_t* ids, const double* values, size_t rows, size_t per_row, uint32_t dims,
                              const RatioQuantiser& quantiser, RatioRecordForm form, size_t threads, uint8_t* records,
                              Extremes* extremes);
BadValue encode_ratio_records(const float* values, size_t rows, uint32_t dims, const RatioQuantiser& quantiser,
                              RatioRecordForm form, size_t threads, uint8_t* records, Extremes* extremes);

// measure_sq8 and encode_sq8 over threads.
BadValue measure_sq8_records(float* rows, size_t count, size_t dims, bool normalize, size_t threads, float* lowest,
                             float* highest);
void encode_sq8_records(const float* rows, size_t count, size_t dims, const float* offset, const float* step,
                        size_t threads, uint8_t* records, double* largest_error);

// Ratio records as sparse vectors: value = code * scale, rounded to float.
void ratio_vectors(const uint8_t* records, size_t rows, RatioRecordForm form, double scale, size_t threads,
                   uint16_t* ids, float* values);

// Copies record i to place slots[i] - first_slot of `out`, for the slots in [first_slot, first_slot + out_slots).
void place_records(const uint8_t* records, size_t rows, size_t record_bytes, const uint32_t* slots, size_t first_slot,
                   size_t out_slots, size_t threads, uint8_t* out);

// Packs records that are in slot order, the first of them in slot 0 of `blocks` and `refine`.
void pack_ratio_records(const uint8_t* records, size_t rows, RatioRecordForm form, const RatioParameters& parameters,
                        size_t threads, uint8_t* blocks, uint8_t* refine);
void pack_sq8_records(const uint8_t* records, size_t rows, uint32_t dims, size_t threads, uint8_t* blocks);

} // namespace farsight
