// sq8 codes: one byte per dimension of a dense vector, value_d = offset_d + step_d * code_d, code 0..255.
// |value - stored| <= step_d / 2 for values inside [offset_d, offset_d + 255 * step_d].
//
// A block holds 16 items: dims rounded up to a multiple of 4 (zero codes), dimension group g of item l at bytes
// 64 * g + 4 * l .. + 3. One 64-byte row of a block is one 32-bit lane per item.
#pragma once

#include <vector>

#include "codes.h"
#include "kernels.h"

namespace farsight {

struct Sq8Parameters {
  uint32_t dims;       // 1..4096
  const float* offset; // dims
  const float* step;   // dims, 0 for a constant dimension
};

size_t sq8_block_bytes(uint32_t dims);
size_t sq8_codes_bytes(size_t count, uint32_t dims);

// Packs rows (dims codes each) into slot order: slot s holds row order[s]. Writes slots [first, first + count);
// first is a multiple of 16.
void pack_sq8(const uint8_t* rows, const uint32_t* order, size_t first, size_t count, uint32_t dims, uint8_t* blocks);

class Sq8Codes final : public Codes {
 public:
  // Copies offset and step.
  Sq8Codes(const Sq8Parameters& parameters, size_t count, const uint8_t* blocks);
  size_t count() const override;
  size_t dims() const override;
  size_t row_values() const override;
  bool sparse() const override;
  size_t block_items() const override;
  size_t block_bytes() const override;
  std::unique_ptr<Query> prepare(const float* weights, double bias) const override;
  std::unique_ptr<DistanceQuery> prepare_distance(const float* query) const override;
  void decode(size_t slot, uint32_t* ids, float* values) const override;
  void decode_run(size_t slot, size_t count, uint32_t* ids, float* values) const override;
  double largest_sum(const float* magnitudes) const override;
  double distance(size_t slot, const float* query, double norm) const override;
  void prefetch(size_t slot) const override;
  const uint8_t* blocks() const override { return blocks_; }

  const uint8_t* block(size_t b) const { return blocks_ + b * block_bytes_; }
  size_t padded_dims() const { return padded_dims_; }
  const std::vector<float>& offset() const { return offset_; }
  const std::vector<float>& step() const { return step_; }

 private:
  uint32_t dims_;
  size_t padded_dims_;        // dims rounded up to a multiple of 4
  std::vector<float> offset_; // padded_dims, zeros behind dims
  std::vector<float> step_;   // the same
  size_t count_;
  size_t block_bytes_;
  const uint8_t* blocks_;
};

} // namespace farsight
