// The key table. hash() is part of the file format: a change of it is a new format version.
#include "keys.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace farsight {

namespace {

uint64_t hash(std::span<const uint8_t> key);
bool equal(std::span<const uint8_t> a, std::span<const uint8_t> b);

} // namespace

size_t key_table_size(size_t count) { return std::bit_ceil(std::max<size_t>(4, count + (count + 1) / 2)); }

bool build_key_table(const Keys& keys, std::span<uint32_t> table, uint32_t duplicate[2]) {
  const auto key = [&](size_t i) { return keys.bytes.subspan(keys.offsets[i], keys.offsets[i + 1] - keys.offsets[i]); };
  const size_t mask = table.size() - 1;
  std::fill(table.begin(), table.end(), 0u);
  for (size_t i = 0; i + 1 < keys.offsets.size(); ++i) {
    size_t slot = hash(key(i)) & mask;
    for (; table[slot] != 0; slot = (slot + 1) & mask) {
      if (!equal(key(table[slot] - 1), key(i))) continue;
      duplicate[0] = table[slot] - 1;
      duplicate[1] = static_cast<uint32_t>(i);
      return false;
    }
    table[slot] = static_cast<uint32_t>(i + 1);
  }
  return true;
}

int64_t find_key(const Keys& keys, std::span<const uint32_t> table, std::span<const uint8_t> key) {
  if (!std::has_single_bit(table.size())) return -1;
  const size_t mask = table.size() - 1;
  const size_t first = hash(key) & mask;
  for (size_t probe = 0; probe < table.size(); ++probe) {
    const size_t item_plus_1 = table[(first + probe) & mask];
    if (item_plus_1 == 0) return -1;
    if (item_plus_1 >= keys.offsets.size()) continue;
    const uint64_t begin = keys.offsets[item_plus_1 - 1], end = keys.offsets[item_plus_1];
    if (begin > end || end > keys.bytes.size()) continue;
    if (equal(keys.bytes.subspan(begin, end - begin), key)) return static_cast<int64_t>(item_plus_1 - 1);
  }
  return -1;
}

namespace {

// Low and high half of a 128-bit product, folded: the mixing step of wyhash (Wang Yi, 2019).
uint64_t fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The key as little-endian 64-bit words, the last one padded with zeros, folded one after the other into its length.
uint64_t hash(std::span<const uint8_t> key) {
  constexpr uint64_t kMultiplier = 0xa0761d6478bd642fu, kFinal = 0xe7037ed1a0b428dbu;
  uint64_t state = key.size() ^ 0x2d358dccaa6c78a5u;
  for (size_t at = 0; at < key.size(); at += 8) {
    const size_t bytes = std::min<size_t>(8, key.size() - at);
    uint64_t word = 0;
    for (size_t b = 0; b < bytes; ++b) word |= uint64_t{key[at + b]} << (8 * b);
    state = fold(state ^ word, kMultiplier);
  }
  return fold(state, kFinal);
}

bool equal(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

} // namespace

} // namespace farsight
