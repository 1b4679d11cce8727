// Quantisation of float rows to ratio and sq8 codes, and the input forms that need decoding first.
#include "encode.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farsight {

namespace {

constexpr size_t kMaxFeatures = 255;
constexpr size_t kMaxDims = 65536;

struct Entry {
  uint32_t id;
  double value;
};

// The order of kept entries, as "comes before".
bool stronger(const Entry& a, const Entry& b) { return a.value > b.value || (a.value == b.value && a.id < b.id); }

// The strongest `limit` of the entries offered: a heap whose front is the weakest one kept.
class Strongest {
 public:
  explicit Strongest(size_t limit) : limit_(limit) {}
  void offer(Entry entry) {
    if (count_ < limit_) {
      entries_[count_++] = entry;
      std::push_heap(entries_, entries_ + count_, stronger);
    } else if (stronger(entry, entries_[0])) {
      std::pop_heap(entries_, entries_ + count_, stronger);
      entries_[count_ - 1] = entry;
      std::push_heap(entries_, entries_ + count_, stronger);
    }
  }
  // The entries kept, strongest first. Nothing can be offered before the next clear().
  const Entry* sorted() {
    std::sort_heap(entries_, entries_ + count_, stronger);
    return entries_;
  }
  size_t count() const { return count_; }
  void clear() { count_ = 0; }

 private:
  size_t limit_;
  size_t count_ = 0;
  Entry entries_[kMaxFeatures];
};

// Where one encoding raises its maxima; error is not read when only measuring.
struct Largest {
  double* value;
  double* sum;
  double* error;
};

void encode_row(Strongest& strongest, const RatioQuantiser& quantiser, uint16_t* ids, uint32_t* codes,
                const Largest& largest);
bool all_finite(const float* row, size_t dims);
void normalize_row(float* row, size_t dims);

} // namespace

BadValue encode_ratio(const uint32_t* ids, const double* values, size_t rows, size_t per_row, uint32_t dims,
                      const RatioQuantiser& quantiser, uint16_t* out_ids, uint32_t* out_codes, double* largest,
                      double* largest_sum, double* largest_error) {
  uint64_t seen[kMaxDims / 64] = {}; // ids of the row, to notice one that comes twice
  Strongest strongest(quantiser.features);
  for (size_t row = 0; row < rows; ++row, ids += per_row, values += per_row) {
    strongest.clear();
    for (size_t j = 0; j < per_row; ++j) {
      if (!(values[j] >= 0) || values[j] > DBL_MAX) return {true, row, j, values[j]};
      if (values[j] == 0) continue;
      if (ids[j] >= dims || (seen[ids[j] / 64] >> (ids[j] % 64) & 1)) {
        return {true, row, j, std::numeric_limits<double>::quiet_NaN()};
      }
      seen[ids[j] / 64] |= uint64_t{1} << (ids[j] % 64);
      strongest.offer({ids[j], values[j]});
    }
    for (size_t j = 0; j < per_row; ++j) {
      if (values[j] != 0) seen[ids[j] / 64] = 0;
    }
    encode_row(strongest, quantiser, out_codes ? out_ids + row * quantiser.features : nullptr,
               out_codes ? out_codes + row * quantiser.features : nullptr, {largest, largest_sum, largest_error});
  }
  return {};
}

BadValue encode_ratio_dense(const float* values, size_t rows, uint32_t dims, const RatioQuantiser& quantiser,
                            uint16_t* out_ids, uint32_t* out_codes, double* largest, double* largest_sum,
                            double* largest_error) {
  Strongest strongest(quantiser.features);
  for (size_t row = 0; row < rows; ++row, values += dims) {
    strongest.clear();
    for (uint32_t d = 0; d < dims; ++d) {
      if (!(values[d] >= 0) || values[d] > FLT_MAX) return {true, row, d, values[d]};
      if (values[d] != 0) strongest.offer({d, values[d]});
    }
    encode_row(strongest, quantiser, out_codes ? out_ids + row * quantiser.features : nullptr,
               out_codes ? out_codes + row * quantiser.features : nullptr, {largest, largest_sum, largest_error});
  }
  return {};
}

BadValue measure_sq8(float* rows, size_t count, size_t dims, bool normalize, float* lowest, float* highest) {
  for (size_t row = 0; row < count; ++row, rows += dims) {
    if (!all_finite(rows, dims)) {
      const size_t d = std::find_if(rows, rows + dims, [](float v) { return !std::isfinite(v); }) - rows;
      return {true, row, d, rows[d]};
    }
    if (normalize) normalize_row(rows, dims);
    for (size_t d = 0; d < dims; ++d) {
      lowest[d] = rows[d] < lowest[d] ? rows[d] : lowest[d];
      highest[d] = rows[d] > highest[d] ? rows[d] : highest[d];
    }
  }
  return {};
}

void encode_sq8(const float* rows, size_t count, size_t dims, const float* offset, const float* step, uint8_t* codes,
                double* largest_error) {
  // Eight running maxima: a single one would make every value wait for the one before.
  constexpr size_t kLanesHere = 8;
  double errors[kLanesHere] = {};
  const auto encode = [&](size_t row, size_t d, size_t lane) {
    const double value = rows[row * dims + d];
    const double steps = step[d] > 0 ? (value - offset[d]) / step[d] : 0.0;
    const double clamped = steps > 0 ? (steps < 255 ? steps : 255.0) : 0.0;
    const int code = static_cast<int>(clamped + 0.5);
    codes[row * dims + d] = static_cast<uint8_t>(code);
    const double error = std::fabs(value - (offset[d] + step[d] * static_cast<float>(code)));
    errors[lane] = error > errors[lane] ? error : errors[lane];
  };
  for (size_t row = 0; row < count; ++row) {
    size_t d = 0;
    for (; d + kLanesHere <= dims; d += kLanesHere) {
      for (size_t lane = 0; lane < kLanesHere; ++lane) encode(row, d + lane, lane);
    }
    for (; d < dims; ++d) encode(row, d, 0);
  }
  *largest_error = std::max(*largest_error, *std::max_element(errors, errors + kLanesHere));
}

namespace {

// Shifts the 15 bits into a float's place and multiplies by 2^(127 - 15), which also makes subnormals normal; the
// exponents of infinity and NaN are set by hand.
float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = uint32_t{half & 0x7fffu} << 13;
  if ((half & 0x7c00u) == 0x7c00u) {
    const uint32_t quiet = (half & 0x3ffu) ? 0x400000u : 0;
    return std::bit_cast<float>(sign | 0x7f800000u | magnitude | quiet);
  }
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f));
}

#if defined(__x86_64__)
// Converts the eights of `count` halves, returns how many that were.
__attribute__((target("avx,f16c"))) size_t halves_to_floats_f16c(const uint16_t* in, size_t count, float* out) {
  const size_t eights = count / 8 * 8;
  for (size_t i = 0; i < eights; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  }
  return eights;
}
#endif

} // namespace

void half_to_float(const uint16_t* in, size_t count, float* out) {
  size_t done = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c")) done = halves_to_floats_f16c(in, count, out);
#endif
  for (size_t i = done; i < count; ++i) out[i] = half_to_float(in[i]);
}

size_t decode_r64(const uint64_t* init, const uint64_t* ids, const uint64_t* ratios, size_t rows,
                  const R64Layout& layout, uint32_t dims, uint32_t* out_ids, double* out_values) {
  const auto low_bits = [](uint32_t bits) { return (uint64_t{1} << bits) - 1; };
  const uint64_t id_mask = low_bits(layout.id_bits);
  const uint64_t value_mask = low_bits(layout.value_bits);
  const uint64_t ratio_mask = low_bits(layout.ratio_bits);
  size_t refused = rows * layout.features;
  for (size_t row = 0; row < rows; ++row, out_ids += layout.features, out_values += layout.features) {
    out_ids[0] = static_cast<uint32_t>(init[row] >> layout.value_bits & id_mask);
    out_values[0] = static_cast<double>(init[row] & value_mask) / layout.value_divisor;
    for (uint32_t j = 1; j < layout.features; ++j) {
      const uint32_t id_at = layout.id_pad_bits + (j - 1) * layout.id_bits;
      const uint32_t ratio_at = layout.ratio_pad_bits + (j - 1) * layout.ratio_bits;
      out_ids[j] = static_cast<uint32_t>(ids[row] >> id_at & id_mask);
      const double ratio = static_cast<double>(ratios[row] >> ratio_at & ratio_mask);
      out_values[j] = out_values[j - 1] * ratio / layout.ratio_divisor;
    }
    for (uint32_t j = 0; j < layout.features; ++j) {
      if (out_values[j] == 0) out_ids[j] = 0;
      if (out_ids[j] >= dims) refused = std::min(refused, row * layout.features + j);
    }
  }
  return refused;
}

namespace {

double rounded(double value, bool down) { return down ? std::floor(value) : std::round(value); }

// What a descending row is multiplied by to have unit length, the length taken in units of the first
// value so that no square leaves the range of a double. Zero rows stay zero.
struct UnitScale {
  double first = 1, length = 1;
  double operator()(double value) const { return value / first / length; }
};
template <typename At>
UnitScale unit_scale(size_t count, At at) {
  if (count == 0 || !(at(0) > 0)) return {};
  double sum = 0;
  for (size_t j = 0; j < count; ++j) sum += at(j) / at(0) * (at(j) / at(0));
  return {at(0), std::sqrt(sum)};
}

// Chains, normalises and quantises the entries kept; writes the row when there is one to write (ids != nullptr).
void encode_row(Strongest& strongest, const RatioQuantiser& quantiser, uint16_t* ids, uint32_t* codes,
                const Largest& largest) {
  const size_t kept = strongest.count();
  const Entry* entries = strongest.sorted();
  double chained[kMaxFeatures];
  for (size_t j = 0; j < kept; ++j) {
    if (j == 0) {
      const double scaled = entries[0].value * quantiser.value_divisor;
      const bool quantised = quantiser.value_divisor > 0 && scaled < 0x1p53;
      chained[0] = quantised ? rounded(scaled, quantiser.floor) / quantiser.value_divisor : entries[0].value;
    } else if (quantiser.ratio_divisor > 0) {
      const double ratio = entries[j].value / entries[j - 1].value;
      const double code = rounded(ratio * quantiser.ratio_divisor, quantiser.floor);
      // x * d / d need not be x, and equal values must stay equal.
      chained[j] = code == quantiser.ratio_divisor ? chained[j - 1] : chained[j - 1] * code / quantiser.ratio_divisor;
    } else {
      const bool as_it_is = chained[0] == entries[0].value;
      chained[j] = as_it_is ? entries[j].value : chained[0] * (entries[j].value / entries[0].value);
    }
  }
  UnitScale stored_scale, input_scale;
  if (quantiser.normalize) {
    stored_scale = unit_scale(kept, [&](size_t j) { return chained[j]; });
    input_scale = unit_scale(kept, [&](size_t j) { return entries[j].value; });
  }
  double sum = 0;
  for (size_t j = 0; j < kept; ++j) {
    const double stored = stored_scale(chained[j]);
    sum += stored;
    *largest.value = std::max(*largest.value, stored);
    if (ids == nullptr) continue;
    const double code = std::min(std::round(stored / quantiser.scale), static_cast<double>(quantiser.max_code));
    ids[j] = static_cast<uint16_t>(entries[j].id);
    codes[j] = static_cast<uint32_t>(code);
    *largest.error = std::max(*largest.error, std::fabs(code * quantiser.scale - input_scale(entries[j].value)));
  }
  *largest.sum = std::max(*largest.sum, sum);
  if (ids == nullptr) return;
  std::fill(ids + kept, ids + quantiser.features, uint16_t{0});
  std::fill(codes + kept, codes + quantiser.features, 0u);
}

bool all_finite(const float* row, size_t dims) {
  uint32_t bad = 0;
  for (size_t d = 0; d < dims; ++d) bad |= (std::bit_cast<uint32_t>(row[d]) & 0x7f800000u) == 0x7f800000u;
  return bad == 0;
}

void normalize_row(float* row, size_t dims) {
  double lanes[8] = {};
  for (size_t d = 0; d < dims; ++d) lanes[d % 8] += double(row[d]) * double(row[d]);
  const double square =
      ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  if (square == 0) return;
  const double scale = 1 / std::sqrt(square);
  for (size_t d = 0; d < dims; ++d) row[d] = static_cast<float>(row[d] * scale);
}

} // namespace

} // namespace farsight
