// Items in random slots, both ways packed as an index holds them.
#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "packed.h"

namespace farsight::test {

struct RandomSlots {
  RandomSlots(std::mt19937& random, size_t count) : item_of(count), slot_of(count) {
    std::iota(item_of.begin(), item_of.end(), 0u);
    std::shuffle(item_of.begin(), item_of.end(), random);
    for (size_t slot = 0; slot < count; ++slot) slot_of[item_of[slot]] = static_cast<uint32_t>(slot);
    packed_items = pack(item_of);
    packed_slots = pack(slot_of);
  }
  PackedNumbers items() const { return {packed_items.data(), item_of.size(), packed_bits(item_of.size())}; }
  PackedNumbers slots() const { return {packed_slots.data(), slot_of.size(), packed_bits(slot_of.size())}; }

  static std::vector<uint8_t> pack(const std::vector<uint32_t>& numbers) {
    const uint32_t bits = packed_bits(numbers.size());
    std::vector<uint8_t> bytes(packed_bytes(numbers.size(), bits));
    pack_numbers(numbers, bits, bytes.data());
    return bytes;
  }

  std::vector<uint32_t> item_of, slot_of;
  std::vector<uint8_t> packed_items, packed_slots;
};

} // namespace farsight::test
