// What the forms of assignment share: rows as entries or floats, representatives with their squared norms, and the
// order in which one representative is nearer than another.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels.h"
#include "parallel.h"
#include "vectors.h"

namespace farsight {

struct Entry {
  uint32_t id;
  float value;
};

// The non-zero entries of a row by ascending id; returns how many.
inline size_t sorted_entries(const SparseVectors& vectors, size_t row, Entry* entries) {
  size_t count = 0;
  for (size_t j = row * vectors.per_row; j < (row + 1) * vectors.per_row; ++j) {
    if (vectors.values[j] != 0) entries[count++] = {vectors.ids[j], vectors.values[j]};
  }
  const auto lower = [](const Entry& a, const Entry& b) { return a.id < b.id; };
  if (count > 32) {
    std::sort(entries, entries + count, lower);
  } else {
    for (size_t i = 1; i < count; ++i) {
      const Entry entry = entries[i];
      size_t j = i;
      for (; j > 0 && lower(entry, entries[j - 1]); --j) entries[j] = entries[j - 1];
      entries[j] = entry;
    }
  }
  return count;
}

inline double square(const Entry* entries, size_t count) {
  double sum = 0;
  for (size_t j = 0; j < count; ++j) sum += double(entries[j].value) * double(entries[j].value);
  return sum;
}

// A representative and its distance, or what orders as the distance does; less is nearer, ties to the lower one.
template <typename Distance>
struct Near {
  Distance distance;
  uint32_t representative;
  bool operator<(const Near& other) const {
    return distance < other.distance || (distance == other.distance && representative < other.representative);
  }
};

// Sparse vectors, row-major, each by ascending id, with their squared norms.
struct SparseTable {
  explicit SparseTable(const SparseVectors& vectors, size_t threads = 1)
      : per_row(vectors.per_row), entries(vectors.rows * vectors.per_row), counts(vectors.rows), squares(vectors.rows) {
    parallel(vectors.rows, threads, [&](size_t first, size_t last) {
      for (size_t r = first; r < last; ++r) {
        counts[r] = static_cast<uint32_t>(sorted_entries(vectors, r, entries.data() + r * per_row));
        squares[r] = square(row(r), counts[r]);
      }
    });
  }
  const Entry* row(size_t r) const { return entries.data() + r * per_row; }

  size_t per_row;
  std::vector<Entry> entries;
  std::vector<uint32_t> counts;
  std::vector<double> squares;
};

// Rows of sq8 codes as floats.
inline void decode(const Sq8Vectors& vectors, size_t row, float* out) {
  const uint8_t* codes = vectors.codes + row * vectors.dims;
  for (size_t d = 0; d < vectors.dims; ++d) out[d] = vectors.offset[d] + vectors.step[d] * static_cast<float>(codes[d]);
}

// Writes row `from` of `vectors` as lane `lane` of a panel; a lane without a row is infinitely far away.
inline constexpr float kFar = std::numeric_limits<float>::infinity();
inline void set_lane(float* panel, size_t lane, const float* row, size_t dims) {
  for (size_t d = 0; d < dims; ++d) panel[d * kLanes + lane] = row ? row[d] : kFar;
}

} // namespace farsight
