#include "order.h"

#include <array>
#include <utility>
#include <vector>

namespace farsight {

namespace {

struct Entry {
  uint64_t key; // ascending where scores descend
  uint32_t item, number;
};

// Bytes of what is sorted by, from the lowest: the item's, then the key's.
constexpr int kBytes = 12;
uint8_t byte_of(const Entry& entry, int byte) {
  return static_cast<uint8_t>(byte < 4 ? entry.item >> 8 * byte : entry.key >> 8 * (byte - 4));
}

} // namespace

// A radix sort, stable, by one byte after the other. Passes without a branch that could be guessed wrong take a third of
// what comparing takes for some thousand candidates.
void order_by_score(std::span<const uint32_t> items, std::span<const double> scores, std::span<uint32_t> order) {
  std::vector<Entry> entries(items.size()), sorted(items.size());
  std::vector<std::array<uint32_t, 256>> counts(kBytes);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    entries[i] = {descending(scores[i]), items[i], i};
    for (int byte = 0; byte < kBytes; ++byte) ++counts[byte][byte_of(entries[i], byte)];
  }
  for (int byte = 0; byte < kBytes && !entries.empty(); ++byte) {
    auto& places = counts[byte];
    if (places[byte_of(entries[0], byte)] == entries.size()) continue; // all the same
    uint32_t before = 0;
    for (uint32_t& place : places) before += std::exchange(place, before);
    for (const Entry& entry : entries) sorted[places[byte_of(entry, byte)]++] = entry;
    entries.swap(sorted);
  }
  for (size_t i = 0; i < entries.size(); ++i) order[i] = entries[i].number;
}

} // namespace farsight
