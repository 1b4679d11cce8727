// Two halves of kept rows, each a table of places over one list of words.
#include "row-cache.h"

#include <algorithm>
#include <cstring>

#include "kernels.h"
#include "lookups.h"

namespace farsight {

namespace {

constexpr size_t kLeastPlaces = 64;
// Look-ups ahead that places and rows are asked for, and at most how much of a row.
constexpr size_t kPlacesAhead = 24, kRowsAhead = 12, kPrefetchBytes = 1024;

uint64_t key_of(uint32_t space, uint32_t item) { return uint64_t{space} << 32 | item; }

void copy_out(const uint32_t* words, size_t row, uint32_t* ids, float* values) {
  std::memcpy(values, words, row * sizeof(float));
  if (ids != nullptr) std::memcpy(ids, words + row, row * sizeof(uint32_t));
}

} // namespace

void RowCache::decode(uint32_t space, const Cells& cells, std::span<const uint32_t> items, uint32_t* ids,
                      float* values) {
  const size_t row = cells.codes->row_values();
  const bool sparse = cells.codes->sparse();
  const auto ids_at = [&](uint32_t* all, size_t i) { return sparse ? all + i * row : nullptr; };
  std::vector<uint32_t> missing, places;
  const size_t words = sparse ? 2 * row : row;
  for (uint32_t i = 0; i < items.size(); ++i) {
    if (i + kPlacesAhead < items.size()) young_.prefetch_place(key_of(space, items[i + kPlacesAhead]));
    if (i + kRowsAhead < items.size()) young_.prefetch_row(key_of(space, items[i + kRowsAhead]), words);
    const uint64_t key = key_of(space, items[i]);
    if (const uint32_t* words = young_.find(key)) {
      copy_out(words, row, ids_at(ids, i), values + i * row);
    } else if (const uint32_t* aged = old_.find(key)) {
      copy_out(aged, row, ids_at(ids, i), values + i * row);
      keep(key, ids_at(ids, i), values + i * row, row);
    } else {
      missing.push_back(items[i]);
      places.push_back(i);
    }
  }
  if (missing.empty()) return;
  std::vector<float> found(missing.size() * row);
  std::vector<uint32_t> found_ids(sparse ? found.size() : 0);
  decode_items(cells, missing, found_ids.data(), found.data());
  for (size_t m = 0; m < missing.size(); ++m) {
    const uint32_t* own_ids = ids_at(found_ids.data(), m);
    std::copy_n(found.data() + m * row, row, values + places[m] * row);
    if (sparse) std::copy_n(own_ids, row, ids + places[m] * row);
    keep(key_of(space, missing[m]), own_ids, found.data() + m * row, row);
  }
}

void RowCache::keep(uint64_t key, const uint32_t* ids, const float* values, size_t row) {
  if (young_.find(key) != nullptr) return; // an item that was asked for twice
  const size_t half = limit_ / 2;
  if (young_.add(key, ids, values, row, half)) return;
  old_ = std::move(young_);
  young_ = Half();
  young_.add(key, ids, values, row, half); // a row of more than half the limit is not kept
}

const uint32_t* RowCache::Half::find(uint64_t key) const {
  if (places_.empty()) return nullptr;
  const Place& place = places_[position(key)];
  return place.end == 0 ? nullptr : words_.data() + (place.end - 1);
}

void RowCache::Half::prefetch_place(uint64_t key) const {
  if (!places_.empty()) __builtin_prefetch(&places_[first_position(key)]);
}

void RowCache::Half::prefetch_row(uint64_t key, size_t words) const {
  if (places_.empty()) return;
  const Place& place = places_[first_position(key)];
  if (place.end == 0 || place.key != key) return; // or displaced by others, which is rare
  const auto* first = reinterpret_cast<const uint8_t*>(words_.data() + (place.end - 1));
  prefetch_lines(first, std::min(words * sizeof(uint32_t), kPrefetchBytes));
}

// Where a search for the key begins.
size_t RowCache::Half::first_position(uint64_t key) const {
  return (key * 0x9e3779b97f4a7c15u >> 32) & (places_.size() - 1);
}

// Where the key is, or would be.
size_t RowCache::Half::position(uint64_t key) const {
  const size_t mask = places_.size() - 1;
  size_t at = first_position(key);
  while (places_[at].end != 0 && places_[at].key != key) at = (at + 1) & mask;
  return at;
}

bool RowCache::Half::add(uint64_t key, const uint32_t* ids, const float* values, size_t row, size_t limit) {
  const size_t words = ids == nullptr ? row : 2 * row;
  const bool full = (rows_ + 1) * 2 > places_.size();
  const size_t places = full ? std::max(kLeastPlaces, 2 * places_.size()) : places_.size();
  const size_t needed = words_.size() + words;
  const size_t room = std::max(words_.capacity(), needed);
  const size_t left = limit - std::min(limit, places * sizeof(Place));
  if (room * sizeof(uint32_t) > left) return false;
  // Twice the room when it runs out, but never past the limit.
  if (room > words_.capacity()) words_.reserve(std::min(2 * room, left / sizeof(uint32_t)));
  if (full) widen();
  places_[position(key)] = {key, words_.size() + 1};
  ++rows_;
  words_.resize(needed);
  std::memcpy(words_.data() + needed - words, values, row * sizeof(float));
  if (ids != nullptr) std::memcpy(words_.data() + needed - row, ids, row * sizeof(uint32_t));
  return true;
}

void RowCache::Half::widen() {
  std::vector<Place> before(std::max(kLeastPlaces, 2 * places_.size()));
  places_.swap(before);
  for (const Place& place : before) {
    if (place.end != 0) places_[position(place.key)] = place;
  }
}

} // namespace farsight
