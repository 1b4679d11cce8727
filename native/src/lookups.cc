// Given items by direct access; see lookups.h.
#include "lookups.h"

#include <algorithm>
#include <limits>

#include "collector.h"

namespace farsight {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Items looked up together.
constexpr size_t kLookUps = 1024;

// Calls visit(i, slot) for every item with a slot, its code on the way, and absent(i) for the others. Slots are found for
// many items before the first code is read: in one loop the two chains of loads hold each other up.
template <typename Visit, typename Absent>
void visit_items(const Cells& cells, std::span<const uint32_t> items, Visit visit, Absent absent) {
  const Bounds bounds(cells);
  size_t slots[kLookUps];
  const auto prefetch = [&](size_t slot) {
    if (slot < bounds.slots()) cells.codes->prefetch(slot);
  };
  for (size_t first = 0; first < items.size(); first += kLookUps) {
    const size_t count = std::min(kLookUps, items.size() - first);
    for (size_t i = 0; i < count; ++i) {
      const size_t ahead = first + i + kPrefetchSlots;
      if (ahead < items.size() && items[ahead] < cells.slots.size()) cells.slots.prefetch(items[ahead]);
      slots[i] = bounds.slot(items[first + i]);
    }
    for (size_t i = 0; i < std::min(kPrefetchCodes, count); ++i) prefetch(slots[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + kPrefetchCodes < count) prefetch(slots[i + kPrefetchCodes]);
      if (slots[i] < bounds.slots()) visit(first + i, slots[i]);
      else absent(first + i);
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
