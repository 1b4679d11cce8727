#include "order.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace farsight {

void order_by_score(std::span<const uint32_t> items, std::span<const double> scores, std::span<uint32_t> order) {
  // Sorting records keeps the comparison free of indirection.
  struct Entry {
    double score;
    uint32_t item, number;
  };
  std::vector<Entry> entries(items.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const double score = scores[i] == scores[i] ? scores[i] : -std::numeric_limits<double>::infinity();
    entries[i] = {score, items[i], i};
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.item != b.item) return a.item < b.item;
    return a.number < b.number;
  });
  for (size_t i = 0; i < entries.size(); ++i) order[i] = entries[i].number;
}

} // namespace farsight
