// Given items by direct access; see lookups.h.
#include "lookups.h"

#include <algorithm>
#include <limits>

#include "collector.h"

namespace farsight {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Calls visit(i, slot) for every item with a slot, its code on the way, and absent(i) for the others.
template <typename Visit, typename Absent>
void visit_items(const Cells& cells, std::span<const uint32_t> items, Visit visit, Absent absent) {
  const Bounds bounds(cells);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + kPrefetchSlots < items.size() && items[i + kPrefetchSlots] < cells.slots.size()) {
      cells.slots.prefetch(items[i + kPrefetchSlots]);
    }
    if (i + kPrefetchCodes < items.size()) {
      const size_t ahead = bounds.slot(items[i + kPrefetchCodes]);
      if (ahead < bounds.slots()) cells.codes->prefetch(ahead);
    }
    const size_t slot = bounds.slot(items[i]);
    if (slot < bounds.slots()) {
      visit(i, slot);
    } else {
      absent(i);
    }
  }
}

} // namespace

void score_items(const Cells& cells, const Query& query, std::span<const uint32_t> items, double* scores) {
  visit_items(
    cells, items, [&](size_t i, size_t slot) { scores[i] = query.exact(slot); },
    [&](size_t i) { scores[i] = -kInfinity; });
}

void decode_items(const Cells& cells, std::span<const uint32_t> items, uint32_t* ids, float* values) {
  const size_t row = cells.codes->row_values();
  const bool sparse = cells.codes->sparse();
  visit_items(
    cells, items,
    [&](size_t i, size_t slot) { cells.codes->decode(slot, sparse ? ids + i * row : nullptr, values + i * row); },
    [&](size_t i) {
      std::fill_n(values + i * row, row, 0.0f);
      if (sparse) std::fill_n(ids + i * row, row, 0u);
    });
}

void item_distances(const Cells& cells, const float* query, std::span<const uint32_t> items, double* distances) {
  double norm = 0;
  for (size_t d = 0; d < cells.codes->dims(); ++d) norm += static_cast<double>(query[d]) * query[d];
  visit_items(
    cells, items, [&](size_t i, size_t slot) { distances[i] = cells.codes->distance(slot, query, norm); },
    [&](size_t i) { distances[i] = kInfinity; });
}

} // namespace farsight
