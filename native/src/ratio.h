// Ratio codes: the n strongest features of a sparse non-negative vector (Blackthorn compression, Exquisitor §3.1),
// with the chain of ratios undone when the index is built.
//
// An input value is chained first, as in the papers: value_0 is quantised linearly, value_j = value_{j-1} * code_j /
// divisor. The chained value is then stored as a linear code of `value_bits` (8..24) bits:
//   value = code * scale,  code = 0 .. 255 * 2^low,  low = value_bits - 8
//   code = high * 2^low + rest,  high = (code + 2^(low-1)) >> low (0..255),  rest in [-2^(low-1), 2^(low-1))
// The scan reads only `high`, column-wise; `rest` lies apart, row-wise, and is read for the few items that are
// scored exactly. |value - stored| <= scale / 2; |value - high * 2^low * scale| <= (2^low + 1) * scale / 2.
//
// A block holds 64 items. Its features * 64 codes are split into chunks of 64 bytes so that a chunk viewed as 16
// 32-bit lanes lines up with the accumulators (item i: accumulator t = i / 16, lane l = i % 16):
//   features in fours:   chunk 4g + t,      byte 4l + f          f = 0..3
//   then a pair:         chunk c + t / 2,   byte 4l + 2(t % 2) + f   f = 0..1
//   then a single one:   chunk c,           byte 4l + t
// A block is: low id bytes (features * 64), high value bytes (features * 64), then by IdForm nothing, 16 bytes a chunk
// (bit 8 of the 64 ids as a little-endian u64, then bit 9), or 64 bytes a chunk (high id bytes).
// The rests of slot s are the `low`-bit two's complement fields at bit (s * features + j) * low of the refine
// section, little-endian; 8 readable bytes follow the last one.
#pragma once

#include "codes.h"
#include "kernels.h"

namespace farsight {

struct RatioParameters {
  uint32_t dims;       // 1..65536
  uint32_t features;   // 1..255
  uint32_t value_bits; // 8..24
  double scale;        // value of one code step
  double max_sum;      // upper bound of the sum of one item's decoded values
};

IdForm ratio_id_form(uint32_t dims);
// Of a look-up table that no stored id, corrupt or not, reads past.
size_t ratio_table_entries(IdForm form);
size_t ratio_block_bytes(RatioShape shape);
// Where the code of item i, feature j lies in the chunks of a block: chunk * 64 + byte.
size_t ratio_position(uint32_t features, size_t i, uint32_t j);
// Bytes of the packed sections for `count` slots, padding included.
size_t ratio_codes_bytes(size_t count, const RatioParameters& parameters);
size_t ratio_refine_bytes(size_t count, const RatioParameters& parameters);

// Packs rows (features ids and codes each) into slot order: slot s holds row order[s].
// Writes the slots [first, first + count) of a section that begins at slot 0; first is a multiple of 64.
void pack_ratio(const uint16_t* ids, const uint32_t* codes, const uint32_t* order, size_t first, size_t count,
                const RatioParameters& parameters, uint8_t* blocks, uint8_t* refine);

class RatioCodes final : public Codes {
 public:
  RatioCodes(const RatioParameters& parameters, size_t count, const uint8_t* blocks, const uint8_t* refine);
  size_t count() const override;
  size_t dims() const override;
  size_t row_values() const override;
  bool sparse() const override;
  size_t block_items() const override;
  size_t block_bytes() const override;
  // Exact scores: bias + ((s0 + s1) + (s2 + s3)), s_l = sum over j % 4 == l, ascending, of w[id_j] * (code_j * scale).
  std::unique_ptr<Query> prepare(const float* weights, double bias) const override;
  std::unique_ptr<DistanceQuery> prepare_distance(const float* query) const override;
  void decode(size_t slot, uint32_t* ids, float* values) const override;
  double largest_sum(const float* magnitudes) const override;
  double distance(size_t slot, const float* query, double norm) const override;
  void prefetch(size_t slot) const override;
  const uint8_t* blocks() const override { return blocks_; }
  const uint8_t* refine() const { return refine_; }
  // A hint that the rests of slots [begin, end) are about to be read.
  void prefetch_rests(size_t begin, size_t end) const;

  // Calls visit(j, id, code) for the features of one slot, j ascending. An id of dims or more (a corrupt file) comes
  // as id 0, code 0.
  template <typename Visit>
  void for_each(size_t slot, Visit visit) const;
  const uint8_t* block(size_t b) const { return blocks_ + b * block_bytes_; }
  const RatioParameters& parameters() const { return parameters_; }
  RatioShape shape() const { return shape_; }

 private:
  template <IdForm form, typename Visit>
  void for_each_of(size_t slot, Visit visit) const;
  template <IdForm form, uint32_t kFeatures, typename Visit>
  void for_each_as(size_t slot, Visit visit) const;
  uint64_t refine_from(size_t bit) const;
  int32_t rest(uint64_t fields) const;

  RatioParameters parameters_;
  RatioShape shape_;
  uint32_t low_bits_; // bits of a rest
  size_t count_;
  size_t block_bytes_;
  const uint8_t* blocks_;
  const uint8_t* refine_;
};

} // namespace farsight
