#include "order.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace farsight {

namespace {

struct Entry {
  uint32_t high; // of the key, whose order is that of descending scores
  uint32_t number;
};

// The digits that are sorted by, from the lowest: three have all bits.
constexpr uint32_t kDigits = 3, kDigitBits = 11, kPlaces = 1 << kDigitBits;
uint32_t digit_of(const Entry& entry, uint32_t digit) { return entry.high >> digit * kDigitBits & (kPlaces - 1); }

} // namespace

// A radix sort by half of the key, because passes without a branch that could be guessed wrong take a fraction of what
// comparing takes. The few that it does not tell apart are compared.
void order_by_score(std::span<const uint32_t> items, std::span<const double> scores, std::span<uint32_t> order) {
  std::vector<Entry> entries(items.size()), sorted(items.size());
  std::vector<std::array<uint32_t, kPlaces>> counts(kDigits);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    entries[i] = {static_cast<uint32_t>(descending(scores[i]) >> 32), i};
    for (uint32_t digit = 0; digit < kDigits; ++digit) ++counts[digit][digit_of(entries[i], digit)];
  }
  for (uint32_t digit = 0; digit < kDigits && !entries.empty(); ++digit) {
    auto& places = counts[digit];
    if (places[digit_of(entries[0], digit)] == entries.size()) continue; // all the same
    uint32_t before = 0;
    for (uint32_t& place : places) before += std::exchange(place, before);
    for (const Entry& entry : entries) sorted[places[digit_of(entry, digit)]++] = entry;
    entries.swap(sorted);
  }
  const auto is_before = [&](const Entry& a, const Entry& b) {
    const uint64_t first = descending(scores[a.number]), second = descending(scores[b.number]);
    if (first != second) return first < second;
    return items[a.number] != items[b.number] ? items[a.number] < items[b.number] : a.number < b.number;
  };
  for (size_t from = 0, to = 0; from < entries.size(); from = to) {
    while (to < entries.size() && entries[to].high == entries[from].high) ++to;
    const auto at = [&](size_t place) { return entries.begin() + static_cast<ptrdiff_t>(place); };
    if (to - from > 1) std::sort(at(from), at(to), is_before);
  }
  for (size_t i = 0; i < entries.size(); ++i) order[i] = entries[i].number;
}

} // namespace farsight
