// Which rows of a table are the first of their kind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parallel.h"

namespace farsight {

// rows: one row of every kind, the first of its share of the rows, ascending; kind_of[i]: the place in `rows` of row
// i's kind. With more than one share equal rows of different shares are kinds of their own.
struct Distinct {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> kind_of;
};

// hash(i) must be equal for equal rows.
template <typename Hash, typename Same>
Distinct distinct_rows(size_t count, size_t shares, const Hash& hash, const Same& same) {
  constexpr uint32_t kEmpty = 0xffffffff;
  Distinct out;
  out.kind_of.resize(count);
  shares = std::clamp<size_t>(shares, 1, std::max<size_t>(count, 1));
  std::vector<std::vector<uint32_t>> found(shares);
  run_parts(shares, [&](size_t share) {
    const size_t first = count * share / shares, last = count * (share + 1) / shares;
    std::vector<uint32_t>& rows = found[share];
    size_t slots = 16;
    while (slots < 2 * (last - first)) slots *= 2;
    std::vector<uint32_t> table(slots, kEmpty);
    for (size_t i = first; i < last; ++i) {
      size_t slot = hash(i) & (slots - 1);
      while (table[slot] != kEmpty && !same(rows[table[slot]], i)) slot = (slot + 1) & (slots - 1);
      if (table[slot] == kEmpty) {
        table[slot] = static_cast<uint32_t>(rows.size());
        rows.push_back(static_cast<uint32_t>(i));
      }
      out.kind_of[i] = table[slot];
    }
  });
  for (size_t share = 0; share < shares; ++share) {
    const uint32_t before = static_cast<uint32_t>(out.rows.size());
    out.rows.insert(out.rows.end(), found[share].begin(), found[share].end());
    for (size_t i = count * share / shares; i < count * (share + 1) / shares; ++i) out.kind_of[i] += before;
  }
  return out;
}

} // namespace farsight
