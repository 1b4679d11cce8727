// External keys: an open-addressing hash table from key bytes to item number, built once, mapped afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace farsight {

// Keys of all items: key i is bytes [offsets[i], offsets[i + 1]).
struct Keys {
  std::span<const uint64_t> offsets; // items + 1
  std::span<const uint8_t> bytes;
};

// Slots for `count` keys: the power of two of at least 3/2 * count, and at least 4.
size_t key_table_size(size_t count);

// Fills table (item + 1, 0 = free; key_table_size(items) slots, fewer than 2^32 items) by linear probing. Returns false
// and the two items when a key occurs twice.
bool build_key_table(const Keys& keys, std::span<uint32_t> table, uint32_t duplicate[2]);

// The item of a key, or -1. Safe on an untrusted table: probes at most table.size() slots and checks every range.
int64_t find_key(const Keys& keys, std::span<const uint32_t> table, std::span<const uint8_t> key);

} // namespace farsight
