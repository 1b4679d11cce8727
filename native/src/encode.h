// From float vectors to codes, row by row. Nothing here allocates; outputs are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farsight {

// How a value becomes a stored ratio code; see ratio.h.
struct RatioQuantiser {
  uint32_t features;      // kept per row
  double value_divisor;   // first value of a chain: round(value * divisor) / divisor; 0 leaves it as it is
  double ratio_divisor;   // further ones: value_{j-1} * round(ratio * divisor) / divisor, ratio = value_j / value_{j-1}
                          // of the input; 0 leaves the ratio as it is
  bool floor;             // rounding of both: nearest, or down as the papers' code does
  bool normalize;         // scale the chained vector to unit length
  double scale;           // of the stored code: code = round(value / scale)
  uint32_t max_code;
};

// Rows that a bad value stopped: encoding stops there and the caller names it.
struct BadValue {
  bool found = false;
  size_t row = 0;
  size_t column = 0;
  double value = 0;
};

// Sparse input: per_row (id, value) pairs a row in any order; 0 pads. Keeps the `features` largest values (ties: lower
// id), descending; out ids and codes are rows x features, padded with id 0, code 0. Values must be finite and
// non-negative and a row's ids distinct and below dims (BadValue otherwise; a repeated id or an id out of range is
// reported with value NaN; rows before the bad one are encoded). An entry whose code rounds to 0 keeps its id.
// A ratio of exactly 1 stays exactly 1, so equal values stay equal; a value of 2^53 / value_divisor and more is left as
// it is, being coarser than the divisor asks. largest and largest_sum are raised to the largest stored value and row
// sum before quantisation to codes (after normalisation), so a first pass with out_codes == nullptr finds the scale;
// such a pass needs no out_ids and leaves largest_error alone. largest_error is raised to the largest
// |code * scale - value| over kept entries, value being the input (neither chained nor quantised), scaled by the length
// of the kept input entries when rows are normalised: the error of one coordinate in the geometry that is stored, all
// steps together.
// features: 1..255, dims: 1..65536.
BadValue encode_ratio(const uint32_t* ids, const double* values, size_t rows, size_t per_row, uint32_t dims,
                      const RatioQuantiser& quantiser, uint16_t* out_ids, uint32_t* out_codes, double* largest,
                      double* largest_sum, double* largest_error);

// Dense input of dims values a row: the same, every non-zero value is an entry.
BadValue encode_ratio_dense(const float* values, size_t rows, uint32_t dims, const RatioQuantiser& quantiser,
                            uint16_t* out_ids, uint32_t* out_codes, double* largest, double* largest_sum,
                            double* largest_error);

// First pass of sq8: raises lowest[d] / highest[d]; optionally scales each row to unit length in place first (a zero
// row stays zero). Values must be finite.
BadValue measure_sq8(float* rows, size_t count, size_t dims, bool normalize, float* lowest, float* highest);

// codes = clamp(round((value - offset) / step), 0, 255), 0 where step is 0; raises *largest_error to the largest
// |value - stored|, stored = offset + step * code in float. Values must be finite.
void encode_sq8(const float* rows, size_t count, size_t dims, const float* offset, const float* step, uint8_t* codes,
                double* largest_error);

// IEEE half precision to float, exactly; a signalling NaN becomes a quiet one.
void half_to_float(const uint16_t* in, size_t count, float* out);

// The papers' packed r64 form to (ids, values), exactly: init = id << value_bits | value, its value value /
// value_divisor; the words ids and ratios hold the further features - 1 codes, the first in the lowest bits above the
// word's padding, and value_j = value_{j-1} * ratio_j / ratio_divisor in double, in that order. An id of a value 0 means
// nothing and becomes 0. Returns the place of the first other id that is not below dims, or rows * features.
struct R64Layout {
  uint32_t features;       // 1..; (features - 1) * bits + pad <= 64 for ids and for ratios
  uint32_t id_bits;        // 1..16
  uint32_t value_bits;     // id_bits + value_bits <= 64
  uint32_t ratio_bits;     // 1..32
  uint32_t id_pad_bits;    // low bits of an ids word that hold no id; 64 % id_bits in the papers' data
  uint32_t ratio_pad_bits; // the same of a ratios word; 64 % ratio_bits
  double value_divisor;
  double ratio_divisor;
};
size_t decode_r64(const uint64_t* init, const uint64_t* ids, const uint64_t* ratios, size_t rows,
                  const R64Layout& layout, uint32_t dims, uint32_t* out_ids, double* out_values);

} // namespace farsight
