// Rows as weights for panels; see sparse-panels.h.
#include "sparse-panels.h"

#include "parallel.h"

namespace farsight {

namespace {

int16_t weight_of(float share) { return static_cast<int16_t>(std::min(32767l, std::lrintf(share * 32768))); }

} // namespace

WeighedRows::WeighedRows(const SparseTable& table, size_t threads)
    : table_(table), norms_(table.counts.size()), codes_(2 * table.entries.size()) {
  parallel(norms_.size(), threads, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      norms_[row] = static_cast<float>(std::sqrt(table.squares[row]));
      const float inverse = norms_[row] > 0 ? 1 / norms_[row] : 0;
      const Entry* entries = table.row(row);
      uint16_t* codes = codes_.data() + 2 * row * table.per_row;
      for (size_t j = 0; j < table.counts[row]; ++j) {
        codes[2 * j] = static_cast<uint16_t>(entries[j].id);
        codes[2 * j + 1] = static_cast<uint16_t>(weight_of(entries[j].value * inverse));
      }
    }
  });
}

size_t WeighedRows::weigh(size_t row, float largest_norm, const uint32_t* map, uint32_t bias_row, uint32_t* rows,
                          int16_t* weights) const {
  const size_t entries = table_.counts[row];
  const bool near = largest_norm > kRatio * norms_[row]; // t < 1
  size_t count = 0;
  if (near) {
    const Entry* entry = table_.row(row);
    for (size_t j = 0; j < entries; ++j) {
      rows[count] = map[entry[j].id];
      weights[count] = weight_of(entry[j].value * (kRatio / largest_norm));
      count += rows[count] != kNoRow;
    }
  } else {
    const uint16_t* codes = codes_.data() + 2 * row * table_.per_row;
    for (size_t j = 0; j < entries; ++j) {
      rows[count] = map[codes[2 * j]];
      weights[count] = static_cast<int16_t>(codes[2 * j + 1]);
      count += rows[count] != kNoRow;
    }
  }
  const float bias = near ? 1 : largest_norm > 0 ? largest_norm / (kRatio * norms_[row]) : 0;
  rows[count] = bias_row;
  weights[count] = static_cast<int16_t>(-std::lrintf(bias * 32768));
  return count + 1;
}

} // namespace farsight
